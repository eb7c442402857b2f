#include "acs_map_ops.hpp"

#include "acs_arithmetic.hpp"
#include "acs_channels.hpp"
#include "acs_features.hpp"

namespace acs {

namespace {

const int LANES = acs_isa::LANES;
const int MAX_KERNEL = acs_isa::MAX_KERNEL;
const int SEGMENTS = acs_isa::SEGMENTS;
const int WORD_BYTES = acs_isa::WORD_BYTES;

void fill_block(uint8_t value, Block &block) {
#pragma HLS INLINE
  for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    block.pixel[lane] = value;
  }
}

}  // namespace

void run_load(const Instruction &op, const word_t *image, Memories &memories, Counters &counters) {
  const int row_words = ceil_div(op.dst_width, WORD_BYTES);
  uint32_t address = 0;
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_IMAGE_CHANNELS
    for (int row = 0; row < int(op.dst_height); ++row) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_IMAGE_ROWS
      segment_t low = 0;
      for (int segment = 0; segment < row_words; ++segment) {
#pragma HLS PIPELINE II=2
#pragma HLS LOOP_TRIPCOUNT min=1 max=SEGMENTS
        const segment_t pixels = image[address++].to_uint64();
        if (!op.dst_split) {
          write_row_segments(memories, op, channel, row, segment, pixels, 0);
        } else if (segment % 2 == 1) {
          write_row_segments(memories, op, channel, row, segment - 1, low, pixels);
        } else if (segment == row_words - 1) {
          write_row_segments(memories, op, channel, row, segment, pixels, 0);
        }
        low = pixels;
      }
    }
  }
  counters.read_words += address;
}

void run_eltwise(const Instruction &op, Memories &memories) {
  const int blocks = plane_blocks(op.dst_height, op.row_log2);
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    const bool active = channel_active(memories, op.mask_in, channel) &&
                        channel_active(memories, op.mask_out, channel);
    for (int block = 0; block < blocks; ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
      Block source;
      Block residual;
      Block pixels;
      fill_block(0, source);
      fill_block(0, residual);
      if (active) {
        read_block(memories, int(op.src_base) + channel * int(op.src_step) + block, source);
      }
      if (op.res_enable) {
        read_block(memories, int(op.res_base) + channel * int(op.res_step) + block, residual);
      }
      for (int slice = 0; slice < LANES; slice += POST_LANES) {
#pragma HLS PIPELINE II=1
        for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
          const int lane = slice + i;
          const int64_t value =
              combine(pixel_value(source.pixel[lane], op.src_signed), op.mult,
                      pixel_value(residual.pixel[lane], op.res_signed), op.res_mult, op.shift);
          pixels.pixel[lane] = requantize(value, op.shift, op.dst_signed);
        }
      }
      write_block(memories, op, channel, block, pixels);
    }
  }
}

void run_pool(const Instruction &op, Memories &memories) {
  const int blocks = plane_blocks(op.dst_height, op.row_log2);
  // Padding must not win a maximum, and must not count in a sum.
  const uint8_t pad_value = op.pool_max && op.src_signed ? 0x80 : 0;
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    const bool active = channel_active(memories, op.mask_in, channel);
    for (int block = 0; block < blocks; ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
      int32_t best[LANES];
      int32_t sum[LANES];
#pragma HLS ARRAY_PARTITION variable=best complete
#pragma HLS ARRAY_PARTITION variable=sum complete
      for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
        best[lane] = active ? pixel_value(pad_value, op.src_signed) : 0;
        sum[lane] = 0;
      }
      if (active) {
        for (int ky = 0; ky < int(op.kernel); ++ky) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=MAX_KERNEL
          for (int kx = 0; kx < int(op.kernel); ++kx) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=MAX_KERNEL
            Block window;
#pragma HLS ARRAY_PARTITION variable=window.pixel complete
            const Tap tap = locate_tap(op, int(op.src_base) + channel * int(op.src_step), ky, kx);
            read_window(memories, tap, block, pad_value, window);
            for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
              const int pixel = pixel_value(window.pixel[lane], op.src_signed);
              best[lane] = pixel > best[lane] ? pixel : best[lane];
              sum[lane] += pixel;
            }
          }
        }
      }
      Block pixels;
      for (int slice = 0; slice < LANES; slice += POST_LANES) {
#pragma HLS PIPELINE II=1
        for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
          const int lane = slice + i;
          if (op.pool_max) {
            pixels.pixel[lane] = uint8_t(best[lane]);
          } else {
            pixels.pixel[lane] =
                requantize(int64_t(sum[lane]) * int(op.mult), op.shift, op.dst_signed);
          }
        }
      }
      write_block(memories, op, channel, block, pixels);
    }
  }
}

void run_scale(const Instruction &op, Memories &memories) {
  const int blocks = plane_blocks(op.dst_height, op.row_log2);
  for (int channel = 0; channel < int(op.channels); ++channel) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    const bool active = channel_active(memories, op.mask_in, channel);
    const int factor =
        byte_of(memories.vectors[op.vec_src + channel / WORD_BYTES], channel % WORD_BYTES);
    for (int block = 0; block < blocks; ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_BLOCKS
      Block source;
      Block pixels;
      fill_block(0, source);
      if (active) {
        read_block(memories, int(op.src_base) + channel * int(op.src_step) + block, source);
      }
      for (int slice = 0; slice < LANES; slice += POST_LANES) {
#pragma HLS PIPELINE II=1
        for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
          const int lane = slice + i;
          const int scaled = pixel_value(source.pixel[lane], op.src_signed) * factor;
          pixels.pixel[lane] = requantize(int64_t(scaled) * int(op.mult), op.shift, op.dst_signed);
        }
      }
      write_block(memories, op, channel, block, pixels);
    }
  }
}

void trace_map(const Instruction &op, int channels, const Memories &memories, word_t *result,
               Counters &counters) {
  const int blocks = channels * int(op.dst_step);
  uint32_t address = op.trace_addr;
  for (int block = 0; block < blocks; ++block) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=FEATURE_BLOCKS
    for (int bank = 0; bank < SEGMENTS; ++bank) {
#pragma HLS PIPELINE II=1
      result[address++] = memories.features[bank][op.dst_base + block];
    }
  }
  counters.written_words += uint64_t(blocks) * SEGMENTS;
}

}  // namespace acs
