#include "acs_check.hpp"

#include "acs_lists.hpp"

namespace acs {

namespace {

using acs_isa::Status;

bool range_fits(uint64_t first, uint64_t count, uint64_t size) { return first + count <= size; }

bool map_fits(uint64_t base, uint32_t last, uint64_t blocks) {
  return base + last + blocks <= uint64_t(FEATURE_BLOCKS);
}

// Whether a side's channels can be chosen from, where they are.
bool listable(bool listed, unsigned channels) {
  return !listed || channels <= unsigned(acs_isa::MAX_LISTED);
}

bool mask_known(unsigned mask, unsigned channels) {
  return mask == unsigned(acs_isa::MASK_NONE) ||
         (mask < unsigned(acs_isa::MASK_REGISTERS) && listable(true, channels));
}

bool shift_known(unsigned shift) {
  return shift >= unsigned(acs_isa::SHIFT_MIN) && shift <= unsigned(acs_isa::SHIFT_MAX);
}

bool size_fits_row(unsigned height, unsigned width, unsigned row_log2) {
  return height >= 1 && width >= 1 && width <= unsigned(acs_isa::SEGMENT_PIXELS << row_log2);
}

bool result_map_fits(const Instruction &op, const Products &products) {
  const int blocks = result_blocks(op.dst_height, op.row_log2, op.dst_split);
  return map_fits(op.dst_base, products.result_last, blocks);
}

// The source of a windowed operation: a raster plane, or four phase planes.
bool source_size_known(const Instruction &op) {
  if (op.stride == 1) return size_fits_row(op.src_height, op.src_width, op.row_log2);
  return op.stride == 2 &&
         size_fits_row(phase_size(op.src_height, 0), phase_size(op.src_width, 0), op.row_log2);
}

// Blocks of a source channel.  Pixelwise operations read maps of the result's own shape.
int source_blocks(const Instruction &op) {
  const bool pixelwise =
      op.opcode == unsigned(acs_isa::OP_ELTWISE) || op.opcode == unsigned(acs_isa::OP_SCALE);
  const bool phases = acs_isa::moves_window(op) && op.stride != 1u;
  const int rows = pixelwise ? int(op.dst_height)
                   : phases  ? phase_size(op.src_height, 0)
                             : int(op.src_height);
  return plane_blocks(rows, op.row_log2) + (phases ? 3 * int(op.src_plane) : 0);
}

bool source_map_fits(const Instruction &op, const Products &products) {
  return map_fits(op.src_base, products.source_last, source_blocks(op));
}

bool residual_fits(const Instruction &op, const Products &products) {
  return !op.res_enable ||
         map_fits(op.res_base, products.residual_last, plane_blocks(op.dst_height, op.row_log2));
}

bool kernel_known(const Instruction &op) {
  return op.kernel >= 1 && op.kernel <= unsigned(acs_isa::MAX_KERNEL) && op.pad < op.kernel;
}

// Results in the result buffer lie behind the header.
bool results_fit(uint64_t first, uint64_t words, const BufferSizes &sizes) {
  return first >= unsigned(acs_isa::HEADER_WORDS) && range_fits(first, words, sizes.result);
}

bool trace_fits(const Instruction &op, uint64_t words, const BufferSizes &sizes) {
  return op.trace_addr == 0 || results_fit(op.trace_addr, words, sizes);
}

// The traced map is copied whole, gaps between channels included.
Status check_traced_map(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  if (op.trace_addr == 0) return acs_isa::STATUS_OK;
  const uint64_t blocks = uint64_t(products.result_last) + op.dst_step;
  if (!range_fits(op.dst_base, blocks, FEATURE_BLOCKS)) return acs_isa::STATUS_FEATURE_RANGE;
  return trace_fits(op, blocks * acs_isa::SEGMENTS, sizes) ? acs_isa::STATUS_OK
                                                           : acs_isa::STATUS_RESULT_RANGE;
}

Status check_conv(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  const unsigned inputs = unsigned(products.inputs);
  const unsigned outputs = unsigned(products.outputs);
  if (inputs < 1 || outputs < 1 || inputs > unsigned(acs_isa::MAX_CHANNELS) ||
      outputs > unsigned(acs_isa::MAX_CHANNELS) || !kernel_known(op) || !source_size_known(op) ||
      op.chunk < 1 || op.chunk > unsigned(acs_isa::MAX_CHUNK) || !mask_known(op.mask_in, inputs) ||
      !mask_known(op.mask_out, outputs) || !listable(lists_inputs(op), inputs) ||
      !listable(lists_outputs(op), outputs)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  const int row_bytes = int(op.channels_in) * int(products.taps);
  const int weight_words = int(op.row_words) - acs_isa::record_words(op);
  if (weight_words < ceil_div<acs_isa::WORD_BYTES>(row_bytes) ||
      products.bank_words > unsigned(BANK_WORDS)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  if (!source_map_fits(op, products) || !residual_fits(op, products)) {
    return acs_isa::STATUS_FEATURE_RANGE;
  }
  const uint64_t table_words = op.has_table ? (inputs + outputs + 3) / 4 : 0;
  return range_fits(op.weight_addr, products.parameter_words, sizes.params) &&
                 range_fits(op.has_table ? uint64_t(op.table_addr) : uint64_t(0), table_words,
                            sizes.params)
             ? acs_isa::STATUS_OK
             : acs_isa::STATUS_PARAM_RANGE;
}

Status check_linear(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  const int weight_words = int(op.row_words) - acs_isa::record_words(op);
  if (weight_words < 1 || !range_fits(op.vec_src, weight_words, VECTOR_WORDS)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  if (!range_fits(op.weight_addr, products.parameter_words, sizes.params)) {
    return acs_isa::STATUS_PARAM_RANGE;
  }
  const int vector_words = ceil_div<acs_isa::WORD_BYTES>(int(op.channels));
  switch (op.linear_mode) {
    case acs_isa::LINEAR_WIDE:
      if (op.trace_addr != 0) return acs_isa::STATUS_BAD_FIELD;
      return results_fit(op.result_addr, ceil_div<2>(int(op.channels)), sizes)
                 ? acs_isa::STATUS_OK
                 : acs_isa::STATUS_RESULT_RANGE;
    case acs_isa::LINEAR_GATE:
      if (op.trace_addr != 0 || op.mask_out >= unsigned(acs_isa::MASK_REGISTERS) ||
          op.channels > unsigned(acs_isa::MAX_LISTED)) {
        return acs_isa::STATUS_BAD_FIELD;
      }
      if (!range_fits(op.threshold_addr, ceil_div<2>(int(op.channels)), sizes.params)) {
        return acs_isa::STATUS_PARAM_RANGE;
      }
      return results_fit(op.result_addr, ceil_div<acs_isa::WORD_BITS>(int(op.channels)), sizes)
                 ? acs_isa::STATUS_OK
                 : acs_isa::STATUS_RESULT_RANGE;
    default:
      if (!range_fits(op.vec_dst, vector_words, VECTOR_WORDS)) return acs_isa::STATUS_BAD_FIELD;
      return trace_fits(op, vector_words, sizes) ? acs_isa::STATUS_OK
                                                 : acs_isa::STATUS_RESULT_RANGE;
  }
}

Status check_pool(const Instruction &op, const Products &products) {
  if (!kernel_known(op) || !source_size_known(op) || !mask_known(op.mask_in, op.channels) ||
      (!op.pool_max && !shift_known(op.shift))) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  return source_map_fits(op, products) ? acs_isa::STATUS_OK : acs_isa::STATUS_FEATURE_RANGE;
}

Status check_eltwise(const Instruction &op, const Products &products) {
  if (!shift_known(op.shift) || !mask_known(op.mask_in, op.channels) ||
      !mask_known(op.mask_out, op.channels)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  return source_map_fits(op, products) && residual_fits(op, products)
             ? acs_isa::STATUS_OK
             : acs_isa::STATUS_FEATURE_RANGE;
}

Status check_scale(const Instruction &op, const Products &products) {
  if (!shift_known(op.shift) || !mask_known(op.mask_in, op.channels) ||
      !range_fits(op.vec_src, ceil_div<acs_isa::WORD_BYTES>(int(op.channels)), VECTOR_WORDS)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  return source_map_fits(op, products) ? acs_isa::STATUS_OK : acs_isa::STATUS_FEATURE_RANGE;
}

Status check_gavg(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  const int words = ceil_div<acs_isa::WORD_BYTES>(int(op.channels));
  if (!shift_known(op.shift) || !mask_known(op.mask_in, op.channels) ||
      !size_fits_row(op.src_height, op.src_width, op.row_log2) ||
      !range_fits(op.vec_dst, words, VECTOR_WORDS)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  if (!source_map_fits(op, products)) return acs_isa::STATUS_FEATURE_RANGE;
  return trace_fits(op, words, sizes) ? acs_isa::STATUS_OK : acs_isa::STATUS_RESULT_RANGE;
}

Status check_flatten(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  const uint64_t blocks = uint64_t(products.source_last) + op.src_step;
  const uint64_t words = blocks * acs_isa::SEGMENTS;
  if (blocks < 1 || !range_fits(op.vec_dst, words, VECTOR_WORDS)) return acs_isa::STATUS_BAD_FIELD;
  if (!range_fits(op.src_base, blocks, FEATURE_BLOCKS)) return acs_isa::STATUS_FEATURE_RANGE;
  return trace_fits(op, words, sizes) ? acs_isa::STATUS_OK : acs_isa::STATUS_RESULT_RANGE;
}

Status check_load(const Products &products, const BufferSizes &sizes) {
  return products.image_words <= sizes.image ? acs_isa::STATUS_OK : acs_isa::STATUS_IMAGE_RANGE;
}

Status check_operands(const Instruction &op, const Products &products, const BufferSizes &sizes) {
  switch (op.opcode) {
    case acs_isa::OP_LOAD: return check_load(products, sizes);
    case acs_isa::OP_CONV: return check_conv(op, products, sizes);
    case acs_isa::OP_ELTWISE: return check_eltwise(op, products);
    case acs_isa::OP_POOL: return check_pool(op, products);
    case acs_isa::OP_GAVG: return check_gavg(op, products, sizes);
    case acs_isa::OP_FLATTEN: return check_flatten(op, products, sizes);
    case acs_isa::OP_LINEAR: return check_linear(op, products, sizes);
    case acs_isa::OP_SCALE: return check_scale(op, products);
    case acs_isa::OP_EXIT: return acs_isa::STATUS_OK;
    default: return acs_isa::STATUS_OK;  // END
  }
}

}  // namespace

Status check_instruction(const Instruction &op, const uint64_t words[acs_isa::INSTRUCTION_WORDS],
                         const BufferSizes &sizes, Products &products) {
#pragma HLS INLINE off
// Half of the products wait for the other half: an instruction is judged in every second cycle.
#pragma HLS ALLOCATION operation instances=mul limit=6
  products = make_products(op);
  if (!acs_isa::opcode_known(op.opcode)) return acs_isa::STATUS_ILLEGAL_OPCODE;
  if (!acs_isa::reserved_bits_clear(op.opcode, words)) return acs_isa::STATUS_BAD_FIELD;
  if (acs_isa::has_channels(op) &&
      (op.channels < 1 || op.channels > unsigned(acs_isa::MAX_CHANNELS))) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  if (acs_isa::writes_map(op) && !size_fits_row(op.dst_height, op.dst_width, op.row_log2)) {
    return acs_isa::STATUS_BAD_FIELD;
  }
  const Status operands = check_operands(op, products, sizes);
  if (operands != acs_isa::STATUS_OK || !acs_isa::writes_map(op)) return operands;
  if (!result_map_fits(op, products)) return acs_isa::STATUS_FEATURE_RANGE;
  return check_traced_map(op, products, sizes);
}

}  // namespace acs
