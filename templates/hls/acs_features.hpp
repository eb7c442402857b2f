// The feature memory: planes, windows that taps read, blocks written in raster or split layout.
//
// A plane of H x W pixels is stored row by row, each row in 2^row_log2 segments.  A split map is
// four such planes, one for each parity of row and column, so that a stride-2 tap reads consecutive
// pixels.  In the planes of odd columns the halves of every block are exchanged.
#pragma once

#include "acs_types.hpp"

namespace acs {

// Where a map's channel lies, and which of its cells are pixels.
struct Plane {
  int base;      // first block
  int rows;      // valid rows; outside is padding
  int columns;   // valid columns
  int row_log2;  // log2 of segments in a row
  int turn;      // banks by which its segments are displaced
};

// Blocks of a plane with this many rows.
inline int plane_blocks(int rows, int row_log2) {
  return ((rows << row_log2) + acs_isa::SEGMENTS - 1) / acs_isa::SEGMENTS;
}

// Rows in the phase planes of a split map; also columns.
inline int phase_size(int size, int phase) { return (size + 1 - phase) >> 1; }

inline int phase_row_log2(int row_log2) { return row_log2 > 0 ? row_log2 - 1 : 0; }

// Blocks of one phase plane when a raster result of this height is written split.
inline int split_plane_blocks(int height, int row_log2) {
  return plane_blocks(phase_size(height, 0), phase_row_log2(row_log2));
}

// Blocks that one channel of a result takes.
inline int result_blocks(int height, int row_log2, bool split) {
  return split ? 4 * split_plane_blocks(height, row_log2) : plane_blocks(height, row_log2);
}

// How a tap of a convolution or pooling sees its source: which plane, and how far the window moves.
struct Tap {
  Plane plane;
  int dy;
  int dx;
};

Tap locate_tap(const Instruction &op, int channel_base, int ky, int kx);

// The pixels under the lanes of `block`, moved by (dy, dx); cells outside the plane read
// `pad_value`.
void read_window(const Memories &memories, const Tap &tap, int block, uint8_t pad_value,
                 Block &window);

// A whole block, as stored.
void read_block(const Memories &memories, int address, Block &block);

// Writes block number `block` of the raster result of `op`, in the layout the instruction asks for.
void write_block(Memories &memories, const Instruction &op, int channel, int block,
                 const Block &pixels);

// Writes one row segment (or, split, the pair of segments that starts at it) of a raster result.
void write_row_segments(Memories &memories, const Instruction &op, int channel, int row,
                        int segment, segment_t low, segment_t high);

}  // namespace acs
