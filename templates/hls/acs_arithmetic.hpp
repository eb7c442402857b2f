// The engine's arithmetic: two multiply-accumulates a DSP, and requantization.
#pragma once

#include "acs_types.hpp"

namespace acs {

// Bits of the lower product: |pixel * weight| <= 255 * 128 < 2^15.
constexpr int LOW_BITS = 16;

inline packed_pixels_t pair_pixels(pixel_t high, pixel_t low) {
#pragma HLS INLINE
  return packed_pixels_t(int(high) * (1 << LOW_BITS) + int(low));
}

// One weight times two pixels.  A negative lower product borrows from the upper one.  With half of
// the upper one's unit added, which is an addend of the multiplier's own adder, nothing is
// borrowed, and both split off by wires.
inline void multiply_pair(packed_pixels_t pixels, weight_t weight, product_t &high,
                          product_t &low) {
#pragma HLS INLINE
  const packed_product_t product = pixels * weight;
#pragma HLS BIND_OP variable=product op=mul impl=dsp
  const packed_product_t moved = product + (1 << (LOW_BITS - 1));
  low = int16_t(uint16_t(unsigned(moved) ^ (1u << (LOW_BITS - 1))));
  high = int32_t(moved >> LOW_BITS);
}

// Requantization divides by 2^shift, SHIFT_MIN <= shift <= SHIFT_MAX.  The residual's multiplier
// has SHIFT_MIN fraction bits, so that the scaled sum is first shifted by the rest; then both are
// added and rounded once.
constexpr int SHIFT_BEYOND = acs_isa::SHIFT_MAX - acs_isa::SHIFT_MIN;

// The factor of a channel, made ready for all of its pixels.
struct Scale {
  unsigned_t<16> mult;
  count_t<SHIFT_BEYOND> beyond;      // of its shift, beyond SHIFT_MIN
  unsigned_t<SHIFT_BEYOND> dropped;  // the bits that this shift drops, as a mask
};

inline Scale make_scale(unsigned_t<16> mult, unsigned_t<6> shift) {
#pragma HLS INLINE
  Scale scale;
  scale.mult = mult;
  scale.beyond = unsigned(int(shift) - acs_isa::SHIFT_MIN);
  scale.dropped = (uint32_t(1) << int(scale.beyond)) - 1;
  return scale;
}

// (acc * mult / 2^beyond + residual * res_mult) / 2^SHIFT_MIN, in two parts: rounded towards minus
// infinity, and whether one is to be added so that it is rounded half away from zero.
struct Rounding {
  signed_t<35> whole;
  bool up;
};

// 32 x 16 bits give 48; with a residual of 9 + 16 bits the sum has 49.
inline Rounding scale_sum(acc_t acc, const Scale &scale, pixel_t residual,
                          unsigned_t<16> res_mult) {
#pragma HLS INLINE
  const signed_t<48> scaled = int64_t(acc) * int64_t(scale.mult);
  const signed_t<48> shifted = int64_t(scaled) >> int(scale.beyond);
  const bool exact = (uint64_t(int64_t(scaled)) & uint64_t(scale.dropped)) == 0;
  const signed_t<25> added = int(residual) * int(res_mult);
  const signed_t<49> value = int64_t(shifted) + int64_t(added);
  const uint64_t bits = uint64_t(int64_t(value));
  const uint64_t half = uint64_t(1) << (acs_isa::SHIFT_MIN - 1);
  // A negative number that lies exactly between two whole ones goes to the lower.
  const bool between = exact && (bits & (half - 1)) == 0;
  Rounding rounding;
  rounding.whole = int64_t(value) >> acs_isa::SHIFT_MIN;
  rounding.up = (bits & half) != 0 && !(int64_t(value) < 0 && between);
  return rounding;
}

// The whole number, 32 bits of it.
inline int32_t round_sum(const Rounding &rounding) {
#pragma HLS INLINE
  return int32_t(uint32_t(uint64_t(int64_t(rounding.whole))) + (rounding.up ? 1u : 0u));
}

// Saturated to 8 bits.  Saturating an unsigned result at zero is the ReLU.
inline uint8_t saturate(const Rounding &rounding, bool is_signed) {
#pragma HLS INLINE
  // Nearer bounds first, so that what follows is narrow.
  const int64_t whole = int64_t(rounding.whole);
  const signed_t<10> near = int(whole < -512 ? -512 : whole > 511 ? 511 : whole);
  const signed_t<11> rounded = int(near) + (rounding.up ? 1 : 0);
  const int low = is_signed ? -128 : 0;
  const int high = is_signed ? 127 : 255;
  return uint8_t(int(rounded) < low ? low : int(rounded) > high ? high : int(rounded));
}

inline uint8_t requantize(acc_t acc, const Scale &scale, pixel_t residual, unsigned_t<16> res_mult,
                          bool is_signed) {
#pragma HLS INLINE
  return saturate(scale_sum(acc, scale, residual, res_mult), is_signed);
}

}  // namespace acs
