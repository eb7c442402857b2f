// The two windows: from segments of the feature memory to the pixels under the lanes.
#pragma once

#include "acs_walker.hpp"

namespace acs {

constexpr int HALVES = 2;
constexpr int WINDOWS = 2;

// The number of a segment in its plane, and the address of a block; both may lie outside.
typedef signed_t<13> segment_number_t;
typedef signed_t<BitsFor<FEATURE_BLOCKS>::value + 2> plane_place_t;
static_assert(acs_isa::MAX_HEIGHT << acs_isa::MAX_ROW_LOG2 < 4096 - 8 * acs_isa::MAX_KERNEL,
              "segments of the largest plane, and of a window around it, have numbers");

// The reads of one iteration: each bank in the block at `address` or in the one behind it, and for
// the second window one block further than that.
struct FeatureReads {
  plane_place_t address;
  bool carry[acs_isa::SEGMENTS];           // by bank: it is the block behind
  bool valid[WINDOWS][acs_isa::SEGMENTS];  // by bank: the window looks there
};

struct FeatureData {
  segment_t segment[HALVES][acs_isa::SEGMENTS];
};

// Where a window's segments lie.
struct Window {
  bool upper[acs_isa::SEGMENTS];  // by bank: the half that holds its segment of the first block
  bool inside[WINDOWS][acs_isa::SEGMENTS];  // by position in the plane: it is not padding
  unsigned_t<3> turn;                       // the bank of the segment that the first lane sees
  unsigned_t<3> part;                       // pixels by which the lanes see their segments moved
  bool before;  // the first lane sees the segment before the block's first
};

// The first window is that of block `block`; the second, one block further, meets the same banks at
// addresses one higher, which are in the other half.  Banks up to the window's first segment have
// addresses one higher than those behind it: three addresses serve all.
inline void plan_windows(const Tap &tap, block_t block, bool second, FeatureReads &reads,
                         Window &window) {
#pragma HLS INLINE
  const int segments = acs_isa::SEGMENTS;
  const segment_number_t first = int(block) * segments + int(tap.dy) * (1 << int(tap.row_log2));
  const segment_number_t start = -int(first);
  const segment_number_t end = (int(tap.rows) << int(tap.row_log2)) - int(first);
  const unsigned_t<3> bank_of_first = (int(first) + int(tap.turn)) & (segments - 1);
  reads.address = int(tap.base) + (int(first) >> 3);
  const bool odd = (int(reads.address) & 1) != 0;

  bool inside[WINDOWS * acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=inside complete
EACH_POSITION:
  for (int i = 0; i < WINDOWS * segments; ++i) {
#pragma HLS UNROLL
    inside[i] = i >= int(start) && i < int(end);
  }
  window.part = unsigned(int(tap.dx) & 7);
  window.before = int(tap.dx) < 0;
  window.turn = unsigned(int(bank_of_first) - (window.before ? 1 : 0)) & 7u;
EACH_SEGMENT:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    window.inside[0][i] = inside[i];
    window.inside[1][i] = inside[segments + i];
  }
EACH_BANK:
  for (int bank = 0; bank < segments; ++bank) {
#pragma HLS UNROLL
    const unsigned_t<3> position = unsigned(bank - int(bank_of_first)) & 7u;
    const bool carry = (int(first) & 7) + int(position) >= segments;
    window.upper[bank] = odd != carry;
    reads.carry[bank] = carry;
    reads.valid[0][bank] = inside[int(position)];
    reads.valid[1][bank] = second && inside[segments + int(position)];
  }
}

// A block as it lies in memory, and nothing else.
inline void plan_block(block_t block, FeatureReads &reads) {
#pragma HLS INLINE
  reads.address = int(block);
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    reads.carry[bank] = false;
    reads.valid[0][bank] = true;
    reads.valid[1][bank] = false;
  }
}

// The only place where the flat loop reads the feature memory.
inline FeatureData read_features(const Memories &memories, const FeatureReads &reads) {
#pragma HLS INLINE
  const plane_place_t next = int(reads.address) + 1;
  const plane_place_t last = int(reads.address) + 2;
  const bool odd = (int(reads.address) & 1) != 0;
  FeatureData data;
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    const bool carry = reads.carry[bank];
    const bool upper = odd != carry;
    // The lower half has the even one of two addresses, the upper half the odd one.
    const plane_place_t place[HALVES] = {int(carry ? last : next) >> 1,
                                         int(carry ? next : reads.address) >> 1};
  EACH_HALF:
    for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
      const bool valid = reads.valid[upper == (half == 1) ? 0 : 1][bank];
      const int address = valid ? int(place[half]) : 0;
      if (valid) {  // of other words nothing is used, so they depend on none
        ACS_PORT_TRACE(half, half * acs_isa::SEGMENTS + bank, read_features, false, address);
      }
      data.segment[half][bank] = memories.half[half][bank][address];
    }
  }
  return data;
}

