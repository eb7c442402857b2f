// Generated from hw/spec/engine.yaml by `python -m acsgen.isa`. Do not edit.
//
// The engine's instruction set: constants, instruction and channel-record decoding, roles, status
// codes, the result header, and the sigmoid table.  C++14, synthesizable by Vitis HLS.
// clang-format off
#ifndef ACS_ISA_HPP
#define ACS_ISA_HPP

#include <stdint.h>

#include "acs_widths.hpp"

namespace acs_isa {

static const unsigned SPEC_HASH = 0x7665A72Cu;

// Bytes in a memory word (AXI beat).
static const int WORD_BYTES = 8;
// Pixel lanes in a lane group; pixels in a block.
static const int LANES = 64;
// Segments in a block; banks of the feature memory.
static const int SEGMENTS = 8;
// Words of one instruction.
static const int INSTRUCTION_WORDS = 8;
// Words of a channel record. Every weight row begins with one, or with two.
static const int RECORD_WORDS = 1;
// Channels of a tensor.
static const int MAX_CHANNELS = 2048;
// Channels of a tensor of which a mask or a table chooses; bits of a mask register.
static const int MAX_LISTED = 1024;
// Mask registers.
static const int MASK_REGISTERS = 32;
// Mask number that means: no mask, every channel is active.
static const int MASK_NONE = 255;
// Largest kernel side of CONV and POOL.
static const int MAX_KERNEL = 7;
// Largest stride of CONV and POOL.
static const int MAX_STRIDE = 2;
// Most output channels whose weights are held at once.
static const int MAX_CHUNK = 128;
// Widest plane: one row must fit the lanes.
static const int MAX_WIDTH = 64;
// Most rows of a plane.
static const int MAX_HEIGHT = 255;
// Logarithm of the segments in the longest row: a block.
static const int MAX_ROW_LOG2 = 3;
// Largest pixel, unsigned.
static const int MAX_PIXEL = 255;
// Smallest requantization shift; the residual multiplier has this many fraction bits.
static const int SHIFT_MIN = 14;
// Largest requantization shift.
static const int SHIFT_MAX = 38;
// Largest requantization multiplier (unsigned 16 bit).
static const int MULT_MAX = 65535;
// Fraction bits of the sigmoid table's signed 8-bit argument.
static const int SIGMOID_FRACTION_BITS = 4;
// Entries of the sigmoid table.
static const int TABLE_SIZE = 256;
// Bits of a memory word; mask bits in it.
static const int WORD_BITS = 64;
// Pixels of a segment.
static const int SEGMENT_PIXELS = 8;
// Padding values of an instruction; the last serves all further input channels.
static const int PAD_VALUES = 4;

enum Opcode {
  // Write the result header and stop.
  OP_END = 1,
  // Copy the image (planar uint8, rows padded to whole words) into the feature memory.
  OP_LOAD = 2,
  // Grouped convolution over active output and input channels, with bias, residual and
  // requantization.
  OP_CONV = 3,
  // Map to map: dst = requantize(src * mult + residual), masked channels become zero plus residual.
  OP_ELTWISE = 4,
  // Max or average pooling, channel by channel.
  OP_POOL = 5,
  // Global average of each channel's map into the vector memory.
  OP_GAVG = 6,
  // Copy a map's segments into the vector memory, channel-major; pad pixels included.
  OP_FLATTEN = 7,
  // Fully connected layer from the vector memory: to a vector, through the sigmoid table, to wide
  // results, or to a mask.
  OP_LINEAR = 8,
  // Multiply each channel's map by its entry of a vector (squeeze-and-excitation).
  OP_SCALE = 9,
  // Stop as END does if the last GATE decided so, or if a counter is past its limit; go on
  // otherwise.
  OP_EXIT = 10
};

enum LinearMode {
  // Requantized 8-bit results into the vector memory.
  LINEAR_VECTOR = 0,
  // Requantized signed 8-bit argument looked up in the sigmoid table; unsigned result.
  LINEAR_SIGMOID = 1,
  // Results requantized without narrowing, int32, to the result buffer (class logits).
  LINEAR_WIDE = 2,
  // Accumulator > threshold, a bit per channel, into a mask register and the result buffer.
  LINEAR_GATE = 3
};

enum Status {
  // The program ran to END.
  STATUS_OK = 1,
  // An opcode that is not in the specification.
  STATUS_ILLEGAL_OPCODE = 2,
  // A field outside its range, or a size that the engine's memories do not hold.
  STATUS_BAD_FIELD = 3,
  // A map outside the feature memory.
  STATUS_FEATURE_RANGE = 4,
  // A parameter address outside the parameter buffer.
  STATUS_PARAM_RANGE = 5,
  // A write outside the result buffer.
  STATUS_RESULT_RANGE = 6,
  // An image larger than the image buffer.
  STATUS_IMAGE_RANGE = 7,
  // The program buffer ended without END.
  STATUS_NO_END = 8,
  // A memory read or write answered with an error (RTL).
  STATUS_BUS_ERROR = 9,
  // Memory owed an answer and stopped (RTL); no result header is written.
  STATUS_BUS_TIMEOUT = 10
};

// Words at the head of the result buffer.
enum ResultHeader {
  // Version hash of the engine's specification.
  HEADER_SPEC_HASH = 0,
  // Status code.
  HEADER_STATUS = 1,
  // Instruction at which the program stopped: an END, an EXIT, or the one that is to blame.
  HEADER_FAULT_INDEX = 2,
  // Instructions executed.
  HEADER_INSTRUCTIONS = 3,
  // Inner iterations of the lane array: a (round, active input channel, tap) each.
  HEADER_ARRAY_ITERATIONS = 4,
  // Multiply-accumulates on valid output pixels, taps over padding counted.
  HEADER_MACS_EXECUTED = 5,
  // Multiply-accumulates not done because a mask bit was 0.
  HEADER_MACS_SKIPPED = 6,
  // Output channels computed by CONV.
  HEADER_CHANNELS_EXECUTED = 7,
  // Output channels of CONV skipped by a mask.
  HEADER_CHANNELS_SKIPPED = 8,
  // Words read from memory.
  HEADER_READ_WORDS = 9,
  // Words written to memory, this header excluded.
  HEADER_WRITTEN_WORDS = 10,
  // Clock cycles from start to END; 0 where the engine has no cycle counter (HLS).
  HEADER_CYCLES = 11,
  // Cycles in which the array waited for memory; 0 where not counted.
  HEADER_STALL_CYCLES = 12,
  HEADER_WORDS = 13
};

// Two's complement of the low BITS bits of raw.
template <int BITS>
inline int sign_extend(uint64_t raw) {
  return (int)((int64_t)(raw << (64 - BITS)) >> (64 - BITS));
}

// One instruction, decoded.
struct Instruction {
  // Operation.
  acs::unsigned_t<8> opcode;
  // Kernel side.
  acs::unsigned_t<4> kernel;
  // 1, or 2: the source is then in split layout (four phase planes).
  acs::unsigned_t<2> stride;
  // Padding on every side, in pixels.
  acs::unsigned_t<3> pad;
  // Source values are signed.
  bool src_signed;
  // Results saturate to -128..127; otherwise to 0..255, which is the ReLU.
  bool dst_signed;
  // Add the residual map before saturation.
  bool res_enable;
  // Residual values are signed.
  bool res_signed;
  // Write the result in split layout.
  bool dst_split;
  // 1: maximum over valid pixels; 0: sum, scaled by mult and shift.
  bool pool_max;
  // Channel order of inputs and outputs comes from a table at table_addr.
  bool has_table;
  // Where LINEAR results go (linear_modes).
  acs::unsigned_t<2> linear_mode;
  // log2 of segments in a row of the raster plane being written (LOAD, CONV, POOL, ELTWISE, SCALE)
  // or read (GAVG).
  acs::unsigned_t<2> row_log2;
  // Mask of the source: channels with a 0 bit hold exact zero and are not read.
  acs::unsigned_t<8> mask_in;
  // Mask of the result (CONV, ELTWISE), or the mask register that GATE writes.
  acs::unsigned_t<8> mask_out;
  // Requantization shift of operations with one for all channels.
  acs::unsigned_t<6> shift;
  // Valid result pixels of a channel (height*width of the whole map), for the MAC counters.
  acs::unsigned_t<14> pixels;
  // Every masked_bias is zero: nothing is read for masked channels, which become
  // requantize(residual * res_mult, SHIFT_MIN), or zero without residual. Set by the compiler
  // whenever true. Otherwise weight rows begin with masked records if mask_out is not MASK_NONE,
  // and the one of each masked channel is read.
  bool masked_zero;
  // Source map, first block.
  acs::unsigned_t<16> src_base;
  // Blocks from one source channel to the next.
  acs::unsigned_t<16> src_step;
  // Result map, first block.
  acs::unsigned_t<16> dst_base;
  // Blocks from one result channel to the next.
  acs::unsigned_t<16> dst_step;
  // Residual map, first block; same plane shape as the result, raster layout.
  acs::unsigned_t<16> res_base;
  // Blocks from one residual channel to the next.
  acs::unsigned_t<16> res_step;
  // Source rows of the whole map (both phases, when split).
  acs::unsigned_t<8> src_height;
  // Source columns of the whole map.
  acs::unsigned_t<8> src_width;
  // Result rows.
  acs::unsigned_t<8> dst_height;
  // Result columns.
  acs::unsigned_t<8> dst_width;
  // Convolution groups.
  acs::unsigned_t<12> groups;
  // Input channels of a group.
  acs::unsigned_t<12> channels_in;
  // Output channels of a group (CONV), outputs (LINEAR), channels (others).
  acs::unsigned_t<12> channels;
  // Output channels whose weights are loaded together.
  acs::unsigned_t<8> chunk;
  // Blocks of one phase plane of a split source.
  acs::unsigned_t<16> src_plane;
  // First weight row in the parameter buffer.
  acs::unsigned_t<32> weight_addr;
  // Words of a weight row, channel records included.
  acs::unsigned_t<16> row_words;
  // Residual multiplier with SHIFT_MIN fraction bits.
  acs::unsigned_t<16> res_mult;
  // Channel-order table in the parameter buffer: groups*channels_in inputs, then groups*channels
  // outputs, 16 bits each.
  acs::unsigned_t<32> table_addr;
  // Padding value of input channel 0 (the network's input is stored un-normalized; zero elsewhere).
  acs::unsigned_t<8> pad_value0;
  // Padding value of input channel 1.
  acs::unsigned_t<8> pad_value1;
  // Padding value of input channel 2.
  acs::unsigned_t<8> pad_value2;
  // Padding value of input channels 3 and above.
  acs::unsigned_t<8> pad_value3;
  // Source in the vector memory, in words.
  acs::unsigned_t<16> vec_src;
  // Result in the vector memory, in words.
  acs::unsigned_t<16> vec_dst;
  // GATE thresholds in the parameter buffer, int32, two to a word.
  acs::unsigned_t<32> threshold_addr;
  // Word of the result buffer for WIDE and GATE.
  acs::unsigned_t<24> result_addr;
  // Word of the result buffer where the result is copied when the trace register is set; 0: not
  // traced.
  acs::unsigned_t<24> trace_addr;
  // Requantization multiplier of operations with one for all channels.
  acs::unsigned_t<16> mult;
  // Stop if bit 0 of the mask that the last GATE of the run wrote is 1.
  bool exit_on_gate;
  // Stop if macs_executed is greater. All ones: no limit.
  acs::unsigned_t<48> macs_limit;
  // Stop if there were more cycles since the start when the instruction is judged. All ones: no
  // limit; an engine without a cycle counter has none.
  acs::unsigned_t<48> cycles_limit;
};

// Bits that two fields share are given to the field that the opcode uses; the other is zero.
inline Instruction decode(const uint64_t words[INSTRUCTION_WORDS]) {
  Instruction r;
  r.opcode = (unsigned)(words[0] & 0xFFull);
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_POOL:
      r.kernel = (unsigned)((words[0] >> 8) & 0xFull);
      break;
    default:
      r.kernel = 0;
  }
  r.stride = (unsigned)((words[0] >> 12) & 0x3ull);
  r.pad = (unsigned)((words[0] >> 14) & 0x7ull);
  r.src_signed = ((words[0] >> 17) & 0x1ull) != 0;
  r.dst_signed = ((words[0] >> 18) & 0x1ull) != 0;
  r.res_enable = ((words[0] >> 19) & 0x1ull) != 0;
  r.res_signed = ((words[0] >> 20) & 0x1ull) != 0;
  r.dst_split = ((words[0] >> 21) & 0x1ull) != 0;
  r.pool_max = ((words[0] >> 22) & 0x1ull) != 0;
  r.has_table = ((words[0] >> 23) & 0x1ull) != 0;
  r.linear_mode = (unsigned)((words[0] >> 24) & 0x3ull);
  r.row_log2 = (unsigned)((words[0] >> 26) & 0x3ull);
  r.mask_in = (unsigned)((words[0] >> 28) & 0xFFull);
  r.mask_out = (unsigned)((words[0] >> 36) & 0xFFull);
  r.shift = (unsigned)((words[0] >> 44) & 0x3Full);
  r.pixels = (unsigned)((words[0] >> 50) & 0x3FFFull);
  r.masked_zero = ((words[3] >> 44) & 0x1ull) != 0;
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_FLATTEN:
    case OP_SCALE:
      r.src_base = (unsigned)(words[1] & 0xFFFFull);
      break;
    default:
      r.src_base = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_FLATTEN:
    case OP_SCALE:
      r.src_step = (unsigned)((words[1] >> 16) & 0xFFFFull);
      break;
    default:
      r.src_step = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_LOAD:
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_SCALE:
      r.dst_base = (unsigned)((words[1] >> 32) & 0xFFFFull);
      break;
    default:
      r.dst_base = 0;
  }
  r.dst_step = (unsigned)((words[1] >> 48) & 0xFFFFull);
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
      r.res_base = (unsigned)(words[2] & 0xFFFFull);
      break;
    default:
      r.res_base = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
      r.res_step = (unsigned)((words[2] >> 16) & 0xFFFFull);
      break;
    default:
      r.res_step = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_POOL:
    case OP_GAVG:
      r.src_height = (unsigned)((words[2] >> 32) & 0xFFull);
      break;
    default:
      r.src_height = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_CONV:
    case OP_POOL:
    case OP_GAVG:
      r.src_width = (unsigned)((words[2] >> 40) & 0xFFull);
      break;
    default:
      r.src_width = 0;
  }
  r.dst_height = (unsigned)((words[2] >> 48) & 0xFFull);
  r.dst_width = (unsigned)((words[2] >> 56) & 0xFFull);
  r.groups = (unsigned)(words[3] & 0xFFFull);
  r.channels_in = (unsigned)((words[3] >> 12) & 0xFFFull);
  r.channels = (unsigned)((words[3] >> 24) & 0xFFFull);
  r.chunk = (unsigned)((words[3] >> 36) & 0xFFull);
  r.src_plane = (unsigned)((words[3] >> 48) & 0xFFFFull);
  r.weight_addr = (unsigned)(words[4] & 0xFFFFFFFFull);
  r.row_words = (unsigned)((words[4] >> 32) & 0xFFFFull);
  r.res_mult = (unsigned)((words[4] >> 48) & 0xFFFFull);
  r.table_addr = (unsigned)(words[5] & 0xFFFFFFFFull);
  r.pad_value0 = (unsigned)((words[5] >> 32) & 0xFFull);
  r.pad_value1 = (unsigned)((words[5] >> 40) & 0xFFull);
  r.pad_value2 = (unsigned)((words[5] >> 48) & 0xFFull);
  r.pad_value3 = (unsigned)((words[5] >> 56) & 0xFFull);
  r.vec_src = (unsigned)(words[6] & 0xFFFFull);
  r.vec_dst = (unsigned)((words[6] >> 16) & 0xFFFFull);
  r.threshold_addr = (unsigned)((words[6] >> 32) & 0xFFFFFFFFull);
  r.result_addr = (unsigned)(words[7] & 0xFFFFFFull);
  r.trace_addr = (unsigned)((words[7] >> 24) & 0xFFFFFFull);
  r.mult = (unsigned)((words[7] >> 48) & 0xFFFFull);
  switch ((unsigned)r.opcode) {
    case OP_EXIT:
      r.exit_on_gate = ((words[0] >> 8) & 0x1ull) != 0;
      break;
    default:
      r.exit_on_gate = false;
  }
  switch ((unsigned)r.opcode) {
    case OP_EXIT:
      r.macs_limit = (uint64_t)(words[1] & 0xFFFFFFFFFFFFull);
      break;
    default:
      r.macs_limit = 0;
  }
  switch ((unsigned)r.opcode) {
    case OP_EXIT:
      r.cycles_limit = (uint64_t)(words[2] & 0xFFFFFFFFFFFFull);
      break;
    default:
      r.cycles_limit = 0;
  }
  return r;
}

