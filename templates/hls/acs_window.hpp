// The two windows: from segments of the feature memory to the pixels under the lanes.
#pragma once

#include "acs_walker.hpp"

namespace acs {

constexpr int HALVES = 2;
constexpr int WINDOWS = 2;

// The reads of one iteration: an address for each bank of each half.
struct FeatureReads {
  bool valid[HALVES][acs_isa::SEGMENTS];
  int address[HALVES][acs_isa::SEGMENTS];
};

struct FeatureData {
  segment_t segment[HALVES][acs_isa::SEGMENTS];
};

// Where a window's segments lie.
struct Window {
  int first;                    // its first segment in the plane, turn included, modulo a block
  bool odd[acs_isa::SEGMENTS];  // by bank: the half that holds its segment of the first block
  bool valid[WINDOWS][acs_isa::SEGMENTS];  // by bank: the segment is not padding
};

// The first window is that of block `block`; the second, one block further, meets the same banks at
// addresses one higher, which are in the other half.
inline void plan_windows(const Job &job, const Tap &tap, int block, bool second,
                         FeatureReads &reads, Window &window) {
#pragma HLS INLINE
  const int row_log2 = int(job.op.row_log2);
  const int segments = acs_isa::SEGMENTS;
  const int first = block * segments + tap.dy * (1 << row_log2);
  const int end = tap.rows << row_log2;
  window.first = (first + tap.turn) & (segments - 1);
EACH_BANK:
  for (int bank = 0; bank < segments; ++bank) {
#pragma HLS UNROLL
    const int segment = first + ((bank - window.first) & (segments - 1));
    const int address = tap.base + (segment >> 3);
    const bool odd = address & 1;
    const bool valid_a = segment >= 0 && segment < end;
    const bool valid_b = second && segment + segments >= 0 && segment + segments < end;
    window.odd[bank] = odd;
    window.valid[0][bank] = valid_a;
    window.valid[1][bank] = valid_b;
    reads.valid[odd ? 1 : 0][bank] = valid_a;
    reads.valid[odd ? 0 : 1][bank] = valid_b;
    reads.address[odd ? 1 : 0][bank] = address >> 1;
    reads.address[odd ? 0 : 1][bank] = (address + 1) >> 1;
  }
}

// A block as it is stored, for a residual.
inline void plan_block(int address, FeatureReads &reads) {
#pragma HLS INLINE
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    reads.valid[0][bank] = (address & 1) == 0;
    reads.valid[1][bank] = (address & 1) == 1;
    reads.address[0][bank] = address >> 1;
    reads.address[1][bank] = address >> 1;
  }
}

// The only place where the flat loop reads the feature memory.
inline FeatureData read_features(const Memories &memories, const FeatureReads &reads) {
#pragma HLS INLINE
  FeatureData data;
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
  EACH_BANK:
    for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
      const int address = reads.valid[half][bank] ? reads.address[half][bank] : 0;
      if (reads.valid[half][bank]) {  // of other words nothing is used, so they depend on none
        ACS_PORT_TRACE(half, half * acs_isa::SEGMENTS + bank, read_features, false, address);
      }
      data.segment[half][bank] = memories.half[half][bank][address];
    }
  }
  return data;
}

// Which lanes see a pixel: those whose column, moved by the tap, is inside the plane.
inline void find_columns(const Job &job, const Tap &tap, segment_t in_columns[acs_isa::SEGMENTS]) {
#pragma HLS INLINE
  const int pixels = acs_isa::SEGMENT_PIXELS;
  const int column_mask = (pixels << int(job.op.row_log2)) - 1;
EACH_SEGMENT:
  for (int i = 0; i < acs_isa::SEGMENTS; ++i) {
#pragma HLS UNROLL
    segment_t bytes = 0;
  EACH_PIXEL:
    for (int j = 0; j < pixels; ++j) {
#pragma HLS UNROLL
      const int column = ((i * pixels + j) & column_mask) + tap.dx;
      const bool valid = column >= 0 && column < tap.columns;
      bytes |= segment_t(valid ? 0xFF : 0) << (8 * j);
    }
    in_columns[i] = bytes;
  }
}

// The pixels of a window in the order of the lanes.  They turn by whole segments first, then by
// 0..7 pixels: two choices of eight a bit in place of one of sixty-four.
inline void shift_window(const FeatureData &data, const Window &window, const Tap &tap, int which,
                         const segment_t in_columns[acs_isa::SEGMENTS],
                         segment_t lanes[acs_isa::SEGMENTS]) {
#pragma HLS INLINE
  const int segments = acs_isa::SEGMENTS;
  const segment_t padding = segment_t(tap.pad) * 0x0101010101010101ull;
  segment_t turned[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=turned complete
  segment_t padded[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=padded complete
EACH_BANK:
  for (int bank = 0; bank < segments; ++bank) {
#pragma HLS UNROLL
    const bool upper = window.odd[bank] != (which == 1);
    padded[bank] = window.valid[which][bank] ? data.segment[upper ? 1 : 0][bank] : padding;
  }
  const int whole = tap.dx >> 3;  // -1 or 0
  const int part = tap.dx & 7;
EACH_SEGMENT:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    turned[i] = padded[(window.first + i + whole) & (segments - 1)];
  }
EACH_SEGMENT_2:
  for (int i = 0; i < segments; ++i) {
#pragma HLS UNROLL
    const segment_t next = turned[(i + 1) & (segments - 1)];
    const segment_t moved =
        part == 0 ? turned[i] : turned[i] >> (8 * part) | next << (64 - 8 * part);
    lanes[i] = (moved & in_columns[i]) | (padding & ~in_columns[i]);
  }
}

}  // namespace acs
