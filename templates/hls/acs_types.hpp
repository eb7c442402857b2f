// Types shared by the engine's units.
#pragma once

#include <ap_int.h>
#include <stdint.h>

#include "acs_config.hpp"

namespace acs {

using acs_isa::Instruction;
using acs_isa::Record;

// A word of memory, as the AXI ports carry it.
typedef ap_uint<64> word_t;

// Eight pixels, as a bank of the feature memory holds them; pixel i in bits 8*i+7..8*i.
typedef uint64_t segment_t;

// What one 25x18 multiplier takes and gives.  C simulation uses native integers of the same values,
// which is ten times faster; the ranges are argued at mac2().
#ifdef __SYNTHESIS__
typedef ap_int<25> packed_pixels_t;
typedef ap_int<8> weight_t;
typedef ap_int<33> packed_product_t;
#else
typedef int32_t packed_pixels_t;
typedef int32_t weight_t;
typedef int32_t packed_product_t;
#endif

// 64 pixels, one for each lane of a group; bytes, signed or not as the instruction says.
struct Block {
  uint8_t pixel[acs_isa::LANES];
};

// The on-chip memories.  Banks of `features` are segments of a block, so that a window starting at
// any segment reads every bank once.
struct Memories {
  segment_t features[acs_isa::SEGMENTS][FEATURE_BLOCKS];
  uint64_t vectors[VECTOR_WORDS];
  uint64_t masks[acs_isa::MASK_REGISTERS][acs_isa::MAX_CHANNELS / acs_isa::WORD_BITS];
};

// Sizes of the memory buffers, in words; every access is checked against them before it is made.
struct BufferSizes {
  uint32_t program;
  uint32_t params;
  uint32_t image;
  uint32_t result;
};

// What the run did; written to the result header by END and by every stop with an error.
struct Counters {
  uint64_t instructions;
  uint64_t array_iterations;
  uint64_t macs_executed;
  uint64_t macs_skipped;
  uint64_t channels_executed;
  uint64_t channels_skipped;
  uint64_t read_words;
  uint64_t written_words;
};

inline int ceil_div(int value, int divisor) { return (value + divisor - 1) / divisor; }

// Channels of the map or vector that an instruction writes, over all groups.
inline unsigned result_channels(const Instruction &op) {
  return acs_isa::grouped(op) ? op.groups * op.channels : op.channels;
}

inline uint8_t byte_of(uint64_t word, int index) { return uint8_t(word >> (8 * index)); }

// A stored byte as the number it means.
inline int pixel_value(uint8_t stored, bool is_signed) {
  return is_signed ? int(int8_t(stored)) : int(stored);
}

}  // namespace acs
