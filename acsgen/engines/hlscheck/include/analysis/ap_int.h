// ap_int and ap_uint for analysis: machine integers that are cut to their bits at every assignment.
//
// LLVM then sees the operators of the C++ and a mask behind each of them, from which the width of
// the register is known.  The type headers for simulation keep words of any length in loops, which
// would hide the operators.  Arithmetic is done in a type that holds every result of narrower
// numbers.
#ifndef ACS_ANALYSIS_AP_INT_H
#define ACS_ANALYSIS_AP_INT_H

#include <stdint.h>

namespace acs_analysis {

template <bool SMALL, bool UNSIGNED_64>
struct Machine {
  typedef int64_t type;
};
template <>
struct Machine<true, false> {
  typedef int32_t type;
};
template <>
struct Machine<false, true> {
  typedef uint64_t type;
};

template <int BITS, bool SIGNED>
struct Number {
  static_assert(BITS >= 1 && BITS <= 64, "registers have up to 64 bits");

  typedef
      typename Machine<(BITS < 32 || (SIGNED && BITS == 32)), (!SIGNED && BITS == 64)>::type type;
  static const int SPARE = 8 * int(sizeof(type)) - BITS;

  type value;

  Number() {}
  template <typename T>
  Number(T number) : value(cut(type(number))) {}

  static type cut(type number) {
    if (SPARE == 0) return number;
    if (!SIGNED) return type(uint64_t(number) & (~uint64_t(0) >> (64 - BITS)));
    return type(type(uint64_t(number) << (SPARE & 63)) >> SPARE);
  }

  operator type() const { return value; }
  uint64_t to_uint64() const { return uint64_t(value); }
  int64_t to_int64() const { return int64_t(value); }
  int to_int() const { return int(value); }
  unsigned to_uint() const { return unsigned(value); }

  type range(int high, int low) const {
    return type((uint64_t(value) >> low) & (~uint64_t(0) >> (63 - (high - low))));
  }
  bool operator[](int bit) const { return uint64_t(value) >> bit & 1; }

  Number &operator++() { return *this = Number(value + 1); }
  Number &operator--() { return *this = Number(value - 1); }
  Number operator++(int) {
    const Number before = *this;
    ++*this;
    return before;
  }
  Number operator--(int) {
    const Number before = *this;
    --*this;
    return before;
  }

#define ACS_ANALYSIS_ASSIGN(OPERATOR)                        \
  template <typename T>                                      \
  Number &operator OPERATOR##=(const T & other) {            \
    return *this = Number(type(value OPERATOR type(other))); \
  }
  ACS_ANALYSIS_ASSIGN(+)
  ACS_ANALYSIS_ASSIGN(-)
  ACS_ANALYSIS_ASSIGN(*)
  ACS_ANALYSIS_ASSIGN(/)
  ACS_ANALYSIS_ASSIGN(%)
  ACS_ANALYSIS_ASSIGN(&)
  ACS_ANALYSIS_ASSIGN(|)
  ACS_ANALYSIS_ASSIGN(^)
  ACS_ANALYSIS_ASSIGN(<<)
  ACS_ANALYSIS_ASSIGN(>>)
#undef ACS_ANALYSIS_ASSIGN
};

}  // namespace acs_analysis

template <int BITS>
using ap_uint = acs_analysis::Number<BITS, false>;
template <int BITS>
using ap_int = acs_analysis::Number<BITS, true>;

#endif