// Constants of one output channel: the head of its weight row, alone or behind a masked one.
struct Record {
  // Accumulator start of an active channel. In a masked record, the accumulator: 0, or the value
  // that BatchNorm makes of zero when the mask acts before it.
  acs::signed_t<32> bias;
  // Requantization multiplier.
  acs::unsigned_t<16> mult;
  // Requantization shift, SHIFT_MIN..SHIFT_MAX; a value outside acts as the nearer bound.
  acs::unsigned_t<8> shift;
};

inline Record decode_record(const uint64_t words[RECORD_WORDS]) {
  Record r;
  r.bias = sign_extend<32>(words[0] & 0xFFFFFFFFull);
  r.mult = (unsigned)((words[0] >> 32) & 0xFFFFull);
  r.shift = (unsigned)((words[0] >> 48) & 0xFFull);
  return r;
}

inline bool opcode_known(unsigned opcode) {
  switch (opcode) {
    case OP_END:
    case OP_LOAD:
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_FLATTEN:
    case OP_LINEAR:
    case OP_SCALE:
    case OP_EXIT:
      return true;
    default:
      return false;
  }
}

// True when the opcode is known and every bit that it does not use is zero.
inline bool reserved_bits_clear(unsigned opcode, const uint64_t words[INSTRUCTION_WORDS]) {
  switch (opcode) {
    case OP_END:
      return (words[0] & 0xFFFFFFFFFFFFFF00ull) == 0 &&
             words[1] == 0 &&
             words[2] == 0 &&
             words[3] == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             words[6] == 0 &&
             words[7] == 0;
    case OP_LOAD:
      return (words[0] & 0xFFFFFFFFF3DFFF00ull) == 0 &&
             (words[1] & 0x00000000FFFFFFFFull) == 0 &&
             (words[2] & 0x0000FFFFFFFFFFFFull) == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             words[6] == 0 &&
             (words[7] & 0xFFFF000000FFFFFFull) == 0;
    case OP_CONV:
      return (words[0] & 0x0003F00003400000ull) == 0 &&
             (words[3] & 0x0000E00000000000ull) == 0 &&
             words[6] == 0 &&
             (words[7] & 0xFFFF000000FFFFFFull) == 0;
    case OP_ELTWISE:
      return (words[0] & 0xFFFC000003C1FF00ull) == 0 &&
             (words[2] & 0x0000FFFF00000000ull) == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             (words[4] & 0x0000FFFFFFFFFFFFull) == 0 &&
             words[5] == 0 &&
             words[6] == 0 &&
             (words[7] & 0x0000000000FFFFFFull) == 0;
    case OP_POOL:
      return (words[0] & 0xFFFC0FF003980000ull) == 0 &&
             (words[2] & 0x00000000FFFFFFFFull) == 0 &&
             (words[3] & 0x0000FFF000FFFFFFull) == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             words[6] == 0 &&
             (words[7] & 0x0000000000FFFFFFull) == 0;
    case OP_GAVG:
      return (words[0] & 0xFFFC0FF003F9FF00ull) == 0 &&
             (words[1] & 0xFFFFFFFF00000000ull) == 0 &&
             (words[2] & 0xFFFF0000FFFFFFFFull) == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             (words[6] & 0xFFFFFFFF0000FFFFull) == 0 &&
             (words[7] & 0x0000000000FFFFFFull) == 0;
    case OP_FLATTEN:
      return (words[0] & 0xFFFFFFFFFFFFFF00ull) == 0 &&
             (words[1] & 0xFFFFFFFF00000000ull) == 0 &&
             words[2] == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             (words[6] & 0xFFFFFFFF0000FFFFull) == 0 &&
             (words[7] & 0xFFFF000000FFFFFFull) == 0;
    case OP_LINEAR:
      return (words[0] & 0xFFFFF00FFCF9FF00ull) == 0 &&
             words[1] == 0 &&
             words[2] == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             (words[4] & 0xFFFF000000000000ull) == 0 &&
             words[5] == 0 &&
             (words[7] & 0xFFFF000000000000ull) == 0;
    case OP_SCALE:
      return (words[0] & 0xFFFC0FF003D9FF00ull) == 0 &&
             (words[2] & 0x0000FFFFFFFFFFFFull) == 0 &&
             (words[3] & 0xFFFFFFF000FFFFFFull) == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             (words[6] & 0xFFFFFFFFFFFF0000ull) == 0 &&
             (words[7] & 0x0000000000FFFFFFull) == 0;
    case OP_EXIT:
      return (words[0] & 0xFFFFFFFFFFFFFE00ull) == 0 &&
             (words[1] & 0xFFFF000000000000ull) == 0 &&
             (words[2] & 0xFFFF000000000000ull) == 0 &&
             words[3] == 0 &&
             words[4] == 0 &&
             words[5] == 0 &&
             words[6] == 0 &&
             words[7] == 0;
    default:
      return false;
  }
}

