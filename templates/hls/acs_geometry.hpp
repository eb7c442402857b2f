// The feature memory's geometry: planes, taps, and where a block's pixels are stored.
//
// A plane of H x W pixels is stored row by row, each row in 2^row_log2 segments.  A split map is
// four such planes, one for each parity of row and column, so that a stride-2 tap reads consecutive
// pixels.  In the planes of odd columns the halves of every block are exchanged.
#pragma once

#include "acs_types.hpp"

namespace acs {

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

}  // namespace acs
