#include "acs_vectors.hpp"

#include "acs_arithmetic.hpp"
#include "acs_geometry.hpp"

namespace acs {

namespace {

const int LANES = acs_isa::LANES;
const int SEGMENTS = acs_isa::SEGMENTS;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;
const int WORD_BYTES = acs_isa::WORD_BYTES;
const int WORD_BITS = acs_isa::WORD_BITS;

// The pixels of two blocks that follow each other, added up; cells outside the map do not count.
int add_blocks(const Memories &memories, const Instruction &op, int address, int block,
               bool active) {
#pragma HLS INLINE
  const int row_log2 = int(op.row_log2);
  const int column_mask = (acs_isa::SEGMENT_PIXELS << row_log2) - 1;
  int sum = 0;
EACH_HALF:
  for (int half = 0; half < 2; ++half) {
#pragma HLS UNROLL
    // The half that an even address is in holds the first of them, or the second.
    const bool second = (address & 1) != half;
    const int place = (address + (second ? 1 : 0)) >> 1;
    const int number = block + (second ? 1 : 0);
  EACH_BANK:
    for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
      const bool row_valid = active && (number * SEGMENTS + bank) >> row_log2 < int(op.src_height);
      const int read = row_valid ? place : 0;
      ACS_PORT_TRACE(half, half * SEGMENTS + bank, add_blocks, false, read);
      const segment_t segment = memories.half[half][bank][read];
    EACH_PIXEL:
      for (int j = 0; j < acs_isa::SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
        const int column = (bank * acs_isa::SEGMENT_PIXELS + j) & column_mask;
        const bool valid = row_valid && column < int(op.src_width);
        sum += valid ? int(pixel_value(byte_of(segment, j), op.src_signed)) : 0;
      }
    }
  }
  return sum;
}

// The constants of a row; a shift outside its range acts as the nearer bound.
Record bounded(Record record) {
#pragma HLS INLINE
  if (record.shift < unsigned(acs_isa::SHIFT_MIN)) record.shift = acs_isa::SHIFT_MIN;
  if (record.shift > unsigned(acs_isa::SHIFT_MAX)) record.shift = acs_isa::SHIFT_MAX;
  return record;
}

}  // namespace

void run_gavg(const Instruction &op, Memories &memories) {
  const int blocks = plane_blocks(int(op.src_height), int(op.row_log2));
  const int pairs = (blocks + 1) / 2;
  const int iterations = int(op.channels) * pairs;
  int channel = 0;
  int block = 0;
  int base = int(op.src_base);
  int32_t sum = 0;
  uint64_t pending = 0;  // results on their way to a whole word
GAVG:
  for (int i = 0; i < iterations; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_MAP_BLOCKS
    ACS_LOOP(GAVG);
    const bool active = channel_active(memories, 0, int(op.mask_in), channel);
    const int added = add_blocks(memories, op, base + block, block, active);
    sum = (block == 0 ? 0 : sum) + added;
    if (block + 2 < blocks) {
      block += 2;
    } else {
      const Scale scale = make_scale(op.mult, op.shift);
      const uint8_t value = requantize(acc_t(sum), scale, 0, 0, op.dst_signed);
      pending |= uint64_t(value) << (8 * (channel % WORD_BYTES));
      if (channel % WORD_BYTES == WORD_BYTES - 1 || i + 1 == iterations) {
        const int word = int(op.vec_dst) + channel / WORD_BYTES;
        ACS_PORT_TRACE(vectors, 0, run_gavg, true, word);
        memories.vectors[word] = pending;
        pending = 0;
      }
      block = 0;
      base += int(op.src_step);
      ++channel;
    }
  }
}

void ask_linear(const Instruction &op, params_port params) {
  if (op.linear_mode == unsigned(acs_isa::LINEAR_GATE)) {
    params.read_request(op.threshold_addr, unsigned(ceil_div<2>(int(op.channels))));
  }
  params.read_request(op.weight_addr, unsigned(op.channels * op.row_words));
}