// Reads the image.
inline bool reads_image(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LOAD:
      return true;
    default:
      return false;
  }
}

// Reads a map of the feature memory.
inline bool reads_map(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_FLATTEN:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Reads pixels of a map's active channels, through the lanes.
inline bool reads_pixels(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Copies the blocks of a map as they are into the vector memory.
inline bool copies_map(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_FLATTEN:
      return true;
    default:
      return false;
  }
}

// Moves a window over the map that it reads.
inline bool moves_window(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_POOL:
      return true;
    default:
      return false;
  }
}

// Reads a map of the result's own shape, pixel by pixel.
inline bool pixelwise(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_ELTWISE:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Adds a residual map when res_enable says so.
inline bool adds_map(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
      return true;
    default:
      return false;
  }
}

// Reads a vector.
inline bool reads_vector(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LINEAR:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Reads weight rows from the parameter buffer.
inline bool reads_rows(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_LINEAR:
      return true;
    default:
      return false;
  }
}

// Reads thresholds from the parameter buffer.
inline bool reads_thresholds(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LINEAR:
      return op.linear_mode == (unsigned)LINEAR_GATE;
    default:
      return false;
  }
}

// Has as many channels as `channels` says in each of its groups.
inline bool grouped(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
      return true;
    default:
      return false;
  }
}

