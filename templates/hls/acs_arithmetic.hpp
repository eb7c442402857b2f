// The engine's arithmetic: two multiply-accumulates a DSP, and requantization.
#pragma once

#include "acs_types.hpp"

namespace acs {

// One weight times two pixels in a single multiplier.  |pixel * weight| <= 255 * 127 < 2^15, so the
// low product fits 16 signed bits and splits off exactly; the high one is what remains.
inline void mac2(int pixel_high, int pixel_low, int weight, int32_t &acc_high, int32_t &acc_low) {
#pragma HLS INLINE
  const packed_pixels_t pixels = packed_pixels_t(pixel_high * 65536 + pixel_low);
  const packed_product_t product = pixels * weight_t(weight);
  const int low = int16_t(int32_t(product));
  acc_low += low;
  acc_high += int((product - low) >> 16);
}

// v / 2^shift, rounded half away from zero.
inline int64_t round_shift(int64_t value, int shift) {
#pragma HLS INLINE
  const int64_t half = int64_t(1) << (shift - 1);
  const uint64_t magnitude = uint64_t(value < 0 ? -value : value) + half;
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
inline int64_t combine(int32_t acc, int mult, int residual, int res_mult, int shift) {
#pragma HLS INLINE
  const int64_t scaled = int64_t(acc) * mult;
  const int64_t added = int64_t(residual * res_mult) * (int64_t(1) << (shift - acs_isa::SHIFT_MIN));
  return scaled + added;
}

// The constants of an output channel; a shift outside its range acts as the nearer bound.
inline Record checked_record(const uint64_t words[acs_isa::RECORD_WORDS]) {
#pragma HLS INLINE
  Record record = acs_isa::decode_record(words);
  if (record.shift < unsigned(acs_isa::SHIFT_MIN)) record.shift = acs_isa::SHIFT_MIN;
  if (record.shift > unsigned(acs_isa::SHIFT_MAX)) record.shift = acs_isa::SHIFT_MAX;
  return record;
}

}  // namespace acs