void run_linear(const Instruction &op, params_port params, Memories &memories, result_port result,
                bool &unanswered, Counters &counters) {
  const int channels = int(op.channels);
  const unsigned_t<16> row_words = op.row_words;
  const int words = channels * int(row_words);
  const bool gate = op.linear_mode == unsigned(acs_isa::LINEAR_GATE);
  const bool wide = op.linear_mode == unsigned(acs_isa::LINEAR_WIDE);
  const bool table = op.linear_mode == unsigned(acs_isa::LINEAR_SIGMOID);
  const int threshold_words = gate ? ceil_div<2>(channels) : 0;

  // Thresholds of a gate, and results for the result buffer, which follow in one burst: a word of
  // results never lies behind the thresholds that are read with it.
  uint64_t words_aside[acs_isa::MAX_CHANNELS / 2];
#pragma HLS BIND_STORAGE variable=words_aside type=ram_s2p impl=bram
THRESHOLDS:
  for (int i = 0; i < threshold_words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(THRESHOLDS);
    words_aside[i] = uint64_t(params.read());
  }

  uint64_t record_words[RECORD_WORDS] = {0, 0};
  uint64_t pending = 0;  // results on their way out: eight bytes, two int32, or 64 mask bits
  int32_t sum = 0;
  channel_t output = 0;
  unsigned_t<16> column = 0;
  // A result never lies in the source, so that reads and writes of the vectors are independent.
ROWS:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=3 max=TRIP_LINEAR_ROWS
#pragma HLS DEPENDENCE variable=memories.vectors type=inter dependent=false
#pragma HLS DEPENDENCE variable=words_aside type=inter dependent=false
    ACS_LOOP(ROWS);
    const uint64_t word = uint64_t(params.read());
    const bool weights = column >= unsigned(RECORD_WORDS);
    const int source = int(op.vec_src) + (weights ? int(column) - RECORD_WORDS : 0);
    ACS_PORT_TRACE(vectors, 0, run_linear, false, source);
    const uint64_t values = memories.vectors[source];
    int products = 0;
  EACH_BYTE:
    for (int j = 0; j < WORD_BYTES; ++j) {
#pragma HLS UNROLL
      // Eight products of nine by eight bits are cheaper in tables than the part's multipliers.
      const signed_t<17> product =
          int(pixel_value(byte_of(values, j), op.src_signed)) * int8_t(byte_of(word, j));
#pragma HLS BIND_OP variable=product op=mul impl=fabric
      products += int(product);
    }
    sum = weights ? sum + products : 0;
    if (!weights) record_words[int(column)] = word;

    const unsigned_t<16> next_column = column + unsigned_t<16>(1);
    if (next_column != row_words) {
      column = next_column;
      continue;
    }
    const Record record = bounded(acs_isa::decode_record(record_words));
    const int32_t acc = int32_t(record.bias) + sum;
    const Scale scale = make_scale(record.mult, record.shift);
    const channel_t next_output = output + channel_t(1);
    const bool last = next_output == op.channels;
    ACS_PORT_TRACE(words_aside, 0, run_linear, false, int(output) / 2);
    const uint64_t aside = words_aside[int(output) / 2];
    const int32_t threshold = int32_t(uint32_t(aside >> (32 * (int(output) % 2))));
    const uint8_t value = requantize(acc_t(acc), scale, 0, 0, table || op.dst_signed);
    const uint8_t looked_up = acs_isa::SIGMOID_TABLE[int8_t(value) + acs_isa::TABLE_SIZE / 2];
    const int per_word = gate ? WORD_BITS : wide ? 2 : WORD_BYTES;
    const int place = int(output) & (per_word - 1);
    const int number = int(output) >> (gate ? 6 : wide ? 1 : 3);
    const uint64_t code = gate   ? uint64_t(acc > threshold)
                          : wide ? uint64_t(uint32_t(round_sum(acc_t(acc), scale)))
                                 : uint64_t(table ? looked_up : value);
    pending |= code << (gate ? place : wide ? 32 * place : 8 * place);
    if (place == per_word - 1 || last) {
      if (gate) {
        const int address = int(op.mask_out) * MASK_WORDS + number;
      EACH_SIDE:
        for (int side = 0; side < MASK_COPIES; ++side) {
#pragma HLS UNROLL
          ACS_PORT_TRACE(masks, side, run_linear, true, address);
          memories.masks[side][address] = pending;
        }
      }
      if (gate || wide) {
        ACS_PORT_TRACE(words_aside, 0, run_linear, true, number);
        words_aside[number] = pending;
      } else {
        ACS_PORT_TRACE(vectors, 0, run_linear, true, int(op.vec_dst) + number);
        memories.vectors[int(op.vec_dst) + number] = pending;
      }
      pending = 0;
    }
    column = 0;
    output = next_output;
  }

  const int written = gate ? ceil_div<WORD_BITS>(channels) : wide ? ceil_div<2>(channels) : 0;
  if (written > 0) {
    if (unanswered) result.write_response();
    result.write_request(op.result_addr, unsigned(written));
    unanswered = true;
  }
RESULTS:
  for (int i = 0; i < written; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(RESULTS);
    result.write(words_aside[i]);
  }

  counters.read_words += uint64_t(words + threshold_words);
  counters.macs_executed += uint64_t(channels) * uint64_t((row_words - RECORD_WORDS) * WORD_BYTES);
  counters.written_words += uint64_t(written);
}

}  // namespace acs
