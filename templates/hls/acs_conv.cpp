// Convolution.
//
// A work item is (block of 64 result pixels, active output channel).  A round deals the next items,
// block by block, to the lane groups; at most two blocks meet in a round, so two windows a cycle
// feed all groups.  Inside a round all groups walk the same active input channels and taps, each
// with its own weight.  What a mask switches off is in neither list and costs nothing.

#include "acs_conv.hpp"

#include "acs_arithmetic.hpp"
#include "acs_channels.hpp"
#include "acs_features.hpp"

namespace acs {

namespace {

const int LANES = acs_isa::LANES;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;
const int WORD_BYTES = acs_isa::WORD_BYTES;

// The items of one round: `count_a` channels of `block` from position `first`, then `count_b`
// channels of the next block from position 0.
struct Round {
  int block;
  int first;
  int count_a;
  int count_b;
};

Round deal_round(int block, int first, int blocks, int active) {
#pragma HLS INLINE
  Round round;
  round.block = block;
  round.first = first;
  round.count_a = active - first < LANE_GROUPS ? active - first : LANE_GROUPS;
  const int free_groups = LANE_GROUPS - round.count_a;
  const int next_block = block + 1 < blocks ? active : 0;
  round.count_b = free_groups < next_block ? free_groups : next_block;
  return round;
}

int chunk_count(const Instruction &op, int total, int first) {
#pragma HLS INLINE
  const int left = total - first;
  return left < int(op.chunk) ? left : int(op.chunk);
}

// Streams the weight rows of one chunk: one burst a row, the channel record at its head.
void load_chunk(const Instruction &op, const word_t *params,
                const uint16_t rows[acs_isa::MAX_CHANNELS], int total, int chunk,
                uint64_t weights[LANE_GROUPS][BANK_WORDS], Record records[acs_isa::MAX_CHUNK]) {
  const int first = chunk * int(op.chunk);
  const int count = chunk_count(op, total, first);
  const int row_words = op.row_words;
  for (int position = 0; position < count; ++position) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHUNK
    const uint32_t address = op.weight_addr + uint32_t(rows[first + position]) * row_words;
    const int bank = position % LANE_GROUPS;
    const int bank_row = position / LANE_GROUPS * (row_words - RECORD_WORDS);
    uint64_t record_words[RECORD_WORDS] = {0, 0};
    for (int i = 0; i < row_words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=3 max=TRIP_ROW_WORDS
      const uint64_t word = params[address + i].to_uint64();
      if (i < RECORD_WORDS) {
        record_words[i] = word;
      } else {
        weights[bank][bank_row + i - RECORD_WORDS] = word;
      }
    }
    records[position] = checked_record(record_words);
  }
}

// The inner loop: active input channels x taps, two windows and one weight a group in every
// iteration.
void accumulate(const Instruction &op, const ChannelList &inputs, int group_first,
                const Round &round, const Memories &memories,
                const uint64_t weights[LANE_GROUPS][BANK_WORDS], int32_t acc[LANE_GROUPS][LANES]) {
  const int taps = int(op.kernel) * int(op.kernel);
  const int row_words = int(op.row_words) - RECORD_WORDS;
  const int iterations = inputs.count * taps;

  int input = 0;
  int ky = 0;
  int kx = 0;
  for (int i = 0; i < iterations; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_TAPS
    const int channel = inputs.channel[input];
    const int column = inputs.index[input] - group_first;
    const int weight_byte = column * taps + ky * int(op.kernel) + kx;

    // The image is stored as raw pixels: outside it lies the pixel that normalizes to zero.
    const uint8_t pad_value = uint8_t(acs_isa::padding_value(op, channel));

    const Tap tap = locate_tap(op, int(op.src_base) + channel * int(op.src_step), ky, kx);
    Block window_a;
    Block window_b;
#pragma HLS ARRAY_PARTITION variable=window_a.pixel complete
#pragma HLS ARRAY_PARTITION variable=window_b.pixel complete
    read_window(memories, tap, round.block, pad_value, window_a);
    if (round.count_b > 0) {
      read_window(memories, tap, round.block + 1, pad_value, window_b);
    }

    // Items of one block sit in different banks, so each bank is read at most twice: once for each
    // block.
    int8_t weight_a[LANE_GROUPS];
    int8_t weight_b[LANE_GROUPS];
#pragma HLS ARRAY_PARTITION variable=weight_a complete
#pragma HLS ARRAY_PARTITION variable=weight_b complete
    for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
      const int ahead = (bank + LANE_GROUPS - round.first % LANE_GROUPS) % LANE_GROUPS;
      const int row_a = (round.first + ahead) / LANE_GROUPS;
      const bool used_a = ahead < round.count_a;
      const bool used_b = bank < round.count_b;
      const int address_a = (used_a ? row_a * row_words : 0) + weight_byte / WORD_BYTES;
      const int address_b = weight_byte / WORD_BYTES;
      weight_a[bank] =
          used_a ? int8_t(byte_of(weights[bank][address_a], weight_byte % WORD_BYTES)) : int8_t(0);
      weight_b[bank] =
          used_b ? int8_t(byte_of(weights[bank][address_b], weight_byte % WORD_BYTES)) : int8_t(0);
    }

    for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
      const bool first_block = group < round.count_a;
      const bool busy = group < round.count_a + round.count_b;
      const int weight = first_block ? weight_a[(round.first + group) % LANE_GROUPS]
                                     : weight_b[(group - round.count_a) % LANE_GROUPS];
      if (busy) {
        for (int lane = 0; lane < LANES; lane += 2) {
#pragma HLS UNROLL
          const uint8_t high = first_block ? window_a.pixel[lane + 1] : window_b.pixel[lane + 1];
          const uint8_t low = first_block ? window_a.pixel[lane] : window_b.pixel[lane];
          mac2(pixel_value(high, op.src_signed), pixel_value(low, op.src_signed), weight,
               acc[group][lane + 1], acc[group][lane]);
        }
      }
    }

