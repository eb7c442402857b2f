#include "acs_vectors.hpp"

#include "acs_arithmetic.hpp"
#include "acs_window.hpp"

namespace acs {

namespace {

const int LANES = acs_isa::LANES;
const int SEGMENTS = acs_isa::SEGMENTS;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;
const int WORD_BYTES = acs_isa::WORD_BYTES;
const int WORD_BITS = acs_isa::WORD_BITS;

typedef count_t<2 * LANES * acs_isa::MAX_PIXEL> blocks_sum_t;
typedef count_t<acs_isa::MAX_HEIGHT * acs_isa::MAX_WIDTH * acs_isa::MAX_PIXEL> map_sum_t;

// The stored pixels of two blocks that follow each other, added up; cells outside the map do not
// count.  `left` is the segments of the channel from the first block on.  A signed pixel is added
// with 128 more, so that all sums are of numbers without a sign.
blocks_sum_t add_blocks(const Memories &memories, bool is_signed, const bool in_columns[LANES],
                        int address, int left) {
#pragma HLS INLINE
  uint32_t sums[2 * LANES];
#pragma HLS ARRAY_PARTITION variable=sums complete
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
    // The half that an even address is in holds the first of them, or the second.
    const bool second = (address & 1) != half;
    const int place = (address + (second ? 1 : 0)) >> 1;
  EACH_BANK:
    for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
      const bool in_rows = second ? SEGMENTS + bank < left : bank < left;
      const int read = in_rows ? place : 0;
      ACS_PORT_TRACE(half, half * SEGMENTS + bank, add_blocks, false, read);
      const segment_t segment = memories.half[half][bank][read];
    EACH_PIXEL:
      for (int j = 0; j < acs_isa::SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
        const int lane = bank * acs_isa::SEGMENT_PIXELS + j;
        const unsigned pixel = byte_of(segment, j) ^ (is_signed ? 0x80u : 0u);
        sums[half * LANES + lane] = in_rows && in_columns[lane] ? pixel : 0u;
      }
    }
  }
  // By twos, so that sums are as narrow as can be.
  const int levels = BitsFor<LANES>::value;
EACH_LEVEL:
  for (int level = 0; level < levels; ++level) {
#pragma HLS UNROLL
  EACH_SUM:
    for (int i = 0; i < LANES; ++i) {
#pragma HLS UNROLL
      const int width = LANES >> level;
      if (i < width) sums[i] += sums[width + i];
    }
  }
  return sums[0];
}

// The constants of a row; a shift outside its range acts as the nearer bound.
Record bounded(Record record) {
#pragma HLS INLINE
  if (record.shift < unsigned(acs_isa::SHIFT_MIN)) record.shift = acs_isa::SHIFT_MIN;
  if (record.shift > unsigned(acs_isa::SHIFT_MAX)) record.shift = acs_isa::SHIFT_MAX;
  return record;
}

}  // namespace

void run_gavg(const Instruction &op, const Products &products, Memories &memories) {
  const block_t blocks = unsigned(plane_blocks(int(op.src_height), int(op.row_log2)));
  const int segments = int(op.src_height) << int(op.row_log2);
  // The last numbers, so that the loop's end waits for no sum.
  const block_t final_pair = unsigned((int(blocks) - 1) & ~1);
  const channel_t final_channel = op.channels - channel_t(1);
  // What a channel of signed pixels is added too much.
  const map_sum_t excess = op.src_signed ? unsigned(products.source_pixels) * 128u : 0u;
  bool in_columns[LANES];
#pragma HLS ARRAY_PARTITION variable=in_columns complete
  find_columns(0, int(op.src_width), int(op.row_log2), in_columns);
  const Scale scale = make_scale(op.mult, op.shift);
  channel_t channel = 0;
  block_t block = 0;
  block_t base = unsigned(op.src_base);
  map_sum_t sum = 0;
  uint64_t pending = 0;  // results on their way to a whole word
  bool busy = true;
GAVG:
  while (busy) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_MAP_BLOCKS
    ACS_LOOP(GAVG);
    const bool active = channel_active(memories, 0, int(op.mask_in), int(channel));
    const int left = active ? segments - int(block) * SEGMENTS : 0;
    const blocks_sum_t added =
        add_blocks(memories, op.src_signed, in_columns, int(base) + int(block), left);
    sum = unsigned(block == 0u ? map_sum_t(0) : sum) + unsigned(added);
    if (block != final_pair) {
      block = block + block_t(2);
    } else {
      const bool last = channel == final_channel;
      const acc_t acc = active ? int(sum) - int(excess) : 0;
      const uint8_t value = requantize(acc, scale, 0, 0, op.dst_signed);
      pending |= uint64_t(value) << (8 * (int(channel) % WORD_BYTES));
      if (int(channel) % WORD_BYTES == WORD_BYTES - 1 || last) {
        const int word = int(op.vec_dst) + int(channel) / WORD_BYTES;
        ACS_PORT_TRACE(vectors, 0, run_gavg, true, word);
        memories.vectors[word] = pending;
        pending = 0;
      }
      block = 0;
      base = base + op.src_step;
      channel = channel + channel_t(1);
      busy = !last;
    }
  }
}

