#include "acs_vector_ops.hpp"

#include "acs_arithmetic.hpp"
#include "acs_channels.hpp"
#include "acs_features.hpp"

namespace acs {

namespace {

const int LANES = acs_isa::LANES;
const int SEGMENTS = acs_isa::SEGMENTS;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;
const int WORD_BYTES = acs_isa::WORD_BYTES;
const int WORD_BITS = acs_isa::WORD_BITS;

// Sets byte `index` of the vector that starts at word `base`.  Bytes arrive in order, so a word is
// cleared by its first byte and never holds what an earlier image left.
void put_byte(Memories &memories, int base, int index, uint8_t value) {
#pragma HLS INLINE
  const int word = base + index / WORD_BYTES;
  const uint64_t kept = index % WORD_BYTES == 0 ? 0 : memories.vectors[word];
  memories.vectors[word] = kept | uint64_t(value) << (8 * (index % WORD_BYTES));
}

void read_thresholds(const Instruction &op, const word_t *params,
                     int32_t thresholds[acs_isa::MAX_CHANNELS]) {
  uint64_t word = 0;
  for (int i = 0; i < int(op.channels); ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    if (i % 2 == 0) {
      word = params[op.threshold_addr + i / 2].to_uint64();
    }
    thresholds[i] = int32_t(uint32_t(word >> (32 * (i % 2))));
  }
}

// Where output number `output` goes.  Takes the results that wait for their word to fill, and
// returns those that still wait.
uint64_t deliver(const Instruction &op, const Record &record, int32_t acc, int32_t threshold,
                 int output, uint64_t pending, Memories &memories, word_t *result) {
#pragma HLS INLINE
  const int64_t scaled = int64_t(acc) * int(record.mult);
  const bool last = output == int(op.channels) - 1;
  switch (op.linear_mode) {
    case acs_isa::LINEAR_WIDE:
      pending |= uint64_t(uint32_t(round_shift(scaled, record.shift))) << (32 * (output % 2));
      if (output % 2 == 1 || last) {
        result[op.result_addr + output / 2] = pending;
        return 0;
      }
      return pending;
    case acs_isa::LINEAR_GATE:
      pending |= uint64_t(acc > threshold) << (output % WORD_BITS);
      if (output % WORD_BITS == WORD_BITS - 1 || last) {
        memories.masks[op.mask_out][output / WORD_BITS] = pending;
        result[op.result_addr + output / WORD_BITS] = pending;
        return 0;
      }
      return pending;
    default: {  // LINEAR_VECTOR, LINEAR_SIGMOID
      const bool table = op.linear_mode == acs_isa::LINEAR_SIGMOID;
      const uint8_t value = requantize(scaled, record.shift, table || op.dst_signed);
      const uint8_t stored =
          table ? acs_isa::SIGMOID_TABLE[int8_t(value) + acs_isa::TABLE_SIZE / 2] : value;
      pending |= uint64_t(stored) << (8 * (output % WORD_BYTES));
      if (output % WORD_BYTES == WORD_BYTES - 1 || last) {
        memories.vectors[op.vec_dst + output / WORD_BYTES] = pending;
        return 0;
      }
      return pending;
    }
  }
}

}  // namespace

void run_gavg(const Instruction &op, Memories &memories) {
  const int blocks = plane_blocks(op.src_height, op.row_log2);
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    int32_t sum = 0;
    if (channel_active(memories, op.mask_in, channel)) {
      const int base = int(op.src_base) + channel * int(op.src_step);
      const Plane plane = {base, int(op.src_height), int(op.src_width), int(op.row_log2), 0};
      const Tap whole = {plane, 0, 0};
      for (int block = 0; block < blocks; ++block) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
        Block window;
#pragma HLS ARRAY_PARTITION variable=window.pixel complete
        read_window(memories, whole, block, 0, window);
        for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
          sum += pixel_value(window.pixel[lane], op.src_signed);
        }
      }
    }
    put_byte(memories, op.vec_dst, channel,
             requantize(int64_t(sum) * int(op.mult), op.shift, op.dst_signed));
  }
}

void run_flatten(const Instruction &op, Memories &memories) {
  int word = op.vec_dst;
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    for (int block = 0; block < int(op.src_step); ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
      for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS PIPELINE II=1
        memories.vectors[word++] =
            memories.features[bank][op.src_base + channel * op.src_step + block];
      }
    }
  }
}

void run_linear(const Instruction &op, const word_t *params, Memories &memories, word_t *result,
                Counters &counters) {
  const int channels = op.channels;
  const int row_words = op.row_words;
  const int weight_words = row_words - RECORD_WORDS;
  int32_t thresholds[acs_isa::MAX_CHANNELS];
  if (op.linear_mode == acs_isa::LINEAR_GATE) {
    read_thresholds(op, params, thresholds);
    counters.read_words += ceil_div(channels, 2);
  }

  // A copy of the source, so that results may go to the same memory while it is read.
  uint64_t source[VECTOR_WORDS];
  for (int i = 0; i < weight_words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_LINEAR_WORDS
    source[i] = memories.vectors[op.vec_src + i];
  }

  // The rows follow each other in memory: one burst for all of them, eight products a word.
  uint64_t record_words[RECORD_WORDS] = {0, 0};
  uint64_t pending = 0;  // results on their way out: eight bytes, two int32, or 64 mask bits
  int32_t sum = 0;
  int output = 0;
  int column = 0;
  for (int i = 0; i < channels * row_words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=3 max=TRIP_LINEAR_ROWS
    const uint64_t word = params[op.weight_addr + i].to_uint64();
    if (column < RECORD_WORDS) {
      record_words[column] = word;
      sum = 0;
    } else {
      const uint64_t values = source[column - RECORD_WORDS];
      for (int j = 0; j < WORD_BYTES; ++j) {
#pragma HLS UNROLL
        sum += pixel_value(byte_of(values, j), op.src_signed) * int8_t(byte_of(word, j));
      }
    }
    if (++column == row_words) {
      const Record record = checked_record(record_words);
      const int32_t threshold = op.linear_mode == acs_isa::LINEAR_GATE ? thresholds[output] : 0;
      pending =
          deliver(op, record, record.bias + sum, threshold, output, pending, memories, result);
      column = 0;
      ++output;
    }
  }

  counters.read_words += uint64_t(channels) * row_words;
  counters.macs_executed += uint64_t(channels) * weight_words * WORD_BYTES;
  if (op.linear_mode == acs_isa::LINEAR_WIDE) {
    counters.written_words += ceil_div(channels, 2);
  } else if (op.linear_mode == acs_isa::LINEAR_GATE) {
    counters.written_words += ceil_div(channels, WORD_BITS);
  }
}

void trace_vector(const Instruction &op, int words, const Memories &memories, word_t *result,
                  Counters &counters) {
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=VECTOR_WORDS
    result[op.trace_addr + i] = memories.vectors[op.vec_dst + i];
  }
  counters.written_words += words;
}

}  // namespace acs
