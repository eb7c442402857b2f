#include "acs_copies.hpp"

#include "acs_geometry.hpp"
#include "acs_post.hpp"

namespace acs {

namespace {

const int SEGMENTS = acs_isa::SEGMENTS;

// One segment of a block: every bank is read, and one of the words is chosen.
segment_t read_segment(const Memories &memories, int block, int bank) {
#pragma HLS INLINE
  segment_t words[HALVES * SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=words complete
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
  EACH_SEGMENT:
    for (int i = 0; i < SEGMENTS; ++i) {
#pragma HLS UNROLL
      ACS_PORT_TRACE(half, half * SEGMENTS + i, read_segment, false, block >> 1);
      words[half * SEGMENTS + i] = memories.half[half][i][block >> 1];
    }
  }
  return words[(block & 1) * SEGMENTS + bank];
}

}  // namespace

// A word is a segment of a row.  A split row needs two of them: their even columns make half of a
// segment of one plane, their odd columns one of the next plane, in another bank: four banks on, so
// that one of the two is of the lower four.
void run_load(const Instruction &op, const Products &products, const word_t *image,
              Memories &memories) {
  typedef count_t<acs_isa::MAX_HEIGHT> height_t;
  typedef count_t<acs_isa::SEGMENTS> place_t;
  const int sides = SEGMENTS / ODD_COLUMNS_TURN;
  const place_t row_words = unsigned(ceil_div<acs_isa::WORD_BYTES>(int(op.dst_width)));
  const height_t height = unsigned(op.dst_height);
  const int words = int(products.image_words);
  const block_t split_plane = unsigned(split_plane_blocks(int(op.dst_height), int(op.row_log2)));
  block_t base = unsigned(op.dst_base);
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
    const int bank_of_first = position % SEGMENTS;
    const int plane = int(base) + (op.dst_split && odd_row ? 2 * int(split_plane) : 0);
    const block_t first_block = unsigned(plane + position / SEGMENTS);
    const block_t second_block = first_block + split_plane;
    const segment_t first =
        op.dst_split ? segment_t(every_second(high, 0)) << 32 | every_second(low, 0) : pixels;
    const segment_t second = segment_t(every_second(high, 1)) << 32 | every_second(low, 1);
  EACH_SIDE:
    for (int side = 0; side < sides; ++side) {
#pragma HLS UNROLL
      const bool is_first = bank_of_first / ODD_COLUMNS_TURN == side;
      const segment_t data = is_first ? first : second;
      const block_t block = is_first ? first_block : second_block;
      const bool writes = complete && (is_first || op.dst_split);
    EACH_BANK:
      for (int place = 0; place < ODD_COLUMNS_TURN; ++place) {
#pragma HLS UNROLL
        const int bank = side * ODD_COLUMNS_TURN + place;
      EACH_HALF:
        for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
          if (writes && bank_of_first % ODD_COLUMNS_TURN == place && (int(block) & 1) == half) {
            ACS_PORT_TRACE(half, half * SEGMENTS + bank, run_load, true, int(block) >> 1);
            memories.half[half][bank][int(block) >> 1] = data;
          }
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
        base = base + op.dst_step;
      }
    }
  }
}

void copy_map(const Instruction &op, int base, int words, bool flattens, Memories &memories,
              result_port result) {
COPY:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_TRACE_WORDS
    ACS_LOOP(COPY);
    const segment_t word = read_segment(memories, base + i / SEGMENTS, i % SEGMENTS);
    if (flattens) {
      ACS_PORT_TRACE(vectors, 0, copy_map, true, int(op.vec_dst) + i);
      memories.vectors[int(op.vec_dst) + i] = word;
    } else {
      result.write(word);
    }
  }
}

void trace_vector(const Instruction &op, int words, const Memories &memories, result_port result) {
  const unsigned_t<21> count = unsigned(words);
TRACE_VECTOR:
  for (unsigned_t<21> i = 0; i != count; i = i + 1u) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=VECTOR_WORDS
    ACS_LOOP(TRACE_VECTOR);
    ACS_PORT_TRACE(vectors, 0, trace_vector, false, int(op.vec_dst) + int(i));
    result.write(memories.vectors[int(op.vec_dst) + int(i)]);
  }
}

}  // namespace acs
