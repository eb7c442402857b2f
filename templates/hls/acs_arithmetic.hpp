// The engine's arithmetic: two multiply-accumulates a DSP, and requantization.
#pragma once

#include "acs_types.hpp"

namespace acs {

inline packed_pixels_t pair_pixels(int high, int low) {
#pragma HLS INLINE
  return packed_pixels_t(high * 65536 + low);
}

// One weight times two pixels.  |pixel * weight| <= 255 * 128 < 2^15, so the low product fits 16
// signed bits and splits off exactly; the high one is what remains.
inline void multiply_pair(packed_pixels_t pixels, weight_t weight, int &high, int &low) {
#pragma HLS INLINE
  const packed_product_t product = pixels * weight;
#pragma HLS BIND_OP variable=product op=mul impl=dsp
  low = int16_t(int32_t(product));
  high = int32_t((product - low) >> 16);
}

// v / 2^shift, rounded half away from zero.
inline int64_t round_shift(int64_t value, int shift) {
#pragma HLS INLINE
  const int64_t half = int64_t(1) << (shift - 1);
  const uint64_t magnitude = uint64_t(value < 0 ? -value : value) + uint64_t(half);
  const int64_t rounded = int64_t(magnitude >> shift);
  return value < 0 ? -rounded : rounded;
}

// Rounded and saturated to 8 bits.  Saturating an unsigned result at zero is the ReLU.
inline uint8_t requantize(int64_t value, int shift, bool is_signed) {
#pragma HLS INLINE
  const int64_t rounded = round_shift(value, shift);
  const int low = is_signed ? -128 : 0;
  const int high = is_signed ? 127 : 255;
  return uint8_t(rounded < low ? low : rounded > high ? high : int(rounded));
}

// An accumulator and its residual on one scale, before the shift.  The residual multiplier has
// SHIFT_MIN fraction bits, so it is moved up to the channel's shift and both are rounded once.
// 32 x 17 bits give 49, the residual 8 + 16 + (SHIFT_MAX - SHIFT_MIN) = 48: the sum has 50.
inline int64_t combine(acc_t acc, unsigned_t<16> mult, signed_t<9> residual,
                       unsigned_t<16> res_mult, int shift) {
#pragma HLS INLINE
  const int64_t scaled = int64_t(acc) * int64_t(mult);
  const int64_t added =
      int64_t(int(residual) * int(res_mult)) * (int64_t(1) << (shift - acs_isa::SHIFT_MIN));
  return scaled + added;
}

}  // namespace acs