// The words of one window, by bank, as those of both halves.
inline FeatureData in_both_halves(const segment_t words[acs_isa::SEGMENTS]) {
#pragma HLS INLINE
  FeatureData data;
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    data.segment[0][bank] = words[bank];
    data.segment[1][bank] = words[bank];
  }
  return data;
}

// Keeps the first window's words for the taps behind this one.
inline void keep_words(const FeatureData &data, const Window &window,
                       segment_t kept[acs_isa::SEGMENTS]) {
#pragma HLS INLINE
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    kept[bank] = window.upper[bank] ? data.segment[1][bank] : data.segment[0][bank];
  }
}

// Which lanes see a column from `start` to `end`, in rows of 2^row_log2 segments.
inline void find_columns(int start, int end, int row_log2, bool in_columns[acs_isa::LANES]) {
#pragma HLS INLINE
  const int pixels = acs_isa::SEGMENT_PIXELS;
  bool inside[acs_isa::LANES];
#pragma HLS ARRAY_PARTITION variable=inside complete
EACH_COLUMN:
  for (int column = 0; column < acs_isa::LANES; ++column) {
#pragma HLS UNROLL
    inside[column] = column >= start && column < end;
  }
EACH_LANE:
  for (int lane = 0; lane < acs_isa::LANES; ++lane) {
#pragma HLS UNROLL
    // By the length of a row: 1, 2, 4 or 8 segments.
    const bool choice[acs_isa::MAX_ROW_LOG2 + 1] = {inside[lane % pixels],
                                                    inside[lane % (2 * pixels)],
                                                    inside[lane % (4 * pixels)], inside[lane]};
    in_columns[lane] = choice[row_log2];
  }
}

// The pixels of a window in the order of the lanes.  They turn by whole segments first, then by
// 0..7 pixels, each in choices of four: a choice of four is one look-up table a bit.
inline void shift_window(const FeatureData &data, const Window &window, const Tap &tap, int which,
                         const bool in_columns[acs_isa::LANES],
                         segment_t lanes[acs_isa::SEGMENTS]) {
#pragma HLS INLINE
  const int segments = acs_isa::SEGMENTS;
  const int turn = int(window.turn);
  const int part = int(window.part);

  // The half of each bank, and the turn by one bank.
  segment_t by_one[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=by_one complete
EACH_BANK:
  for (int bank = 0; bank < segments; ++bank) {
#pragma HLS UNROLL
    const int next = (bank + 1) % segments;
    const segment_t choice[4] = {data.segment[0][bank], data.segment[1][bank],
                                 data.segment[0][next], data.segment[1][next]};
    const bool upper = (turn & 1 ? window.upper[next] : window.upper[bank]) != (which == 1);
    by_one[bank] = choice[2 * (turn & 1) + (upper ? 1 : 0)];
  }
  // The turn by two, four and six banks.
  segment_t turned[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=turned complete
  bool inside[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=inside complete
EACH_SEGMENT:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    const segment_t choice[4] = {by_one[i], by_one[(i + 2) % segments], by_one[(i + 4) % segments],
                                 by_one[(i + 6) % segments]};
    turned[i] = choice[turn >> 1];
    // Behind the last position comes the first again: no lane whose column is inside sees it there.
    inside[i] = window.inside[which][window.before ? (i + segments - 1) % segments : i];
  }
  // The move by up to three pixels.
  segment_t moved[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=moved complete
EACH_SEGMENT_2:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    const segment_t low = turned[i];
    const segment_t high = turned[(i + 1) % segments];
    const segment_t choice[4] = {low, low >> 8 | high << 56, low >> 16 | high << 48,
                                 low >> 24 | high << 40};
    moved[i] = choice[part & 3];
  }
  // The move by four, and the padding.
EACH_SEGMENT_3:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    const segment_t by_four = moved[i] >> 32 | moved[(i + 1) % segments] << 32;
    const segment_t pixels = part & 4 ? by_four : moved[i];
    segment_t result = 0;
  EACH_PIXEL:
    for (int j = 0; j < acs_isa::SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
      const int next = (i + 1) % segments;
      const bool valid = (j + part < acs_isa::SEGMENT_PIXELS ? inside[i] : inside[next]) &&
                         in_columns[i * acs_isa::SEGMENT_PIXELS + j];
      result |= segment_t(valid ? byte_of(pixels, j) : tap.pad) << (8 * j);
    }
    lanes[i] = result;
  }
}

}  // namespace acs