// Its mask_out switches channels of the result off.
inline bool masks_result(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_CONV:
    case OP_ELTWISE:
      return true;
    default:
      return false;
  }
}

// Writes a map into the feature memory.
inline bool writes_map(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LOAD:
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Writes a vector.
inline bool writes_vector(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_GAVG:
    case OP_FLATTEN:
      return true;
    case OP_LINEAR:
      return op.linear_mode == (unsigned)LINEAR_VECTOR || op.linear_mode == (unsigned)LINEAR_SIGMOID;
    default:
      return false;
  }
}

// Writes the mask register that mask_out names.
inline bool writes_mask(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LINEAR:
      return op.linear_mode == (unsigned)LINEAR_GATE;
    default:
      return false;
  }
}

// Makes channels, at least one.
inline bool has_channels(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LOAD:
    case OP_CONV:
    case OP_ELTWISE:
    case OP_POOL:
    case OP_GAVG:
    case OP_FLATTEN:
    case OP_LINEAR:
    case OP_SCALE:
      return true;
    default:
      return false;
  }
}

// Writes the result buffer, traced or not.
inline bool writes_result(const Instruction &op) {
  switch ((unsigned)op.opcode) {
    case OP_LINEAR:
      return op.linear_mode == (unsigned)LINEAR_WIDE || op.linear_mode == (unsigned)LINEAR_GATE;
    default:
      return false;
  }
}

