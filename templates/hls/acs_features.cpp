#include "acs_features.hpp"

namespace acs {

namespace {

const int SEGMENTS = acs_isa::SEGMENTS;
const int SEGMENT_PIXELS = acs_isa::SEGMENT_PIXELS;

// Both halves of a split row are written at once when they lie in different banks.
const int ODD_COLUMNS_TURN = SEGMENTS / 2;

// The four pixels of one parity out of eight.
uint32_t every_second(segment_t segment, int parity) {
#pragma HLS INLINE
  uint32_t half = 0;
  for (int i = 0; i < SEGMENT_PIXELS / 2; ++i) {
#pragma HLS UNROLL
    half |= uint32_t(byte_of(segment, 2 * i + parity)) << (8 * i);
  }
  return half;
}

}  // namespace

Tap locate_tap(const Instruction &op, int channel_base, int ky, int kx) {
#pragma HLS INLINE
  const int y = ky - int(op.pad);
  const int x = kx - int(op.pad);
  Tap tap;
  tap.plane.row_log2 = op.row_log2;
  tap.plane.turn = 0;
  if (op.stride == 1) {
    tap.plane.base = channel_base;
    tap.plane.rows = op.src_height;
    tap.plane.columns = op.src_width;
    tap.dy = y;
    tap.dx = x;
  } else {
    const int phase_y = y & 1;
    const int phase_x = x & 1;
    tap.plane.base = channel_base + (2 * phase_y + phase_x) * int(op.src_plane);
    tap.plane.rows = phase_size(op.src_height, phase_y);
    tap.plane.columns = phase_size(op.src_width, phase_x);
    tap.plane.turn = phase_x * ODD_COLUMNS_TURN;
    tap.dy = y >> 1;
    tap.dx = x >> 1;
  }
  return tap;
}

void read_window(const Memories &memories, const Tap &tap, int block, uint8_t pad_value,
                 Block &window) {
#pragma HLS INLINE
  const int row_log2 = tap.plane.row_log2;
  const int first = block * SEGMENTS + tap.dy * (1 << row_log2);
  const int turn = tap.plane.turn;

  // Every bank holds exactly one of the eight segments; where the window starts tells which one.
  segment_t bank_data[SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=bank_data complete
  bool bank_valid[SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=bank_valid complete
  for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
    const int segment = first + ((bank - turn - first) & (SEGMENTS - 1));
    const bool valid = segment >= 0 && (segment >> row_log2) < tap.plane.rows;
    bank_valid[bank] = valid;
    bank_data[bank] = memories.features[bank][valid ? tap.plane.base + segment / SEGMENTS : 0];
  }

  // Rotate the segments to their lanes; rows outside the plane are padding.
  uint8_t row_pixels[acs_isa::LANES];
#pragma HLS ARRAY_PARTITION variable=row_pixels complete
  for (int i = 0; i < SEGMENTS; ++i) {
#pragma HLS UNROLL
    const int bank = (first + i + turn) & (SEGMENTS - 1);
    for (int j = 0; j < SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
      row_pixels[i * SEGMENT_PIXELS + j] =
          bank_valid[bank] ? byte_of(bank_data[bank], j) : pad_value;
    }
  }

  // Move along the row; columns outside the plane are padding.
  const int column_mask = (SEGMENT_PIXELS << row_log2) - 1;
  for (int lane = 0; lane < acs_isa::LANES; ++lane) {
#pragma HLS UNROLL
    const int column = (lane & column_mask) + tap.dx;
    const bool valid = column >= 0 && column < tap.plane.columns;
    window.pixel[lane] = valid ? row_pixels[(lane + tap.dx) & (acs_isa::LANES - 1)] : pad_value;
  }
}

void read_block(const Memories &memories, int address, Block &block) {
#pragma HLS INLINE
  for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
    const segment_t segment = memories.features[bank][address];
    for (int j = 0; j < SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
      block.pixel[bank * SEGMENT_PIXELS + j] = byte_of(segment, j);
    }
  }
}

void write_row_segments(Memories &memories, const Instruction &op, int channel, int row,
                        int segment, segment_t low, segment_t high) {
#pragma HLS INLINE
  const int base = int(op.dst_base) + channel * int(op.dst_step);
  if (!op.dst_split) {
    const int position = (row << op.row_log2) + segment;
    memories.features[position % SEGMENTS][base + position / SEGMENTS] = low;
    return;
  }
  const int position = ((row >> 1) << phase_row_log2(op.row_log2)) + (segment >> 1);
  const int plane = split_plane_blocks(op.dst_height, op.row_log2);
  for (int parity = 0; parity < 2; ++parity) {
    const int phase_base = base + (2 * (row & 1) + parity) * plane;
    memories.features[(position + parity * ODD_COLUMNS_TURN) % SEGMENTS]
                     [phase_base + position / SEGMENTS] =
        segment_t(every_second(high, parity)) << 32 | every_second(low, parity);
  }
}

void write_block(Memories &memories, const Instruction &op, int channel, int block,
                 const Block &pixels) {
  segment_t segments[SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=segments complete
  for (int i = 0; i < SEGMENTS; ++i) {
#pragma HLS UNROLL
    segment_t packed = 0;
    for (int j = 0; j < SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
      packed |= segment_t(pixels.pixel[i * SEGMENT_PIXELS + j]) << (8 * j);
    }
    segments[i] = packed;
  }

  if (!op.dst_split) {
    const int address = int(op.dst_base) + channel * int(op.dst_step) + block;
    for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS UNROLL
      memories.features[bank][address] = segments[bank];
    }
    return;
  }

  // Split: a row's segments go in pairs to the two planes of the row's parity, of even columns and
  // of odd columns.
  const int pair = op.row_log2 > 0 ? 2 : 1;
  for (int i = 0; i < SEGMENTS; i += pair) {
#pragma HLS LOOP_TRIPCOUNT min=4 max=8
    const int position = block * SEGMENTS + i;
    const int row = position >> op.row_log2;
    if (row < int(op.dst_height)) {
      const int segment = position & ((1 << op.row_log2) - 1);
      write_row_segments(memories, op, channel, row, segment, segments[i],
                         pair == 2 ? segments[i + 1] : segment_t(0));
    }
  }
}

}  // namespace acs
