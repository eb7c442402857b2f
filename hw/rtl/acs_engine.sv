// The engine: an AXI4-Lite slave with the register map of the HLS engine, one 64-bit AXI4 master.
// Only wiring is here.  acs_engine_pins has a pin for every signal of the two buses.
`default_nettype none

module acs_engine
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024,
  parameter int unsigned PostLanes     = 16,
  parameter int unsigned MultiplierBits = acs_pkg::multiplier_bits(LaneGroups)
) (
  input  wire logic           clk_i,
  input  wire logic           rst_ni,
  output      logic           interrupt_o,
  input  wire axil_req_t      axil_i,
  output      axil_rsp_t      axil_o,
  output      axi_read_req_t  axi_read_o,
  input  wire axi_read_rsp_t  axi_read_i,
  output      axi_write_req_t axi_write_o,
  input  wire axi_write_rsp_t axi_write_i
);
  localparam int unsigned BW = $clog2(BankWords);
  localparam logic [31:0] Configuration =
      32'h8000_0000 | 32'((FeatureBlocks / 16) << 8) | 32'(LaneGroups);

  // Registers and control.
  logic [1:0] core_rst_n;  // copies
  logic asked, start, done, abort, trace, clear, ahead, discard;
  buffers_t buffers;
  logic [7:0] status, record_addr;
  logic [31:0] fault_index, index;
  logic [28:0] load_index, arriving_index;  // of instructions whose weights are asked for, arrive
  instruction_t op, array_op, stored_op, load_all_op;
  channels_t load_all_rows;
  kind_t kind;
  channel_counts_t active, masked;
  table_job_t table_job;
  logic table_job_valid, table_error, table_half;
  logic array_start, array_done, array_loose, array_quiet, bad_table, copy_start, copy_done;
  logic
    load_start,
    load_done,
    loading,
    image_asked,
    linear_start,
    linear_done,
    gate_done,
    linear_stall,
    linear_job_valid;
  copy_t copy;
  events_t events;

  // Memory ports.
  logic [READERS-1:0] read_req_valid, read_req_ready, read_valid, read_ready;
  span_t [READERS-1:0] read_req;
  logic [63:0] read_data, weight_data, factor_word;
  logic write_req_valid, write_req_ready, write_ready, write_idle, write_error, clear_error;
  logic read_error, read_idle, header_next, written, linear_error, weight_error, image_error;
  logic total_valid, totals_done;
  span_t write_req;
  word_t header, result, copy_word;

  // Channels.
  table_write_t table_write;
  sides_t scan, scan_busy, flag;
  channel_counts_t first, found, passed;
  channels_t in_count;
  mask_write_t mask_write;
  deciding_t deciding;
  channel_t in_addr, in_channel, next_in_channel, out_channel, unused_next_channel, post_list;
  listed_t out_listed, unused_in_listed, in_index, row_addr, row_index, flag_addr, clear_list;

  // Weights.
  logic
    load_all,
    load_list,
    loader_busy,
    loader_asks,
    loader_free,
    chunk_done,
    row_read_valid,
    weight_set,
    record_write;
  row_list_t row_list;
  logic [1:0][7:0] rows_there;
  logic [1:0] chunks_there;
  early_words_t early;
  logic [LaneGroups-1:0] weight_write;
  logic [BW-1:0] weight_addr;
  constants_t record;

  // Iterations, rounds, and the way of their sums.
  logic iteration_valid, iteration_ready, round_valid, release_round, post_looks;
  iteration_t iteration;
  round_t round;
  logic tail, last_round;
  logic clear_start, clear_busy, post_idle, block_valid, block_ready, features_valid;
  logic [LaneGroups-1:0] sums_valid;
  logic [LaneGroups-1:0][SUMS_COPIES-1:0] sums_there;
  logic [7:0] image_there, block_there, loaded_rows;
  logic image_write_ready;
  logic block_follows;
  sums_t [LaneGroups-1:0] sums;
  pixels_t maxima;
  logic block_write_valid, image_write_valid, residual_valid, copy_read_valid, features_ready;
  result_block_t block;
  segments_t features;
  block_write_t block_write, image_write;
  logic [15:0] clear_blocks, residual_addr, copy_read_addr, row_read, factor_addr;

  // Vectors.
  linear_job_t linear_job;
  logic linear_fits;
  logic signed [31:0] total;

  acs_axil_regs u_regs (
    .clk_i,
    .rst_ni,
    .axil_i,
    .axil_o,
    .interrupt_o,
    .start_o        (asked),
    .done_i         (done),
    .abort_i        (abort),
    .index_i        (index),
    .buffers_o      (buffers),
    .trace_o        (trace),
    .configuration_i(Configuration),
    .status_i       (32'(status)),
    .fault_index_i  (fault_index)
  );

`ifndef SYNTHESIS
  acs_access_check u_accesses (
    .clk_i,
    .begins_i (u_regs.begins),
    .buffers_i(u_regs.buffers_q),
    .start_i  (start),
    .read_i   (axi_read_o),
    .write_i  (axi_write_o)
  );