// Whether its weight rows begin with the records that its channels have when masked.
inline bool has_masked_records(const Instruction &op) {
  return reads_rows(op) && masks_result(op) && op.mask_out != (unsigned)MASK_NONE && !op.masked_zero;
}

// The words of a weight row that are before its weights.
inline int record_words(const Instruction &op) {
  return has_masked_records(op) ? 2 * RECORD_WORDS : RECORD_WORDS;
}

// Padding value of an input channel: that of the last field for all further ones.
inline unsigned padding_value(const Instruction &op, unsigned channel) {
  switch (channel) {
    case 0:
      return op.pad_value0;
    case 1:
      return op.pad_value1;
    case 2:
      return op.pad_value2;
    default:
      return op.pad_value3;
  }
}

// SIGMOID_TABLE[q + 128]: sigmoid of q / 2^SIGMOID_FRACTION_BITS in units of 1/256.
static const unsigned char SIGMOID_TABLE[TABLE_SIZE] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4,
    5, 5, 5, 6, 6, 6, 7, 7, 8, 8, 8, 9, 10, 10, 11, 11,
    12, 13, 14, 15, 15, 16, 17, 18, 19, 21, 22, 23, 24, 26, 27, 29,
    31, 32, 34, 36, 38, 40, 42, 44, 47, 49, 52, 54, 57, 60, 63, 66,
    69, 72, 75, 79, 82, 86, 89, 93, 97, 100, 104, 108, 112, 116, 120, 124,
    128, 132, 136, 140, 144, 148, 152, 156, 159, 163, 167, 170, 174, 177, 181, 184,
    187, 190, 193, 196, 199, 202, 204, 207, 209, 212, 214, 216, 218, 220, 222, 224,
    225, 227, 229, 230, 232, 233, 234, 235, 237, 238, 239, 240, 241, 241, 242, 243,
    244, 245, 245, 246, 246, 247, 248, 248, 248, 249, 249, 250, 250, 250, 251, 251,
    251, 252, 252, 252, 252, 253, 253, 253, 253, 253, 254, 254, 254, 254, 254, 254,
    254, 254, 254, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
};

}  // namespace acs_isa

#endif