    if (++kx == int(op.kernel)) {
      kx = 0;
      if (++ky == int(op.kernel)) {
        ky = 0;
        ++input;
      }
    }
  }
}

// Bias and sums to stored pixels: residual, requantization, write.
void finish_item(const Instruction &op, const Record &record, const int32_t acc[LANES], int channel,
                 int block, Memories &memories) {
  Block residual;
  Block pixels;
#pragma HLS ARRAY_PARTITION variable=residual.pixel cyclic factor=POST_LANES
#pragma HLS ARRAY_PARTITION variable=pixels.pixel cyclic factor=POST_LANES
  if (op.res_enable) {
    read_block(memories, int(op.res_base) + channel * int(op.res_step) + block, residual);
  }
  for (int slice = 0; slice < LANES; slice += POST_LANES) {
#pragma HLS PIPELINE II=1
    for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
      const int lane = slice + i;
      const int added = op.res_enable ? pixel_value(residual.pixel[lane], op.res_signed) : 0;
      const int64_t value = combine(acc[lane], record.mult, added, op.res_mult, record.shift);
      pixels.pixel[lane] = requantize(value, record.shift, op.dst_signed);
    }
  }
  write_block(memories, op, channel, block, pixels);
}

// All rounds of one chunk.
void compute_chunk(const Instruction &op, const ChannelList &inputs, int group_first,
                   const uint16_t channels[acs_isa::MAX_CHANNELS], int total, int chunk,
                   const uint64_t weights[LANE_GROUPS][BANK_WORDS],
                   const Record records[acs_isa::MAX_CHUNK], Memories &memories,
                   uint64_t &array_iterations) {
  const int first = chunk * int(op.chunk);
  const int active = chunk_count(op, total, first);
  const int blocks = plane_blocks(op.dst_height, op.row_log2);
  const int taps = int(op.kernel) * int(op.kernel);

  int32_t acc[LANE_GROUPS][LANES];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=0

  int block = 0;
  int position = 0;
  while (block < blocks) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_ROUNDS
    const Round round = deal_round(block, position, blocks, active);
    const int items = round.count_a + round.count_b;

    for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
      const int at = group < round.count_a ? round.first + group : group - round.count_a;
      const int32_t bias = group < items ? records[at].bias : 0;
      for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
        acc[group][lane] = bias;
      }
    }

    accumulate(op, inputs, group_first, round, memories, weights, acc);
    array_iterations += uint64_t(inputs.count) * taps;

    for (int group = 0; group < items; ++group) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=LANE_GROUPS
      const bool first_block = group < round.count_a;
      const int at = first_block ? round.first + group : group - round.count_a;
      const Record record = records[at];
      int32_t sums[LANES];
#pragma HLS ARRAY_PARTITION variable=sums complete
      for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
        sums[lane] = acc[group][lane];
      }
      finish_item(op, record, sums, channels[first + at], first_block ? block : block + 1,
                  memories);
    }

    // Go on behind the last item dealt.
    if (round.count_a < active - position) {
      position += round.count_a;
    } else {
      ++block;
      position = round.count_b;
      if (position == active) {
        ++block;
        position = 0;
      }
    }
  }
}

// Active output channels of one group, chunk by chunk: the next chunk loads while this one
// computes. The loop has the form that Vitis overlaps: it counts by one, up to an argument.
void convolve_active(const Instruction &op, const word_t *params, const ChannelList &inputs,
                     int group_first, const ChannelList &outputs, int chunks, Memories &memories,
                     uint64_t &array_iterations) {
  for (int chunk = 0; chunk < chunks; ++chunk) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHUNKS
#pragma HLS DATAFLOW
    uint64_t weights[LANE_GROUPS][BANK_WORDS];
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS BIND_STORAGE variable=weights type=ram_t2p impl=bram
    Record records[acs_isa::MAX_CHUNK];
    load_chunk(op, params, outputs.index, outputs.count, chunk, weights, records);
    compute_chunk(op, inputs, group_first, outputs.channel, outputs.count, chunk, weights, records,
                  memories, array_iterations);
  }
}

