// Integers of a stated width.
//
// Synthesis, and any build that defines ACS_AP_TYPES, gives every register exactly its bits.  The
// ordinary C simulation uses the machine's own integers, which hold the same values ten times
// faster: nothing in these sources relies on a register that wraps around.
#pragma once

#include <stdint.h>

#if defined(__SYNTHESIS__) && !defined(ACS_AP_TYPES)
#define ACS_AP_TYPES
#endif

#ifdef ACS_AP_TYPES
#include <ap_int.h>
#endif

namespace acs {

#ifdef ACS_AP_TYPES

template <int BITS>
using unsigned_t = ap_uint<BITS>;
template <int BITS>
using signed_t = ap_int<BITS>;

#else

template <bool WIDE>
struct Native {
  typedef uint32_t Unsigned;
  typedef int32_t Signed;
};
template <>
struct Native<true> {
  typedef uint64_t Unsigned;
  typedef int64_t Signed;
};

template <int BITS>
using unsigned_t = typename Native<(BITS > 32)>::Unsigned;
template <int BITS>
using signed_t = typename Native<(BITS > 32)>::Signed;

#endif

// Bits that hold the numbers 0..LARGEST.
template <uint64_t LARGEST>
struct BitsFor {
  static const int value = 1 + BitsFor<LARGEST / 2>::value;
};
template <>
struct BitsFor<1> {
  static const int value = 1;
};
template <>
struct BitsFor<0> {
  static const int value = 1;
};

// A register that holds the numbers 0..LARGEST.
template <uint64_t LARGEST>
using count_t = unsigned_t<BitsFor<LARGEST>::value>;

}  // namespace acs
