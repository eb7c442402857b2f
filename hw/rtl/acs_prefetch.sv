// Asks for what an instruction reads from memory: of the running instruction first, then, when that
// one needs no more, of the next.  Words wait in the read master's buffer, weights in the free set
// of banks, until their instruction runs.
`default_nettype none

module acs_prefetch
  import acs_isa_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         stop_i,          // no run, or its end
  input  wire instruction_t current_i,
  input  wire logic         current_valid_i,
  input  wire instruction_t next_i,
  input  wire logic         next_valid_i,    // and judged to be good
  input  wire logic         take_i,          // the next one becomes the current one
  input  wire logic         current_quiet_i, // the current one starts no more weight loads
  input  wire logic         loader_busy_i,
  output      logic         ahead_o,         // what is asked for now belongs to the next one
  // Read master.
  input  wire logic [63:0]  params_i,
  input  wire logic [63:0]  image_i,
  output      logic         image_valid_o,
  output      logic         vector_valid_o,  // thresholds and weights of LINEAR
  output      logic         table_valid_o,
  input  wire logic         image_ready_i,
  input  wire logic         vector_ready_i,
  input  wire logic         table_ready_i,
  output      logic [63:0]  req_addr_o,
  output      logic [31:0]  req_words_o,
  // Weights of a CONV without output mask: all rows of all groups.
  output      logic         load_o,
  output      instruction_t load_op_o
);
  // In this order, each where the instruction has it; products settle before.
  typedef enum logic [2:0] {StRows, StProducts, StFirst, StSecond, StDone} step_e;
  step_e        step_q;
  logic         ahead_q;        // step_q is about the next instruction
  instruction_t op;
  logic         allowed, first, second, advance;
  logic [12:0]  plane_words_q;
  logic [23:0]  image_words_q;
  logic [11:0]  entries_q;
  logic [26:0]  linear_words_q;
  logic         is_gate, is_load, is_conv, is_linear;

  assign op        = ahead_q ? next_i : current_i;
  assign is_load   = op.opcode == OP_LOAD;
  assign is_conv   = op.opcode == OP_CONV;
  assign is_linear = op.opcode == OP_LINEAR;
  assign is_gate   = is_linear && op.linear_mode == LINEAR_GATE;
  assign allowed   = !stop_i && !loader_busy_i &&
                     (ahead_q ? next_valid_i && current_quiet_i : current_valid_i);

  always_ff @(posedge clk_i) begin
    plane_words_q  <= 13'(op.dst_height) * 13'(9'((9'(op.dst_width) + 9'd7) >> 3));
    image_words_q  <= 24'(op.channels) * 24'(plane_words_q);
    entries_q      <= 12'(op.groups * (12'(op.channels_in) + 12'(op.channels)));
    linear_words_q <= 27'(op.channels) * 27'(op.row_words);
  end

  // First: thresholds, a table or the image.  Second: rows.
  assign first  = is_load || is_gate || (is_conv && op.has_table);
  assign second = is_linear || (is_conv && op.mask_out == 8'(MASK_NONE));

  assign image_valid_o  = allowed && step_q == StFirst && is_load;
  assign table_valid_o  = allowed && step_q == StFirst && is_conv && op.has_table;
  assign vector_valid_o = allowed && is_linear && (step_q == StFirst ? is_gate
                                                                     : step_q == StSecond);
  assign load_o         = allowed && step_q == StSecond && is_conv && second;
  assign load_op_o      = op;
  assign ahead_o        = ahead_q;

  always_comb begin
    req_addr_o  = params_i + {29'b0, op.weight_addr, 3'b0};
    req_words_o = 32'(linear_words_q);
    if (step_q == StFirst) begin
      unique case (1'b1)
        is_load: begin
          req_addr_o  = image_i;
          req_words_o = 32'(image_words_q);
        end
        is_linear: begin
          req_addr_o  = params_i + {29'b0, op.threshold_addr, 3'b0};
          req_words_o = (32'(op.channels) + 32'd1) >> 1;
        end
        default: begin
          req_addr_o  = params_i + {29'b0, op.table_addr, 3'b0};
          req_words_o = (32'(entries_q) + 32'd3) >> 2;
        end
      endcase
    end
  end

  always_comb begin
    advance = 1'b0;
    if (allowed) begin
      unique case (step_q)
        StRows, StProducts: advance = 1'b1;
        StFirst:  advance = !first || (image_valid_o && image_ready_i) ||
                            (table_valid_o && table_ready_i) || (vector_valid_o && vector_ready_i);
        StSecond: advance = !is_linear || (vector_valid_o && vector_ready_i);
        default:  advance = 1'b0;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || stop_i) begin
      step_q  <= StRows;
      ahead_q <= 1'b1;
    end else begin
      if (advance) step_q <= step_e'(step_q + 3'd1);
      if (take_i) begin
        // It was asked for, or will be while it runs.
        ahead_q <= 1'b0;
        if (!ahead_q) step_q <= StRows;
      end else if (!ahead_q && step_q == StDone) begin
        ahead_q <= 1'b1;
        step_q  <= StRows;
      end
    end
  end

  logic unused;
  assign unused = ^{op, second};

endmodule

`default_nettype wire
