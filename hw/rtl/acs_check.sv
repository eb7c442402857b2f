// Judges an instruction before it runs, in the order of the C++ engine, and works out the amounts
// that running it needs.
//
// One multiplier makes all products, one a cycle.  Sums of products, their comparison with sizes,
// and the verdict are a cycle each: the verdict is there some twenty cycles after the instruction,
// which usually is while the one before it runs.
`default_nettype none

module acs_check
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024
) (
  input  wire logic               clk_i,
  input  wire logic               rst_ni,
  input  wire logic               start_i,    // the instruction is there from the next cycle on
  input  wire instruction_words_t words_i,    // stays until the verdict
  input  wire instruction_t       op_i,       // decoded; trace_addr 0 where nothing is traced
  input  wire buffers_t           buffers_i,
  output      logic               valid_o,    // verdict and amounts hold until the next start
  output      logic [7:0]         status_o,
  output      logic               good_o,     // it is STATUS_OK
  output      amounts_t           amounts_o
);
  // Products in the order in which they are made; a factor that is a product itself is older by
  // at least Depth.
  typedef enum logic [4:0] {
    MulInputs,
    MulOutputs,
    MulTaps,
    MulImageRows,
    MulLinear,
    MulFlat,
    MulRowBytes,
    MulImage,
    MulSourceSpan,
    MulResultSpan,
    MulResidualSpan,
    MulTrace,
    MulRows,
    MulChunk,
    MulDense,
    MulPair
  } product_e;
  localparam int unsigned Products = 16;
  localparam int unsigned Depth = 3;  // from factors to a product that can be used
  // The verdict is due four cycles after the last product that it depends on.
  localparam logic [4:0] Judge = 5'(MulChunk) + 5'(Depth) + 5'd4;

  logic [4:0] step_q;
  logic [23:0] factor_a, a_q;
  logic [15:0] factor_b, b_q;
  logic [39:0] product_q;
  logic [Products-1:0][39:0] products_q;

  logic [23:0] inputs, outputs;  // groups * channels
  logic [24:0] image_words;
  logic [27:0] linear_words, flat_blocks, trace_blocks;
  logic [16:0] weight_words_q;
  logic [7:0] chunk_rows, chunk_rows_q;
  channels_t result_channels, source_channels, result_last_q, source_last_q;
  logic [5:0] row_words;  // of the image

  assign inputs       = products_q[MulInputs][23:0];
  assign outputs      = products_q[MulOutputs][23:0];
  assign image_words  = products_q[MulImage][24:0];
  assign linear_words = products_q[MulLinear][27:0];
  assign flat_blocks  = products_q[MulFlat][27:0];
  assign trace_blocks = products_q[MulTrace][27:0];
  assign row_words       = 6'((9'(op_i.dst_width) + 9'd7) >> 3);
  // What follows from fields alone is there long before the products.
  logic grouped_q, source_listed_q, result_listed_q;
  assign result_channels = grouped_q ? channels_t'(outputs) : op_i.channels;
  assign source_channels = grouped_q ? channels_t'(inputs) : op_i.channels;

  // ceil(chunk / LaneGroups), by table.
  always_comb begin
    chunk_rows = '0;
    for (int unsigned n = 0; n < 256; n++) begin
      if (op_i.chunk == 8'(n)) chunk_rows = 8'((n + LaneGroups - 1) / LaneGroups);
    end
  end

  // Factors that are not fields; they are there long before their product is made.
  always_ff @(posedge clk_i) begin
    chunk_rows_q   <= chunk_rows;
    weight_words_q <= {1'b0, op_i.row_words} - 17'(record_words(op_i));
    result_last_q  <= result_channels - 1'b1;
    source_last_q  <= source_channels - 1'b1;
  end

  always_comb begin
    factor_a = 24'(op_i.channels);
    factor_b = op_i.row_words;
    unique case (product_e'(step_q))
      MulInputs: begin
        factor_a = 24'(op_i.groups);
        factor_b = 16'(op_i.channels_in);
      end
      MulOutputs:   factor_b = 16'(op_i.groups);
      MulTaps: begin
        factor_a = 24'(op_i.kernel);
        factor_b = 16'(op_i.kernel);
      end
      MulImageRows: factor_b = 16'(op_i.dst_height);
      MulLinear:    factor_b = op_i.row_words;
      MulFlat:      factor_b = op_i.src_step;
      MulRowBytes: begin
        factor_a = 24'(op_i.channels_in);
        factor_b = 16'(products_q[MulTaps][7:0]);
      end
      MulImage: begin
        factor_a = 24'(products_q[MulImageRows][19:0]);
        factor_b = 16'(row_words);
      end
      MulSourceSpan: begin
        factor_a = 24'(source_last_q);
        factor_b = op_i.src_step;
      end
      MulResultSpan: begin
        factor_a = 24'(result_last_q);
        factor_b = op_i.dst_step;
      end
      MulResidualSpan: begin
        factor_a = 24'(result_last_q);
        factor_b = op_i.res_step;
      end
      MulTrace: begin
        factor_a = 24'(result_channels);
        factor_b = op_i.dst_step;
      end
      MulRows:      factor_a = 24'(result_channels);
      MulChunk: begin
        factor_a = 24'(chunk_rows_q);
        factor_b = weight_words_q[15:0];
      end
      MulDense:     factor_b = 16'(channels_t'(inputs));
      MulPair: begin
        factor_a = 24'(products_q[MulTaps][7:0]);
        factor_b = 16'(op_i.pixels);
      end
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    a_q       <= factor_a;
    b_q       <= factor_b;
    product_q <= 40'(a_q) * 40'(b_q);
    if (step_q >= 5'(Depth - 1) && step_q < 5'(Products + Depth - 1)) begin
      products_q[4'(step_q-5'(Depth-1))] <= product_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      step_q  <= '0;
      valid_o <= 1'b0;
    end else if (start_i) begin
      step_q  <= '0;
      valid_o <= 1'b0;
    end else if (step_q != Judge) begin
      step_q <= step_q + 5'd1;
    end else begin
      valid_o <= 1'b1;
    end
  end

  logic source_apart_q, result_apart_q, beside_q;
  assign amounts_o = '{
      inputs: inputs,
      outputs: outputs,
      dense: products_q[MulDense][22:0],
      per_pair: products_q[MulPair][19:0],
      image_words: image_words,
      linear_words: linear_words,
      flat_blocks: flat_blocks,
      trace_blocks: trace_blocks,
      source_apart: source_apart_q,
      result_apart: result_apart_q,
      beside: beside_q
    };

  // Ranges.
  logic [27:0] src_span, dst_span, res_span;  // blocks before the last channel
  logic [17:0] row_bytes;
  logic [23:0] chunk_words;
  logic [27:0] rows_words;
  assign src_span    = products_q[MulSourceSpan][27:0];
  assign dst_span    = products_q[MulResultSpan][27:0];
  assign res_span    = products_q[MulResidualSpan][27:0];
  assign row_bytes   = products_q[MulRowBytes][17:0];
  assign chunk_words = products_q[MulChunk][23:0];
  assign rows_words  = products_q[MulRows][27:0];

  localparam logic [32:0] Features = 33'(FeatureBlocks);
  localparam logic [32:0] Vectors = 33'(VectorWords);

  logic mask_in_known, mask_out_known, shift_known, kernel_known, source_known, result_known;
  logic source_row_known;
  logic [10:0] result_plane, source_plane, phase_plane, own_plane;

  function automatic logic mask_known(input logic [7:0] mask);
    return mask < 8'(MASK_REGISTERS) || mask == 8'(MASK_NONE);
  endfunction
  function automatic logic row_known(input logic [7:0] height, input logic [7:0] width,
                                     input logic [1:0] row_log2);
    return height >= 1 && width >= 1 && 11'(width) <= (11'd8 << row_log2);
  endfunction

  assign mask_in_known  = mask_known(op_i.mask_in) &&
                          (!source_listed_q || source_channels <= channels_t'(MAX_LISTED));
  assign mask_out_known = mask_known(op_i.mask_out) &&
                          (!result_listed_q || result_channels <= channels_t'(MAX_LISTED));
  assign shift_known    = op_i.shift >= 6'(SHIFT_MIN) && op_i.shift <= 6'(SHIFT_MAX);
  assign kernel_known   = op_i.kernel >= 1 && op_i.kernel <= 4'(MAX_KERNEL) &&
                          4'(op_i.pad) < op_i.kernel;
  assign source_row_known = row_known(op_i.src_height, op_i.src_width, op_i.row_log2);
  assign source_known   = op_i.stride == 2'd1 ? source_row_known :
                          op_i.stride == 2'd2 && row_known(phase_size(op_i.src_height, 1'b0),
                                                           phase_size(op_i.src_width, 1'b0),
                                                           op_i.row_log2);
  assign result_known   = row_known(op_i.dst_height, op_i.dst_width, op_i.row_log2);

  assign own_plane    = plane_blocks(op_i.src_height, op_i.row_log2);
  assign phase_plane  = plane_blocks(phase_size(op_i.src_height, 1'b0), op_i.row_log2);
  assign source_plane = plane_blocks(op_i.dst_height, op_i.row_log2);
  assign result_plane = plane_blocks(phase_size(op_i.dst_height, 1'b0),
                                     phase_row_log2(op_i.row_log2));

  // Sides whose channels masks or a table choose.  Where there are groups, a mask on one side has
  // the channels of both looked at one by one.
  logic masks_groups;
  assign masks_groups  = op_i.groups > 1 && (op_i.mask_in != 8'(MASK_NONE) ||
                                             op_i.mask_out != 8'(MASK_NONE));
  always_ff @(posedge clk_i) begin
    grouped_q       <= grouped(op_i);
    source_listed_q <= op_i.mask_in != 8'(MASK_NONE) || op_i.has_table || masks_groups;
    result_listed_q <= op_i.mask_out != 8'(MASK_NONE) || op_i.has_table || masks_groups;
  end

  // Words of vectors, of pairs of values, of masks, of tables.
  channels_t vector_words, pair_words, mask_words;
  logic [23:0] table_words;
  assign vector_words = (op_i.channels + channels_t'(7)) >> 3;
  assign pair_words   = (op_i.channels + channels_t'(1)) >> 1;
  assign mask_words   = (op_i.channels + channels_t'(63)) >> 6;
  assign table_words  = op_i.has_table ? 24'((25'(inputs) + 25'(outputs) + 25'd3) >> 2) : '0;

  // Four steps to the verdict, a cycle each: sums of two, sums of three, comparisons, the choice by
  // opcode.  All of it follows the products, without an enable: nothing changes before the verdict.

  // First step.
  logic [32:0] source_at_q, result_at_q, residual_at_q, flat_at_q;  // where the last channel begins
  logic [32:0] source_blocks_q, result_blocks_q, plane_blocks_q, own_blocks_q;
  logic [32:0] trace_blocks_q, flat_blocks_q;
  logic [32:0] vector_to_q, vector_from_q, flat_to_q, inputs_from_q;  // ends in the vector memory
  logic [32:0] rows_end_q;  // in the parameters
  logic [32:0] linear_end_q, threshold_end_q, table_end_q;
  logic [32:0] result_words_q, trace_words_q;  // that follow result_addr, trace_addr
  // Planes depend on fields alone, which are there long before.
  logic [10:0] own_plane_q, phase_plane_q, source_plane_q, result_plane_q;
  logic [17:0] three_planes_q;
  logic row_fits_q, chunk_fits_q, channels_known_q, chunk_known_q;
  logic kernel_known_q, source_known_q, mask_in_known_q, mask_out_known_q;
  always_ff @(posedge clk_i) begin
    own_plane_q     <= own_plane;
    phase_plane_q   <= phase_plane;
    source_plane_q  <= source_plane;
    result_plane_q  <= result_plane;
    three_planes_q  <= (18'(op_i.src_plane) << 1) + 18'(op_i.src_plane);
    source_at_q     <= 33'(op_i.src_base) + 33'(src_span);
    result_at_q     <= 33'(op_i.dst_base) + 33'(dst_span);
    residual_at_q   <= 33'(op_i.res_base) + 33'(res_span);
    flat_at_q       <= 33'(op_i.src_base) + 33'(flat_blocks);
    source_blocks_q <= op_i.stride == 2'd1 ? 33'(own_plane_q)
                                           : 33'(three_planes_q) + 33'(phase_plane_q);
    result_blocks_q <= op_i.dst_split ? 33'(result_plane_q) << 2 : 33'(source_plane_q);
    plane_blocks_q  <= 33'(source_plane_q);
    own_blocks_q    <= 33'(own_plane_q);
    trace_blocks_q  <= 33'(op_i.dst_base) + 33'(trace_blocks);
    flat_blocks_q   <= 33'(flat_blocks);
    vector_to_q     <= 33'(op_i.vec_dst) + 33'(vector_words);
    vector_from_q   <= 33'(op_i.vec_src) + 33'(vector_words);
    flat_to_q       <= 33'(op_i.vec_dst) + (33'(flat_blocks) << 3);
    inputs_from_q   <= 33'(op_i.vec_src) + 33'(weight_words_q[15:0]);
    rows_end_q      <= 33'(op_i.weight_addr) + 33'(rows_words);
    linear_end_q    <= 33'(op_i.weight_addr) + 33'(linear_words);
    threshold_end_q <= 33'(op_i.threshold_addr) + 33'(pair_words);
    table_end_q     <= (op_i.has_table ? 33'(op_i.table_addr) : '0) + 33'(table_words);
    result_words_q  <= op_i.linear_mode == LINEAR_WIDE ? 33'(pair_words) : 33'(mask_words);
    trace_words_q   <= writes_map(op_i) ? 33'(trace_blocks) << 3 :
                       op_i.opcode == OP_FLATTEN ? 33'(flat_blocks) << 3 : 33'(vector_words);
    row_fits_q       <= !weight_words_q[16] && 18'(weight_words_q) >= (row_bytes + 18'd7) >> 3;
    chunk_fits_q     <= chunk_words <= 24'(BankWords);
    kernel_known_q   <= kernel_known;
    source_known_q   <= source_known;
    mask_in_known_q  <= mask_in_known;
    mask_out_known_q <= mask_out_known;
    channels_known_q <= inputs >= 1 && outputs >= 1 && inputs <= 24'(MAX_CHANNELS) &&
                        outputs <= 24'(MAX_CHANNELS);
    chunk_known_q    <= op_i.chunk >= 1 && op_i.chunk <= 8'(MAX_CHUNK);
  end

  // Second step.
  logic [32:0] source_end_q, same_end_q, residual_end_q, own_end_q, result_end_q;
  logic [32:0] result_end_word_q, trace_end_word_q;
  logic rows2_fit_q, fields2_known_q, masks2_known_q, window2_known_q, channels2_known_q;
  always_ff @(posedge clk_i) begin
    source_end_q      <= source_at_q + source_blocks_q;
    same_end_q        <= source_at_q + plane_blocks_q;
    own_end_q         <= source_at_q + own_blocks_q;
    residual_end_q    <= residual_at_q + plane_blocks_q;
    result_end_q      <= result_at_q + result_blocks_q;
    result_end_word_q <= 33'(op_i.result_addr) + result_words_q;
    trace_end_word_q  <= 33'(op_i.trace_addr) + trace_words_q;
    rows2_fit_q       <= row_fits_q && chunk_fits_q;
    fields2_known_q   <= kernel_known_q && source_known_q && mask_in_known_q && mask_out_known_q;
    masks2_known_q    <= mask_in_known_q && mask_out_known_q;
    window2_known_q   <= kernel_known_q && source_known_q && mask_in_known_q;
    channels2_known_q <= channels_known_q && chunk_known_q;
  end

  // Channels of a map that have blocks of their own only: all that the map takes of one lies before
  // the next one.
  logic [32:0] source_takes_q;
  always_ff @(posedge clk_i) begin
    source_takes_q <= own_blocks_q;
    if (moves_window(op_i)) source_takes_q <= source_blocks_q;
    else if (pixelwise(op_i)) source_takes_q <= plane_blocks_q;
    source_apart_q <= source_takes_q <= 33'(op_i.src_step);
    result_apart_q <= result_blocks_q <= 33'(op_i.dst_step);
    beside_q       <= source_end_q <= 33'(op_i.dst_base) || result_end_q <= 33'(op_i.src_base);
  end

  // Third step.
  logic source_fits_q, same_fits_q, own_fits_q, residual_fits_q, result_fits_q, flat_fits_q;
  logic traced_fits_q, image_fits_q, rows_there_q, linear_there_q, thresholds_there_q;
  logic vector_to_fits_q, vector_from_fits_q, flat_to_fits_q, inputs_fit_q;
  logic results_fit_q, trace_fits_q;
  logic rows3_fit_q, fields3_known_q, channels3_known_q, shift3_known_q, masks3_known_q;
  logic weights3_known_q, flat3_known_q, row3_known_q, mask_in3_known_q, window3_known_q;
  logic mask_register3_q, traces3_q;
  always_ff @(posedge clk_i) begin
    source_fits_q      <= source_end_q <= Features;
    same_fits_q        <= same_end_q <= Features;
    own_fits_q         <= own_end_q <= Features;
    residual_fits_q    <= !op_i.res_enable || residual_end_q <= Features;
    result_fits_q      <= result_end_q <= Features;
    flat_fits_q        <= flat_at_q <= Features;
    traced_fits_q      <= trace_blocks_q <= Features;
    image_fits_q       <= 32'(image_words) <= buffers_i.image.words;
    rows_there_q       <= rows_end_q <= 33'(buffers_i.params.words) &&
                          table_end_q <= 33'(buffers_i.params.words);
    linear_there_q     <= linear_end_q <= 33'(buffers_i.params.words);
    thresholds_there_q <= threshold_end_q <= 33'(buffers_i.params.words);
    vector_to_fits_q   <= vector_to_q <= Vectors;
    vector_from_fits_q <= vector_from_q <= Vectors;
    flat_to_fits_q     <= flat_to_q <= Vectors;
    inputs_fit_q       <= inputs_from_q <= Vectors;
    // Results lie behind the header.
    results_fit_q      <= op_i.result_addr >= 24'(HEADER_WORDS) &&
                          result_end_word_q <= 33'(buffers_i.result.words);
    trace_fits_q       <= op_i.trace_addr == 0 ||
                          (op_i.trace_addr >= 24'(HEADER_WORDS) &&
                           trace_end_word_q <= 33'(buffers_i.result.words));
    rows3_fit_q        <= rows2_fit_q;
    fields3_known_q    <= fields2_known_q;
    channels3_known_q  <= channels2_known_q;
    shift3_known_q     <= shift_known;
    mask_in3_known_q   <= mask_in_known_q;
    masks3_known_q     <= masks2_known_q;
    window3_known_q    <= window2_known_q;
    row3_known_q       <= source_row_known;
    weights3_known_q   <= !weight_words_q[16] && weight_words_q != 0;
    flat3_known_q      <= flat_blocks_q != 0;
    mask_register3_q   <= op_i.mask_out < 8'(MASK_REGISTERS) &&
                          op_i.channels <= channels_t'(MAX_LISTED);
    traces3_q          <= op_i.trace_addr != 0;
  end

  // Verdicts of the operands, by opcode.
  logic [7:0] operands, status;
  always_comb begin
    operands = STATUS_OK;
    unique case (op_i.opcode)
      OP_LOAD: if (!image_fits_q) operands = STATUS_IMAGE_RANGE;
      OP_CONV: begin
        if (!channels3_known_q || !fields3_known_q || !rows3_fit_q) operands = STATUS_BAD_FIELD;
        else if (!source_fits_q || !residual_fits_q) operands = STATUS_FEATURE_RANGE;
        else if (!rows_there_q) operands = STATUS_PARAM_RANGE;
      end
      OP_ELTWISE: begin
        if (!shift3_known_q || !masks3_known_q) operands = STATUS_BAD_FIELD;
        else if (!same_fits_q || !residual_fits_q) operands = STATUS_FEATURE_RANGE;
      end
      OP_POOL: begin
        if (!window3_known_q || (!op_i.pool_max && !shift3_known_q)) operands = STATUS_BAD_FIELD;
        else if (!source_fits_q) operands = STATUS_FEATURE_RANGE;
      end
      OP_GAVG: begin
        if (!shift3_known_q || !mask_in3_known_q || !row3_known_q || !vector_to_fits_q) begin
          operands = STATUS_BAD_FIELD;
        end else if (!own_fits_q) operands = STATUS_FEATURE_RANGE;
        else if (!trace_fits_q) operands = STATUS_RESULT_RANGE;
      end
      OP_FLATTEN: begin
        if (!flat3_known_q || !flat_to_fits_q) operands = STATUS_BAD_FIELD;
        else if (!flat_fits_q) operands = STATUS_FEATURE_RANGE;
        else if (!trace_fits_q) operands = STATUS_RESULT_RANGE;
      end
      OP_LINEAR: begin
        if (!weights3_known_q || !inputs_fit_q) operands = STATUS_BAD_FIELD;
        else if (!linear_there_q) operands = STATUS_PARAM_RANGE;
        else begin
          unique case (op_i.linear_mode)
            LINEAR_WIDE: begin
              if (traces3_q) operands = STATUS_BAD_FIELD;
              else if (!results_fit_q) operands = STATUS_RESULT_RANGE;
            end
            LINEAR_GATE: begin
              if (traces3_q || !mask_register3_q) operands = STATUS_BAD_FIELD;
              else if (!thresholds_there_q) operands = STATUS_PARAM_RANGE;
              else if (!results_fit_q) operands = STATUS_RESULT_RANGE;
            end
            default: begin
              if (!vector_to_fits_q) operands = STATUS_BAD_FIELD;
              else if (!trace_fits_q) operands = STATUS_RESULT_RANGE;
            end
          endcase
        end
      end
      OP_SCALE: begin
        if (!shift3_known_q || !mask_in3_known_q || !vector_from_fits_q) begin
          operands = STATUS_BAD_FIELD;
        end else if (!same_fits_q) operands = STATUS_FEATURE_RANGE;
      end
      OP_EXIT: operands = STATUS_OK;
      default: operands = STATUS_OK;
    endcase
  end

  // And of the map that is written.
  logic [7:0] operands_q, map_status, map_status_q;
  logic known_q, reserved_clear_q, channels_there_q, result_known_q;
  logic operands_good_q, map_good_q, writes_map_q;

  // Reserved bits, a byte at a time; which they are depends on the opcode.
  logic [8*INSTRUCTION_WORDS-1:0] clear_parts_q;
  for (genvar part = 0; part < 8 * INSTRUCTION_WORDS; part++) begin : gen_reserved
    instruction_words_t words;
    always_comb begin
      words = '0;
      words[part/8][8*(part%8)+:8] = words_i[part/8][8*(part%8)+:8];
    end
    always_ff @(posedge clk_i) begin
      clear_parts_q[part] <= reserved_bits_clear(opcode_of(words_i), words);
    end
  end
  always_comb begin
    map_status = STATUS_OK;
    if (!result_fits_q || (traces3_q && !traced_fits_q)) map_status = STATUS_FEATURE_RANGE;
    else if (!trace_fits_q) map_status = STATUS_RESULT_RANGE;
  end

  always_comb begin
    if (!known_q) status = STATUS_ILLEGAL_OPCODE;
    else if (!reserved_clear_q) status = STATUS_BAD_FIELD;
    else if (!channels_there_q || (writes_map_q && !result_known_q)) status = STATUS_BAD_FIELD;
    else if (!operands_good_q || !writes_map_q) status = operands_q;
    else status = map_status_q;
  end

  always_ff @(posedge clk_i) begin
    operands_q       <= operands;
    operands_good_q  <= operands == STATUS_OK;
    map_status_q     <= map_status;
    map_good_q       <= map_status == STATUS_OK;
    writes_map_q     <= writes_map(op_i);
    known_q          <= opcode_known(op_i.opcode);
    reserved_clear_q <= &clear_parts_q;
    channels_there_q <= !has_channels(op_i) ||
                        (op_i.channels >= 1 && op_i.channels <= channels_t'(MAX_CHANNELS));
    result_known_q   <= result_known;
    if (!valid_o) begin
      status_o <= status;
      good_o   <= known_q && reserved_clear_q && channels_there_q && operands_good_q &&
                  (!writes_map_q || (result_known_q && map_good_q));
    end
  end

`ifndef SYNTHESIS
  good_as_the_verdict :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   valid_o |-> good_o == (status_o == STATUS_OK))
  else $error("an instruction is good against its verdict");
`endif

  logic unused_op_fields, unused_buffer_fields;
  assign unused_op_fields     = ^op_i;
  assign unused_buffer_fields = ^buffers_i;

endmodule

`default_nettype wire
