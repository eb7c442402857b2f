// Sizes of an instruction that are products of its fields.
#pragma once

#include "acs_geometry.hpp"

namespace acs {

// Each product is made once, before the check of the instruction, which judges them, and stays with
// the instruction.  Operands have the bits of a valid field: where a field is larger, its own check
// refuses the instruction before one of these counts.
struct Products {
  unsigned_t<24> inputs;            // channels of the source map, over all groups
  unsigned_t<24> outputs;           // rows of weights, or channels of the result
  unsigned_t<8> taps;               // kernel times kernel
  unsigned_t<28> source_last;       // blocks from the first source channel to the last
  unsigned_t<28> residual_last;     // the same of the residual
  unsigned_t<28> result_last;       // and of the result
  unsigned_t<28> parameter_words;   // of all rows
  unsigned_t<24> bank_words;        // that the largest chunk takes of a weight bank
  count_t<BANK_WORDS> chunk_words;  // that a chunk of this instruction takes
  unsigned_t<25> image_words;       // of LOAD
  unsigned_t<16> source_pixels;     // of a channel
};

// The square of a number of four bits, by additions.
inline int squared(int side) {
#pragma HLS INLINE
  int sum = 0;
EACH_BIT:
  for (int bit = 0; bit < 4; ++bit) {
#pragma HLS UNROLL
    if (side >> bit & 1) sum += side << bit;
  }
  return sum;
}

inline Products make_products(const Instruction &op) {
#pragma HLS INLINE
  Products made;
  const bool conv = op.opcode == unsigned(acs_isa::OP_CONV);
  const unsigned groups = acs_isa::grouped(op) ? unsigned(op.groups) : 1u;
  const unsigned channels_in = conv ? unsigned(op.channels_in) : unsigned(op.channels);
  made.inputs = groups * channels_in;
  made.outputs = groups * unsigned(op.channels);
  made.taps = unsigned(squared(int(op.kernel)));
  const channel_t inputs = unsigned(made.inputs);
  const channel_t outputs = unsigned(made.outputs);
  const channel_t other_inputs = inputs - 1u;
  const channel_t other_outputs = outputs - 1u;
  made.source_last = unsigned(other_inputs) * unsigned(op.src_step);
  made.residual_last = unsigned(other_outputs) * unsigned(op.res_step);
  made.result_last = unsigned(other_outputs) * unsigned(op.dst_step);
  made.parameter_words = unsigned(outputs) * unsigned(op.row_words);
  const unsigned_t<16> weight_words = op.row_words - unsigned(acs_isa::record_words(op));
  const unsigned rows = op.channels < op.chunk ? unsigned(op.channels) : unsigned(op.chunk);
  made.bank_words = unsigned(bank_rows(int(op.chunk))) * unsigned(weight_words);
  made.chunk_words = unsigned(bank_rows(int(rows))) * unsigned(weight_words);
  const unsigned line_words = unsigned(ceil_div<acs_isa::WORD_BYTES>(int(op.dst_width)));
  made.image_words = unsigned(op.channels) * (unsigned(op.dst_height) * line_words);
  made.source_pixels = unsigned(op.src_height) * unsigned(op.src_width);
  return made;
}

}  // namespace acs