void ask_linear(const Instruction &op, const Products &products, params_port params) {
  if (op.linear_mode == unsigned(acs_isa::LINEAR_GATE)) {
    params.read_request(op.threshold_addr, unsigned(ceil_div<2>(int(op.channels))));
  }
  params.read_request(op.weight_addr, unsigned(products.parameter_words));
}

void run_linear(const Instruction &op, const Products &products, params_port params,
                Memories &memories, result_port result, bool &unanswered, bool &decision,
                Deeds &deeds) {
  const int channels = int(op.channels);
  const unsigned_t<16> row_words = op.row_words;
  const int words = int(products.parameter_words);
  const bool gate = op.linear_mode == unsigned(acs_isa::LINEAR_GATE);
  const bool wide = op.linear_mode == unsigned(acs_isa::LINEAR_WIDE);
  const bool table = op.linear_mode == unsigned(acs_isa::LINEAR_SIGMOID);
  const int threshold_words = gate ? ceil_div<2>(channels) : 0;

  // Results for the result buffer leave as they are made, in one burst.
  const int written = gate ? ceil_div<WORD_BITS>(channels) : wide ? ceil_div<2>(channels) : 0;
  if (written > 0) {
    if (unanswered) result.write_response();
    result.write_request(op.result_addr, unsigned(written));
    unanswered = true;
  }

  // Thresholds of a gate, in front of its rows.
  uint64_t thresholds[acs_isa::MAX_CHANNELS / 2];
#pragma HLS BIND_STORAGE variable=thresholds type=ram_s2p impl=bram
  uint64_t record_words[RECORD_WORDS] = {0};
  uint64_t pending = 0;  // results on their way out: eight bytes, two int32, or 64 mask bits
  int32_t sum = 0;
  channel_t output = 0;
  unsigned_t<16> column = 0;
  // A result never lies in the source, so that reads and writes of the vectors are independent.
ROWS:
  for (int i = 0; i < threshold_words + words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=2 max=TRIP_LINEAR_WORDS
#pragma HLS DEPENDENCE variable=memories.vectors type=inter dependent=false
    ACS_LOOP(ROWS);
    const uint64_t word = uint64_t(params.read());
    if (i < threshold_words) {
      ACS_PORT_TRACE(thresholds, 0, run_linear, true, i);
      thresholds[i] = word;
      continue;
    }
    const bool weights = column >= unsigned(RECORD_WORDS);
    const int source = int(op.vec_src) + (weights ? int(column) - RECORD_WORDS : 0);
    ACS_PORT_TRACE(vectors, 0, run_linear, false, source);
    const uint64_t values = memories.vectors[source];
    int dot = 0;
  EACH_BYTE:
    for (int j = 0; j < WORD_BYTES; ++j) {
#pragma HLS UNROLL
      // The part has multipliers to spare for these eight, and no tables.
      const signed_t<17> product =
          int(pixel_value(byte_of(values, j), op.src_signed)) * int8_t(byte_of(word, j));
#pragma HLS BIND_OP variable=product op=mul impl=dsp
      dot += int(product);
    }
    sum = weights ? sum + dot : 0;
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
    ACS_PORT_TRACE(thresholds, 0, run_linear, false, int(output) / 2);
    const uint64_t two = thresholds[int(output) / 2];
    const int32_t threshold = int32_t(uint32_t(two >> (32 * (int(output) % 2))));
    const Rounding rounding = scale_sum(acc_t(acc), scale, 0, 0);
    const uint8_t value = saturate(rounding, table || op.dst_signed);
    const uint8_t looked_up = acs_isa::SIGMOID_TABLE[int8_t(value) + acs_isa::TABLE_SIZE / 2];
    const int per_word = gate ? WORD_BITS : wide ? 2 : WORD_BYTES;
    const int place = int(output) & (per_word - 1);
    const int number = int(output) >> (gate ? 6 : wide ? 1 : 3);
    const uint64_t code = gate   ? uint64_t(acc > threshold)
                          : wide ? uint64_t(uint32_t(round_sum(rounding)))
                                 : uint64_t(table ? looked_up : value);
    if (gate && output == 0u) decision = acc > threshold;
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
        result.write(pending);
      } else {
        ACS_PORT_TRACE(vectors, 0, run_linear, true, int(op.vec_dst) + number);
        memories.vectors[int(op.vec_dst) + number] = pending;
      }
      pending = 0;
    }
    column = 0;
    output = next_output;
  }

  // The bytes of the weights, padding to whole words included.
  const int weight_words = words - channels * RECORD_WORDS;
  deeds.read_words = deeds.read_words + unsigned(words + threshold_words);
  deeds.macs_executed = unsigned(weight_words * WORD_BYTES);
  deeds.written_words = unsigned(written);
}

}  // namespace acs
