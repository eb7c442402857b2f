#include "acs_copies.hpp"

#include "acs_geometry.hpp"
#include "acs_post.hpp"

namespace acs {

namespace {

const int SEGMENTS = acs_isa::SEGMENTS;

// One segment of a block.
segment_t read_segment(const Memories &memories, int block, int bank) {
#pragma HLS INLINE
  segment_t found = 0;
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
  EACH_SEGMENT:
    for (int i = 0; i < SEGMENTS; ++i) {
#pragma HLS UNROLL
      if (half == (block & 1) && i == bank) {
        ACS_PORT_TRACE(half, half * SEGMENTS + i, read_segment, false, block >> 1);
        found = memories.half[half][i][block >> 1];
      }
    }
  }
  return found;
}

}  // namespace

// A word is a segment of a row.  A split row needs two of them: their even columns make half of a
// segment of one plane, their odd columns one of the next plane, in another bank.
void run_load(const Instruction &op, const word_t *image, Memories &memories, Counters &counters) {
  typedef count_t<acs_isa::MAX_HEIGHT> height_t;
  typedef count_t<acs_isa::SEGMENTS> place_t;
  const place_t row_words = unsigned(ceil_div<acs_isa::WORD_BYTES>(int(op.dst_width)));
  const height_t height = unsigned(op.dst_height);
  const int words = int(op.channels) * int(height) * int(row_words);
  const int split_plane = split_plane_blocks(int(op.dst_height), int(op.row_log2));
  int base = int(op.dst_base);
  height_t row = 0;
  place_t segment = 0;
  segment_t before = 0;
  ACS_BURST(words);
LOAD:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_IMAGE_WORDS
#pragma HLS DEPENDENCE variable=memories.half type=inter dependent=false
    ACS_LOOP(LOAD);
    const segment_t pixels = uint64_t(image[i]);
    const bool last = segment + place_t(1) == row_words;
    const bool odd = (int(segment) & 1) != 0;
    const bool odd_row = (int(row) & 1) != 0;
    const segment_t low = odd ? before : pixels;
    const segment_t high = odd ? pixels : segment_t(0);
    const int position =
        op.dst_split ? ((int(row) >> 1) << phase_row_log2(int(op.row_log2))) + (int(segment) >> 1)
                     : (int(row) << int(op.row_log2)) + int(segment);
    const bool complete = !op.dst_split || odd || last;
    const int plane = base + (op.dst_split && odd_row ? 2 * split_plane : 0);
  EACH_BANK:
    for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
      const bool even_bank = bank == position % SEGMENTS;
      const bool odd_bank = op.dst_split && bank == (position + ODD_COLUMNS_TURN) % SEGMENTS;
      const segment_t data = !op.dst_split ? pixels
                                           : segment_t(every_second(high, odd_bank ? 1 : 0)) << 32 |
                                                 every_second(low, odd_bank ? 1 : 0);
      const int address = plane + (odd_bank ? split_plane : 0) + position / SEGMENTS;
    EACH_HALF:
      for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
        if (complete && (even_bank || odd_bank) && (address & 1) == half) {
          ACS_PORT_TRACE(half, half * SEGMENTS + bank, run_load, true, address >> 1);
          memories.half[half][bank][address >> 1] = data;
        }
      }
    }
    before = pixels;
    if (!last) {
      segment = segment + place_t(1);
    } else {
      segment = 0;
      if (row + height_t(1) != height) {
        row = row + height_t(1);
      } else {
        row = 0;
        base += int(op.dst_step);
      }
    }
  }
  counters.read_words += uint64_t(words);
}

void run_flatten(const Instruction &op, Memories &memories) {
  const int words = int(op.channels) * int(op.src_step) * SEGMENTS;
FLATTEN:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=VECTOR_WORDS
    ACS_LOOP(FLATTEN);
    ACS_PORT_TRACE(vectors, 0, run_flatten, true, int(op.vec_dst) + i);
    memories.vectors[int(op.vec_dst) + i] =
        read_segment(memories, int(op.src_base) + i / SEGMENTS, i % SEGMENTS);
  }
}

void trace_map(const Instruction &op, const Memories &memories, result_port result,
               Counters &counters) {
  const int words = int(result_channels(op)) * int(op.dst_step) * SEGMENTS;
  if (words == 0) return;  // channels without a distance: the check lets them pass
  result.write_request(op.trace_addr, unsigned(words));
TRACE_MAP:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_TRACE_WORDS
    ACS_LOOP(TRACE_MAP);
    result.write(read_segment(memories, int(op.dst_base) + i / SEGMENTS, i % SEGMENTS));
  }
  result.write_response();
  counters.written_words += uint64_t(words);
}

void trace_vector(const Instruction &op, int words, const Memories &memories, result_port result,
                  Counters &counters) {
  result.write_request(op.trace_addr, unsigned(words));
TRACE_VECTOR:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=VECTOR_WORDS
    ACS_LOOP(TRACE_VECTOR);
    ACS_PORT_TRACE(vectors, 0, trace_vector, false, int(op.vec_dst) + i);
    result.write(memories.vectors[int(op.vec_dst) + i]);
  }
  result.write_response();
  counters.written_words += uint64_t(words);
}

}  // namespace acs
