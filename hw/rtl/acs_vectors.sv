// The vector memory and the modules that use it: acs_linear with its feed, acs_copy, and the order
// in which the read port serves them.  Data comes one cycle after its address.
`default_nettype none

module acs_vectors
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned VectorWords = 1024,
  parameter bit          Dsp         = 1'b1  // products of LINEAR take DSP slices
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  input  wire logic         gavg_i,         // it is a GAVG
  input  wire logic         discard_i,      // a run begins or ends
  input  wire logic         clear_i,        // a new instruction
  // LINEAR.
  input  wire logic         linear_start_i,
  output      logic         linear_done_o,
  output      logic         gate_done_o,    // a mask is complete
  output      logic         linear_stall_o,
  input  wire logic         job_valid_i,    // the words that memory was asked for, in order
  input  wire linear_job_t  job_i,
  output      logic         job_fits_o,     // its words have a place
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  input  wire logic         data_error_i,   // the word came with an error answer
  output      logic         error_o,        // such a word was used
  output      mask_write_t  mask_write_o,
  output      deciding_t    deciding_o,
  output      word_t        result_o,
  input  wire logic         result_ready_i,
  // GAVG.
  input  wire logic         total_valid_i,
  input  wire logic signed [31:0] total_i,
  output      logic         totals_done_o,  // all are in the vector memory
  // SCALE.
  input  wire logic [15:0]  factor_addr_i,
  output      logic [63:0]  factor_word_o,
  // Copies.
  input  wire logic         copy_start_i,
  input  wire copy_t        copy_i,
  output      logic         copy_done_o,
  output      logic         copy_read_valid_o,   // of the feature memory
  input  wire logic         copy_read_ready_i,
  output      logic [15:0]  copy_read_addr_o,
  input  wire logic         copy_read_data_valid_i,
  input  wire segments_t    copy_read_data_i,
  output      word_t        copy_word_o,         // to the result buffer
  input  wire logic         copy_word_ready_i
);
  localparam int unsigned VW = $clog2(VectorWords);

  logic weights_valid, weights_take, record_take, thresholds_take, feed_error;
  logic [63:0] weights, thresholds;
  constants_t record;
  logic copying_q, linear_write, copy_write;
  logic [15:0] read_addr, linear_read_addr, copy_read_addr;
  logic [15:0] write_addr, linear_write_addr, copy_write_addr;
  logic [63:0] word, linear_data;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) copying_q <= 1'b0;
    else if (copy_start_i) copying_q <= 1'b1;
    else if (copy_done_o) copying_q <= 1'b0;
  end

  assign read_addr     = copying_q ? copy_read_addr :
                         op_i.opcode == OP_SCALE ? factor_addr_i : linear_read_addr;
  assign write_addr    = copy_write ? copy_write_addr : linear_write_addr;
  assign factor_word_o = word;

  acs_ram #(
    .Width(64),
    .Depth(VectorWords)
  ) u_ram (
    .clk_i,
    .write_i     (copy_write || linear_write),
    .write_addr_i(write_addr[VW-1:0]),
    .write_data_i(copy_write ? copy_word_o.data : linear_data),
    .read_addr_i (read_addr[VW-1:0]),
    .read_data_o (word)
  );

  acs_linear_feed u_feed (
    .clk_i,
    .rst_ni,
    .clear_i          (discard_i),
    .job_valid_i,
    .job_i,
    .fits_o           (job_fits_o),
    .data_valid_i,
    .data_ready_o,
    .data_i,
    .data_error_i,
    .weights_valid_o  (weights_valid),
    .weights_take_i   (weights_take),
    .weights_o        (weights),
    .record_take_i    (record_take),
    .record_o         (record),
    .thresholds_take_i(thresholds_take),
    .thresholds_o     (thresholds),
    .error_o          (feed_error)
  );

  // Told a cycle later: results of what was taken come later still.
  always_ff @(posedge clk_i) error_o <= rst_ni && !discard_i && feed_error;

  acs_linear #(
    .Dsp(Dsp)
  ) u_linear (
    .clk_i,
    .rst_ni,
    .start_i            (linear_start_i),
    .discard_i,
    .clear_i,
    .op_i,
    .gavg_i,
    .done_o             (linear_done_o),
    .gate_done_o,
    .totals_done_o,
    .stall_o            (linear_stall_o),
    .weights_valid_i    (weights_valid),
    .weights_take_o     (weights_take),
    .weights_i          (weights),
    .record_take_o      (record_take),
    .record_i           (record),
    .thresholds_take_o  (thresholds_take),
    .thresholds_i       (thresholds),
    .total_valid_i,
    .total_i,
    .vector_read_addr_o (linear_read_addr),
    .vector_data_i      (word),
    .vector_write_o     (linear_write),
    .vector_write_addr_o(linear_write_addr),
    .vector_data_o      (linear_data),
    .mask_write_o,
    .deciding_o,
    .result_valid_o     (result_o.valid),
    .result_ready_i,
    .result_o           (result_o.data)
  );

  acs_copy u_copy (
    .clk_i,
    .rst_ni,
    .start_i            (copy_start_i),
    .from_vector_i      (copy_i.from_vector),
    .to_vector_i        (copy_i.to_vector),
    .block_i            (copy_i.block),
    .vector_addr_i      (copy_i.vector_addr),
    .words_i            (copy_i.words),
    .done_o             (copy_done_o),
    .read_valid_o       (copy_read_valid_o),
    .read_ready_i       (copy_read_ready_i),
    .read_addr_o        (copy_read_addr_o),
    .read_data_valid_i  (copy_read_data_valid_i),
    .read_data_i        (copy_read_data_i),
    .vector_read_addr_o (copy_read_addr),
    .vector_data_i      (word),
    .vector_write_o     (copy_write),
    .vector_write_addr_o(copy_write_addr),
    .data_valid_o       (copy_word_o.valid),
    .data_ready_i       (copy_word_ready_i),
    .data_o             (copy_word_o.data)
  );

  logic unused_address_bits;
  assign unused_address_bits = ^{read_addr, write_addr};

endmodule

`default_nettype wire
