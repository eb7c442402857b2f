// Types shared by the engine's units, and its on-chip memories.
#pragma once

#include "acs_config.hpp"
#include "acs_probe.hpp"
#include "acs_widths.hpp"

namespace acs {

using acs_isa::Instruction;
using acs_isa::Record;

// A word of memory, as the AXI ports carry it.
typedef unsigned_t<64> word_t;

// Eight pixels, as a bank of the feature memory holds them; pixel i in bits 8*i+7..8*i.
typedef uint64_t segment_t;

// The operands and the result of one 25x18 multiplier: two pixels side by side, a weight, two
// products.  The C simulation uses 32 bits, which hold the same values: (255 * 2^16 + 255) * 128 <
// 2^31.
#ifdef ACS_AP_TYPES
typedef ap_int<25> packed_pixels_t;
typedef ap_int<9> weight_t;
typedef ap_int<33> packed_product_t;
typedef ap_int<17> product_t;
#else
typedef int32_t packed_pixels_t;
typedef int32_t weight_t;
typedef int32_t packed_product_t;
typedef int32_t product_t;
#endif

// Registers, by the things that they count.
typedef count_t<acs_isa::MAX_CHANNELS> channel_t;  // channels; 0..MAX_CHANNELS
typedef count_t<acs_isa::MAX_CHUNK> row_t;         // rows of a chunk
typedef count_t<FEATURE_BLOCKS> block_t;           // blocks of the feature memory
typedef count_t<BANK_WORDS> bank_word_t;           // words of a weight bank
typedef count_t<LANE_GROUPS> group_t;              // lane groups; 0..LANE_GROUPS
typedef unsigned_t<16> step_t;                     // blocks between channels
typedef signed_t<32> acc_t;                        // a sum of products
typedef signed_t<9> pixel_t;                       // a pixel of either sign

constexpr int MASK_COPIES = 3;

// Everything that block RAM and distributed RAM keep.  Every memory has one place in the code of
// the flat loop that reads it and one that writes it.
struct Memories {
  // Feature memory: block b is segment by segment in half[b % 2][segment][b / 2].  The windows of
  // two blocks that follow each other under one tap meet the same bank at addresses that follow
  // each other, so they always find their segments in different halves.
  segment_t half[2][acs_isa::SEGMENTS][FEATURE_BLOCKS / 2];

  // Weight banks, twice as large as a chunk may be, so that one loads while another is used; row r
  // of a chunk is in bank r % LANE_GROUPS.  Items of a round's second block always use the first
  // row of a bank, so those rows are kept once more, and each of the two memories is read once an
  // iteration.
  uint64_t weights[LANE_GROUPS][2 * BANK_WORDS];
  uint64_t first_rows[LANE_GROUPS][BANK_WORDS];

  // Channel records of the chunks, one memory for each of their words.
  uint64_t records[acs_isa::RECORD_WORDS][2 * acs_isa::MAX_CHUNK];

  uint64_t vectors[VECTOR_WORDS];

  // Mask registers, three times: one iteration looks at the input's, at the output's, and for
  // channels to clear.
  uint64_t masks[MASK_COPIES][acs_isa::MASK_REGISTERS * MASK_WORDS];
};

// Sizes of the memory buffers, in words; every access is checked against them before it is made.
struct BufferSizes {
  uint32_t program;
  uint32_t params;
  uint32_t image;
  uint32_t result;
};

// The deeds of an instruction, counted.
struct Deeds {
  unsigned_t<40> array_iterations;
  unsigned_t<42> macs_executed;
  unsigned_t<42> macs_skipped;
  channel_t channels_executed;
  channel_t channels_skipped;
  unsigned_t<28> read_words;
  unsigned_t<28> written_words;

  // The types of synthesis are not zero by themselves.
  Deeds()
      : array_iterations(0),
        macs_executed(0),
        macs_skipped(0),
        channels_executed(0),
        channels_skipped(0),
        read_words(0),
        written_words(0) {}
};

// The deeds of a run; written to the result header by END and by every stop with an error.  48 bits
// hold the multiply-accumulates of hours.
struct Counters {
  uint32_t instructions;
  unsigned_t<48> array_iterations;
  unsigned_t<48> macs_executed;
  unsigned_t<48> macs_skipped;
  unsigned_t<40> channels_executed;
  unsigned_t<40> channels_skipped;
  unsigned_t<40> read_words;
  unsigned_t<40> written_words;

  Counters()
      : instructions(0),
        array_iterations(0),
        macs_executed(0),
        macs_skipped(0),
        channels_executed(0),
        channels_skipped(0),
        read_words(0),
        written_words(0) {}
};

// Quotients by powers of two: any other divisor would be a divider of a cycle a bit.
template <int DIVISOR>
inline int ceil_div(int value) {
  static_assert((DIVISOR & (DIVISOR - 1)) == 0, "a shift, not a divider");
  return (value + DIVISOR - 1) / DIVISOR;
}

// Rows that a chunk has in each bank: rows / LANE_GROUPS, rounded up, by a product.  The factor is
// too large by less than 1 of 2^12, which no sum of MAX_CHUNK + LANE_GROUPS rows notices.
constexpr int BANK_SHARE = (4096 + LANE_GROUPS - 1) / LANE_GROUPS;
static_assert((acs_isa::MAX_CHUNK + LANE_GROUPS) * LANE_GROUPS <= 4096, "the quotient is exact");

inline int bank_rows(int rows) { return (rows + LANE_GROUPS - 1) * BANK_SHARE >> 12; }

// Number of the lowest bit that is set: six choices of two.
inline int lowest_bit(uint64_t bits) {
#pragma HLS INLINE
  int number = 0;
  uint64_t left = bits;
HALVE:
  for (int half = 32; half > 0; half >>= 1) {
#pragma HLS UNROLL
    if ((left & ((uint64_t(1) << half) - 1)) == 0) {
      number += half;
      left >>= half;
    }
  }
  return number;
}

// The bits of a mask's last word that are channels, of so many channels, at least one.
inline uint64_t last_word_bits(int channels) {
#pragma HLS INLINE
  return ~uint64_t(0) >> (acs_isa::WORD_BITS - 1 - ((channels - 1) & (acs_isa::WORD_BITS - 1)));
}

inline uint8_t byte_of(uint64_t word, int index) { return uint8_t(word >> (8 * index)); }

// A stored byte as the number it means.
inline pixel_t pixel_value(uint8_t stored, bool is_signed) {
  return int(stored) - (is_signed && stored >= 128 ? 256 : 0);
}

// Reads one mask bit.  `side` is the copy: 0 for the input's mask, 1 for the output's.
inline bool channel_active(const Memories &memories, int side, int mask, int channel) {
#pragma HLS INLINE
  if (mask == acs_isa::MASK_NONE) return true;
  const int word = mask * MASK_WORDS + channel / acs_isa::WORD_BITS;
  ACS_PORT_TRACE(masks, side, channel_active, false, word);
  return memories.masks[side][word] >> (channel % acs_isa::WORD_BITS) & 1;
}

}  // namespace acs