// A channel of exact zeros, in whichever layout: all its blocks.
void clear_channel(const Instruction &op, int channel, Memories &memories) {
  const int blocks = result_blocks(op.dst_height, op.row_log2, op.dst_split);
  const int first = int(op.dst_base) + channel * int(op.dst_step);
  for (int block = 0; block < blocks; ++block) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
    for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
      memories.features[bank][first + block] = 0;
    }
  }
}

// Masked output channels: no sums, only what stands in for them.
void fill_masked(const Instruction &op, const word_t *params, const ChannelList &masked,
                 Memories &memories) {
  const int blocks = plane_blocks(op.dst_height, op.row_log2);
  for (int i = 0; i < masked.count; ++i) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    if (op.masked_zero && !op.res_enable) {
      clear_channel(op, masked.channel[i], memories);
      continue;
    }
    Record record;
    record.masked_bias = 0;
    record.mult = 0;
    record.shift = acs_isa::SHIFT_MIN;
    if (!op.masked_zero) {
      const uint32_t address = op.weight_addr + uint32_t(masked.index[i]) * op.row_words;
      uint64_t words[RECORD_WORDS];
      for (int j = 0; j < RECORD_WORDS; ++j) {
#pragma HLS PIPELINE II=1
        words[j] = params[address + j].to_uint64();
      }
      record = checked_record(words);
    }
    int32_t acc[LANES];
#pragma HLS ARRAY_PARTITION variable=acc complete
    for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
      acc[lane] = record.masked_bias;
    }
    for (int block = 0; block < blocks; ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
      finish_item(op, record, acc, masked.channel[i], block, memories);
    }
  }
}

// Order of channels: the table of the instruction, or the identity.  False where an entry is too
// large.  `word` is the last word read: the outputs may begin in the one in which the inputs end.
bool read_table(const Instruction &op, const word_t *params, uint32_t first, int count,
                uint64_t &word, uint16_t table[acs_isa::MAX_CHANNELS]) {
  bool valid = true;
  for (int i = 0; i < count; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    if (op.has_table) {
      const uint32_t entry = first + i;
      if (entry % 4 == 0) {
        word = params[op.table_addr + entry / 4].to_uint64();
      }
      table[i] = uint16_t(word >> (16 * (entry % 4)));
    } else {
      table[i] = uint16_t(i);
    }
    valid = valid && table[i] < count;
  }
  return valid;
}

}  // namespace

acs_isa::Status run_conv(const Instruction &op, const word_t *params, Memories &memories,
                         Counters &counters) {
  const int all_inputs = int(op.groups) * int(op.channels_in);
  const int all_outputs = int(op.groups) * int(op.channels);
  const int taps = int(op.kernel) * int(op.kernel);

  uint16_t input_table[acs_isa::MAX_CHANNELS];
  uint16_t output_table[acs_isa::MAX_CHANNELS];
  uint64_t table_word = 0;
  if (!read_table(op, params, 0, all_inputs, table_word, input_table) ||
      !read_table(op, params, all_inputs, all_outputs, table_word, output_table)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  if (op.has_table) {
    counters.read_words += ceil_div(all_inputs + all_outputs, 4);
  }

  uint64_t executed = 0;
  for (int group = 0; group < int(op.groups); ++group) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_GROUPS
    ChannelList inputs;
    ChannelList masked_inputs;
    ChannelList outputs;
    ChannelList masked_outputs;
    const int group_first = group * int(op.channels_in);
    split_channels(memories, op.mask_in, input_table, group_first, op.channels_in, inputs,
                   masked_inputs);
    split_channels(memories, op.mask_out, output_table, group * int(op.channels), op.channels,
                   outputs, masked_outputs);

    convolve_active(op, params, inputs, group_first, outputs, ceil_div(outputs.count, op.chunk),
                    memories, counters.array_iterations);
    fill_masked(op, params, masked_outputs, memories);

    executed += uint64_t(inputs.count) * outputs.count;
    counters.channels_executed += outputs.count;
    counters.channels_skipped += masked_outputs.count;
    counters.read_words += uint64_t(outputs.count) * op.row_words;
    if (!op.masked_zero) {
      counters.read_words += uint64_t(masked_outputs.count) * RECORD_WORDS;
    }
  }
  const uint64_t dense = uint64_t(op.groups) * op.channels_in * op.channels;
  counters.macs_executed += executed * taps * op.pixels;
  counters.macs_skipped += (dense - executed) * taps * op.pixels;
  return acs_isa::STATUS_OK;
}

}  // namespace acs