`endif

`ifndef SYNTHESIS
  acs_tail_check u_tail (
    .clk_i,
    .rst_ni     (core_rst_n[0]),
    .tail_i     (tail),
    .op_i       (array_op),
    .issue_i    (iteration_valid && iteration_ready),
    .iteration_i(iteration),
    .write_i    (block_write_valid),
    .block_i    (block_write)
  );
`endif

  acs_control #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_control (
    .clk_i,
    .rst_ni            (core_rst_n[0]),
    .start_i           (start),
    .done_o            (done),
    .buffers_i         (buffers),
    .trace_i           (trace),
    .status_o          (status),
    .fault_index_o     (fault_index),
    .index_o           (index),
    .op_o              (op),
    .array_op_o        (array_op),
    .kind_o            (kind),
    .clear_o           (clear),
    .ahead_o           (ahead),
    .array_start_o     (array_start),
    .load_start_o      (load_start),
    .linear_start_o    (linear_start),
    .copy_start_o      (copy_start),
    .copy_o            (copy),
    .array_done_i      (array_done),
    .array_loose_i     (array_loose),
    .bad_table_i       (bad_table),
    .load_done_i       (load_done),
    .image_asked_i     (image_asked),
    .linear_done_i     (linear_done),
    .gate_done_i       (gate_done),
    .copy_done_i       (copy_done),
    .mask_write_i      (mask_write),
    .events_i          (events),
    .active_i          (active),
    .masked_i          (masked),
    .linear_stall_i    (linear_stall),
    .array_quiet_i     (array_quiet),
    .array_load_i      (load_list),
    .row_read_i        (row_read),
    .loader_busy_i     (loader_busy),
    .loader_asks_i     (loader_asks),
    .loader_free_i     (loader_free),
    .load_index_i      (arriving_index),
    .image_error_i     (image_error),
    .load_error_i      (weight_error),
    .linear_error_i    (linear_error),
    .table_error_i     (table_error),
    .req_valid_o       (read_req_valid[FRONT_READERS-1:0]),
    .req_ready_i       (read_req_ready[FRONT_READERS-1:0]),
    .req_o             (read_req[FRONT_READERS-1:0]),
    .data_valid_i      (read_valid[READER_PROGRAM]),
    .data_ready_o      (read_ready[READER_PROGRAM]),
    .data_i            (read_data),
    .data_error_i      (read_error),
    .discard_o         (discard),
    .read_idle_i       (read_idle),
    .load_o            (load_all),
    .load_op_o         (load_all_op),
    .table_job_valid_o (table_job_valid),
    .table_job_o       (table_job),
    .load_rows_o       (load_all_rows),
    .load_index_o      (load_index),
    .linear_job_valid_o(linear_job_valid),
    .linear_job_o      (linear_job),
    .linear_fits_i     (linear_fits),
    .clear_error_o     (clear_error),
    .wreq_valid_o      (write_req_valid),
    .wreq_ready_i      (write_req_ready),
    .wreq_o            (write_req),
    .header_o          (header),
    .header_ready_i    (write_ready),
    .write_idle_i      (write_idle),
    .write_error_i     (write_error),
    .header_next_o     (header_next),
    .written_i         (written)
  );

  acs_memory_ports u_memory (
    .clk_i,
    .rst_ni,
    .core_rst_no      (core_rst_n),
    .start_i          (asked),
    .start_o          (start),
    .abort_o          (abort),
    .discard_i        (discard),
    .read_idle_o      (read_idle),
    .read_req_valid_i (read_req_valid),
    .read_req_ready_o (read_req_ready),
    .read_req_i       (read_req),
    .read_valid_o     (read_valid),
    .read_ready_i     (read_ready),
    .read_data_o      (read_data),
    .read_error_o     (read_error),
    .image_error_o    (image_error),
    .write_req_valid_i(write_req_valid),
    .write_req_ready_o(write_req_ready),
    .write_req_i      (write_req),
    .header_i         (header),
    .result_i         (result),
    .trace_i          (copy_word),
    .write_ready_o    (write_ready),
    .write_idle_o     (write_idle),
    .header_next_i    (header_next),
    .written_o        (written),
    .clear_error_i    (clear_error),
    .write_error_o    (write_error),
    .axi_read_o,
    .axi_read_i,
    .axi_write_o,
    .axi_write_i
  );

  acs_channels #(
    .NextGroup(1'b1)
  ) u_inputs (
    .clk_i,
    .rst_ni       (core_rst_n[1]),
    .clear_i      (discard),
    .mask_write_i (mask_write),
    .deciding_i   (deciding),
    .table_write_i(table_write.inputs),
    .table_write_half_i(table_write.half),
    .table_addr_i (table_write.address),
    .table_earlier_i(table_write.earlier),
    .table_data_i (table_write.channel),
    .has_table_i  (array_op.has_table),
    .table_half_i (table_half),
    .scan_i       (scan.inputs),
    .mask_i       (array_op.mask_in),
    .first_i      (first.inputs),
    .count_i      (in_count),
    .base_i       (first.inputs),
    .busy_o       (scan_busy.inputs),
    .active_o     (found.inputs),
    .masked_o     (passed.inputs),
    .listed_i     (kind.listed.inputs),
    .addr_i       (in_addr),
    .channel_o    (in_channel),
    .next_channel_o(next_in_channel),
    .list_channel_o(unused_in_listed),
    .index_addr_i (listed_t'(in_addr)),
    .index_o      (in_index),
    .flag_addr_i  (flag_addr),
    .flag_o       (flag.inputs)
  );

  acs_channels u_outputs (
    .clk_i,
    .rst_ni       (core_rst_n[1]),
    .clear_i      (discard),
    .mask_write_i (mask_write),
    .deciding_i   (deciding),
    .table_write_i(table_write.outputs),
    .table_write_half_i(table_write.half),
    .table_addr_i (table_write.address),
    .table_earlier_i(table_write.earlier),
    .table_data_i (table_write.channel),
    .has_table_i  (array_op.has_table),
    .table_half_i (table_half),
    .scan_i       (scan.outputs),
    .mask_i       (array_op.mask_out),
    .first_i      (first.outputs),
    .count_i      (array_op.channels),
    .base_i       ('0),
    .busy_o       (scan_busy.outputs),
    .active_o     (found.outputs),
    .masked_o     (passed.outputs),
    .listed_i     (kind.listed.outputs && kind.conv),
    .addr_i       (post_looks ? post_list : channel_t'(clear_list)),
    .channel_o    (out_channel),
    .next_channel_o(unused_next_channel),
    .list_channel_o(out_listed),
    .index_addr_i (row_addr),
    .index_o      (row_index),
    .flag_addr_i  (flag_addr),
    .flag_o       (flag.outputs)
  );

  acs_array_control #(
    .LaneGroups(LaneGroups),
    .BankWords(BankWords)
  ) u_array_control (
    .clk_i,
    .rst_ni          (core_rst_n[1]),
    .clear_i         (discard),
    .leave_i         (clear),
    .start_i         (array_start),
    .ahead_i         (ahead),
    .op_i            (array_op),
    .kind_i          (kind),
    .stored_op_o     (stored_op),
    .tail_o          (tail),
    .quiet_o         (array_quiet),
    .loose_o         (array_loose),
    .done_o          (array_done),
    .bad_table_o     (bad_table),
    .events_o        (events),
    .table_job_valid_i(table_job_valid),
    .table_job_i     (table_job),
    .table_error_o   (table_error),
    .table_half_o    (table_half),
    .data_valid_i    (read_valid[READER_TABLE]),
    .data_ready_o    (read_ready[READER_TABLE]),
    .data_i          (read_data),
    .data_error_i    (read_error),
    .table_write_o   (table_write),
    .scan_o          (scan),
    .first_o         (first),
    .in_count_o      (in_count),
    .scan_busy_i     (scan_busy),
    .found_i         (found),
    .passed_i        (passed),
    .active_o        (active),
    .masked_o        (masked),
    .in_addr_o       (in_addr),
    .in_channel_i    (in_channel),
    .next_channel_i  (next_in_channel),
    .in_index_i      (in_index),
    .flag_addr_o     (flag_addr),
    .flag_i          (flag),
    .clear_start_o   (clear_start),
    .clear_blocks_o  (clear_blocks),
    .clear_busy_i    (clear_busy),
    .load_o          (load_list),
    .load_list_o     (row_list),
    .rows_i          (rows_there),
    .complete_i      (chunks_there),
    .early_i         (early),
    .chunk_done_i    (chunk_done),
    .rows_known_i    (row_read_valid),
    .loading_i       (loading),
    .loaded_rows_i   (loaded_rows),
    .factor_addr_o   (factor_addr),
    .factor_word_i   (factor_word),
    .valid_o         (iteration_valid),
    .ready_i         (iteration_ready),
    .iteration_o     (iteration),
    .round_valid_o   (round_valid),
    .round_o         (round),
    .release_i       (release_round),
    .post_idle_i     (post_idle),
    .last_round_i    (last_round),
    .totals_done_i   (totals_done)
  );

  acs_weight_loader #(
    .LaneGroups(LaneGroups),
    .BankWords(BankWords)
  ) u_loader (
    .clk_i,
    .rst_ni          (core_rst_n[0]),
    .clear_i         (discard),
    .params_i        (buffers.params.address),
    .op_i            (array_op),
    .all_start_i     (load_all),
    .all_op_i        (load_all_op),
    .all_rows_i      (load_all_rows),
    .list_start_i    (load_list),
    .list_i          (row_list),
    .busy_o          (loader_busy),
    .asks_o          (loader_asks),
    .free_o          (loader_free),
    .index_i         (load_index),
    .index_o         (arriving_index),
    .mask_write_i    (mask_write),
    .row_read_valid_o(row_read_valid),
    .row_read_o      (row_read),
    .group_done_i    (events.group),
    .chunk_done_i    (chunk_done),
    .rows_o          (rows_there),
    .complete_o      (chunks_there),
    .early_o         (early),
    .row_addr_o      (row_addr),
    .row_index_i     (row_index),
    .req_valid_o     (read_req_valid[READER_WEIGHTS]),
    .req_ready_i     (read_req_ready[READER_WEIGHTS]),
    .req_o           (read_req[READER_WEIGHTS]),
    .data_valid_i    (read_valid[READER_WEIGHTS]),
    .data_ready_o    (read_ready[READER_WEIGHTS]),
    .data_i          (read_data),
    .data_error_i    (read_error),
    .error_o         (weight_error),
    .weight_write_o  (weight_write),
    .weight_set_o    (weight_set),
    .weight_addr_o   (weight_addr),
    .weight_data_o   (weight_data),
    .record_write_o  (record_write),
    .record_addr_o   (record_addr),
    .record_o        (record)
  );

  acs_features #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .MultiplierBits(MultiplierBits)
  ) u_features (
    .clk_i,
    .rst_ni           (core_rst_n[1]),
    .clear_i          (discard),
    .op_i             (array_op),
    .tail_i           (tail),
    .iteration_valid_i(iteration_valid),
    .iteration_ready_o(iteration_ready),
    .iteration_i      (iteration),
    .clear_start_i    (clear_start),
    .clear_channels_i (passed.outputs),
    .clear_blocks_i   (clear_blocks),
    .clear_busy_o     (clear_busy),
    .list_ready_i     (!post_looks),
    .list_addr_o      (clear_list),
    .list_channel_i   (channel_t'(out_listed)),
    .result_valid_i   (block_write_valid),
    .result_there_i   (block_there),
    .result_follows_i (block_follows),
    .result_i         (block_write),
    .loading_i        (loading),
    .image_valid_i    (image_write_valid),
    .image_there_i    (image_there),
    .image_i          (image_write),
    .residual_valid_i (residual_valid),
    .residual_addr_i  (residual_addr),
    .copy_valid_i     (copy_read_valid),
    .copy_addr_i      (copy_read_addr),
    .read_ready_o     (features_ready),
    .read_data_valid_o(features_valid),
    .read_data_o      (features),
    .weight_write_i   (weight_write),
    .weight_set_i     (weight_set),
    .weight_addr_i    (weight_addr),
    .weight_data_i    (weight_data),
    .total_valid_o    (total_valid),
    .total_o          (total),
    .sums_valid_o     (sums_valid),
    .sums_there_o     (sums_there),
    .sums_o           (sums),
    .maxima_o         (maxima)
  );

  acs_post #(
    .LaneGroups(LaneGroups),
    .PostLanes (PostLanes),
    .SumBits   (sum_bits(BankWords))
  ) u_post (
    .clk_i,
    .rst_ni           (core_rst_n[1]),
    .op_i             (stored_op),
    .round_valid_i    (round_valid),
    .round_i          (round),
    .sums_valid_i     (sums_valid),
    .sums_there_i     (sums_there),
    .sums_i           (sums),
    .maxima_i         (maxima),
    .release_o        (release_round),
    .chunk_done_o     (chunk_done),
    .idle_o           (post_idle),
    .last_round_o     (last_round),
    .record_write_i   (record_write),
    .record_addr_i    (record_addr),
    .record_i         (record),
    .out_looks_o      (post_looks),
    .out_addr_o       (post_list),
    .out_channel_i    (out_channel),
    .read_valid_o     (residual_valid),
    .read_ready_i     (features_ready),
    .read_addr_o      (residual_addr),
    .read_data_valid_i(features_valid),
    .read_data_i      (features),
    .block_valid_o    (block_valid),
    .block_ready_i    (block_ready),
    .block_o          (block)
  );

  acs_block_writer u_writer (
    .clk_i,
    .rst_ni       (core_rst_n[1]),
    .op_i         (stored_op),
    .valid_i      (block_valid),
    .ready_o      (block_ready),
    .block_i      (block),
    .write_valid_o(block_write_valid),
    .write_there_o(block_there),
    .write_follows_o(block_follows),
    .free_o       (image_write_ready),
    .write_o      (block_write)
  );

  acs_load u_load (
    .clk_i,
    .rst_ni       (core_rst_n[1]),
    .start_i      (load_start),
    .op_i         (op),
    .image_i      (buffers.image.address),
    .asked_o      (image_asked),
    .done_o       (load_done),
    .busy_o       (loading),
    .rows_o       (loaded_rows),
    .req_valid_o  (read_req_valid[READER_IMAGE]),
    .req_ready_i  (read_req_ready[READER_IMAGE]),
    .req_o        (read_req[READER_IMAGE]),
    .data_valid_i (read_valid[READER_IMAGE]),
    .data_ready_o (read_ready[READER_IMAGE]),
    .data_i       (read_data),
    .write_valid_o(image_write_valid),
    .write_ready_i(image_write_ready),
    .write_there_o(image_there),
    .write_o      (image_write)
  );

  acs_vectors #(
    .VectorWords(VectorWords),
    .Dsp        (dsp_products(LaneGroups))
  ) u_vectors (
    .clk_i,
    .rst_ni                (core_rst_n[0]),
    .op_i                  (op),
    .gavg_i                (kind.gavg),
    .discard_i             (discard),
    .clear_i               (clear),
    .linear_start_i        (linear_start),
    .linear_done_o         (linear_done),
    .gate_done_o           (gate_done),
    .linear_stall_o        (linear_stall),
    .job_valid_i           (linear_job_valid),
    .job_i                 (linear_job),
    .job_fits_o            (linear_fits),
    .data_valid_i          (read_valid[READER_VECTORS]),
    .data_ready_o          (read_ready[READER_VECTORS]),
    .data_i                (read_data),
    .data_error_i          (read_error),
    .error_o               (linear_error),
    .mask_write_o          (mask_write),
    .deciding_o            (deciding),
    .result_ready_i        (write_ready),
    .result_o              (result),
    .total_valid_i         (total_valid),
    .total_i               (total),
    .totals_done_o         (totals_done),
    .factor_addr_i         (factor_addr),
    .factor_word_o         (factor_word),
    .copy_start_i          (copy_start),
    .copy_i                (copy),
    .copy_done_o           (copy_done),
    .copy_read_valid_o     (copy_read_valid),
    .copy_read_ready_i     (features_ready),
    .copy_read_addr_o      (copy_read_addr),
    .copy_read_data_valid_i(features_valid),
    .copy_read_data_i      (features),
    .copy_word_o           (copy_word),
    .copy_word_ready_i     (write_ready)
  );

endmodule

`default_nettype wire
