// The engine: an AXI4-Lite slave with the register map of the HLS engine, one 64-bit AXI4 master.
`default_nettype none

module acs_engine
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024,
  parameter int unsigned PostLanes     = 16
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  output      logic        interrupt_o,
  input  wire logic        s_axil_awvalid_i,
  output      logic        s_axil_awready_o,
  input  wire logic [7:0]  s_axil_awaddr_i,
  input  wire logic        s_axil_wvalid_i,
  output      logic        s_axil_wready_o,
  input  wire logic [31:0] s_axil_wdata_i,
  input  wire logic [3:0]  s_axil_wstrb_i,
  output      logic        s_axil_bvalid_o,
  input  wire logic        s_axil_bready_i,
  output      logic [1:0]  s_axil_bresp_o,
  input  wire logic        s_axil_arvalid_i,
  output      logic        s_axil_arready_o,
  input  wire logic [7:0]  s_axil_araddr_i,
  output      logic        s_axil_rvalid_o,
  input  wire logic        s_axil_rready_i,
  output      logic [31:0] s_axil_rdata_o,
  output      logic [1:0]  s_axil_rresp_o,
  output      logic        m_axi_arvalid_o,
  input  wire logic        m_axi_arready_i,
  output      logic [63:0] m_axi_araddr_o,
  output      logic [7:0]  m_axi_arlen_o,
  output      logic [2:0]  m_axi_arsize_o,
  output      logic [1:0]  m_axi_arburst_o,
  output      logic [1:0]  m_axi_aruser_o,   // buffer read: 0 program, 1 params, 2 image
  input  wire logic        m_axi_rvalid_i,
  output      logic        m_axi_rready_o,
  input  wire logic [63:0] m_axi_rdata_i,
  input  wire logic [1:0]  m_axi_rresp_i,
  input  wire logic        m_axi_rlast_i,
  output      logic        m_axi_awvalid_o,
  input  wire logic        m_axi_awready_i,
  output      logic [63:0] m_axi_awaddr_o,
  output      logic [7:0]  m_axi_awlen_o,
  output      logic [2:0]  m_axi_awsize_o,
  output      logic [1:0]  m_axi_awburst_o,
  output      logic        m_axi_wvalid_o,
  input  wire logic        m_axi_wready_i,
  output      logic [63:0] m_axi_wdata_o,
  output      logic [7:0]  m_axi_wstrb_o,
  output      logic        m_axi_wlast_o,
  input  wire logic        m_axi_bvalid_i,
  output      logic        m_axi_bready_o,
  input  wire logic [1:0]  m_axi_bresp_i
);
  localparam int unsigned VW = $clog2(VectorWords);
  localparam int unsigned BW = $clog2(BankWords);

  assign m_axi_arsize_o  = 3'd3;
  assign m_axi_arburst_o = 2'b01;
  assign m_axi_awsize_o  = 3'd3;
  assign m_axi_awburst_o = 2'b01;
  assign m_axi_wstrb_o   = '1;

  // Registers.
  logic             start, done, trace;
  logic [3:0][63:0] pointers;
  logic [3:0][31:0] sizes;
  logic [7:0]       status;
  logic [31:0]      fault_index;
  localparam logic [31:0] Configuration =
      32'h8000_0000 | 32'((FeatureBlocks / 16) << 8) | 32'(LaneGroups);

  acs_axil_regs u_regs (
    .clk_i,
    .rst_ni,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_awaddr_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_bresp_o,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_araddr_i,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .interrupt_o,
    .start_o        (start),
    .done_i         (done),
    .pointers_o     (pointers),
    .sizes_o        (sizes),
    .trace_o        (trace),
    .configuration_i(Configuration),
    .status_i       (32'(status)),
    .fault_index_i  (fault_index)
  );

  // Control.
  instruction_t op;
  logic [1:0][10:0] all_channels;
  logic         clear, array_start, load_start, linear_start, copy_start;
  logic         copy_from_vector, copy_to_vector;
  logic [15:0]  copy_block, copy_vector;
  logic [19:0]  copy_words;
  logic         array_done, bad_table, load_done, linear_done, copy_done;
  logic         iteration_done, group_done, table_done, array_stall, linear_stall;
  logic [1:0][10:0] active, masked;
  logic         write_error, clear_error, write_idle;
  logic         header_valid, linear_result_valid, copy_data_valid, write_ready;
  logic [63:0]  header_word, linear_result, copy_data;

  // Users of the read master, by precedence.
  localparam int unsigned UserProgram = 0, UserImage = 1, UserVectors = 2, UserTable = 3,
                          UserWeights = 4, ReadUsers = 5;
  logic [ReadUsers-1:0]       user_req_valid, user_req_ready, user_data_valid, user_data_ready;
  logic [ReadUsers-1:0][63:0] user_req_addr;
  logic [ReadUsers-1:0][31:0] user_req_words;
  logic         req_valid, req_ready;
  logic [63:0]  req_addr;
  logic [31:0]  req_words;
  logic [$clog2(ReadUsers)-1:0] req_user;
  logic [1:0]   req_buffer;
  logic         data_valid, data_ready, data_error;
  logic [63:0]  data;
  logic         discard, share_idle, read_idle;
  logic        linear_job_valid, linear_weights_valid, linear_weights_take, linear_record_take;
  logic        thresholds_take, linear_error;
  linear_job_t linear_job;
  logic [63:0] linear_weights, thresholds;
  constants_t  linear_record;
  logic         other_error;
  logic         wreq_valid, wreq_ready;
  logic [63:0]  wreq_addr;
  logic [31:0]  wreq_words;

  // Between control, array and weight loader.
  logic        load_rows_start, load_masked, load_listed, load_all_rows, chunk_done, array_quiet;
  logic [10:0] load_rows;
  logic [1:0][7:0] rows_there;
  logic        early_set;
  logic [15:0] early_words;
  instruction_t load_op;
  logic        row_read_valid;
  logic [15:0] row_read;
  logic [15:0] factor_addr;
  logic        iteration_valid, iteration_ready;
  iteration_t  iteration;
  logic        round_valid, release_round, post_idle, writer_idle;
  round_t      round;
  logic [LaneGroups-1:0] weight_write;
  logic        weight_set;
  logic [BW-1:0] weight_addr;
  logic [63:0] weight_data;
  logic        record_write;
  logic [7:0]  record_addr;
  constants_t  record;
  logic        loader_busy, totals_done;
  logic [63:0] vector_data;

  acs_control #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_control (
    .clk_i,
    .rst_ni,
    .start_i           (start),
    .done_o            (done),
    .pointers_i        (pointers),
    .sizes_i           (sizes),
    .trace_i           (trace),
    .status_o          (status),
    .fault_index_o     (fault_index),
    .op_o              (op),
    .channels_o        (all_channels),
    .clear_o           (clear),
    .array_start_o     (array_start),
    .load_start_o      (load_start),
    .linear_start_o    (linear_start),
    .copy_start_o      (copy_start),
    .copy_from_vector_o(copy_from_vector),
    .copy_to_vector_o  (copy_to_vector),
    .copy_block_o      (copy_block),
    .copy_vector_o     (copy_vector),
    .copy_words_o      (copy_words),
    .array_done_i      (array_done),
    .bad_table_i       (bad_table),
    .load_done_i       (load_done),
    .linear_done_i     (linear_done),
    .copy_done_i       (copy_done),
    .iteration_i       (iteration_done),
    .group_i           (group_done),
    .table_i           (table_done),
    .active_i          (active),
    .masked_i          (masked),
    .stall_i           (array_stall || linear_stall),
    .array_quiet_i     (array_quiet),
    .array_load_i      (load_rows_start),
    .row_read_i        (skips_words(op) ? row_read : op.row_words),
    .loader_busy_i     (loader_busy),
    .loader_error_i    (user_data_valid[UserWeights] && user_data_ready[UserWeights] && data_error),
    .read_error_i      (other_error || linear_error),
    .req_valid_o       (user_req_valid[3:0]),
    .req_ready_i       (user_req_ready[3:0]),
    .req_addr_o        (user_req_addr[3:0]),
    .req_words_o       (user_req_words[3:0]),
    .data_valid_i      (user_data_valid[UserProgram]),
    .data_i            (data),
    .data_error_i      (data_error),
    .discard_o         (discard),
    .read_idle_i       (read_idle && share_idle),
    .load_o            (load_all_rows),
    .load_op_o         (load_op),
    .linear_job_valid_o(linear_job_valid),
    .linear_job_o      (linear_job),
    .clear_error_o     (clear_error),
    .wreq_valid_o      (wreq_valid),
    .wreq_ready_i      (wreq_ready),
    .wreq_addr_o       (wreq_addr),
    .wreq_words_o      (wreq_words),
    .header_valid_o    (header_valid),
    .header_ready_i    (write_ready),
    .header_o          (header_word),
    .write_idle_i      (write_idle),
    .write_error_i     (write_error)
  );

  // Memory ports.
  assign user_data_ready[UserProgram] = 1'b1;
  assign other_error = data_error && ((user_data_valid[UserImage] && user_data_ready[UserImage]) ||
                                      (user_data_valid[UserTable] && user_data_ready[UserTable]));

  acs_read_share #(
    .Users(ReadUsers)
  ) u_share (
    .clk_i,
    .rst_ni,
    .discard_i   (discard),
    .idle_o      (share_idle),
    .req_valid_i (user_req_valid),
    .req_ready_o (user_req_ready),
    .req_addr_i  (user_req_addr),
    .req_words_i (user_req_words),
    .data_valid_o(user_data_valid),
    .data_ready_i(user_data_ready),
    .req_valid_o (req_valid),
    .req_ready_i (req_ready),
    .req_addr_o  (req_addr),
    .req_words_o (req_words),
    .req_user_o  (req_user),
    .data_valid_i(data_valid),
    .data_ready_o(data_ready)
  );


  always_comb begin
    unique case (32'(req_user))
      UserProgram: req_buffer = 2'd0;
      UserImage:   req_buffer = 2'd2;
      default:     req_buffer = 2'd1;
    endcase
  end

  acs_axi_read u_read (
    .clk_i,
    .rst_ni,
    .req_valid_i  (req_valid),
    .req_ready_o  (req_ready),
    .req_addr_i   (req_addr),
    .req_words_i  (req_words),
    .req_user_i   (req_buffer),
    .data_valid_o (data_valid),
    .data_ready_i (data_ready),
    .data_o       (data),
    .data_error_o (data_error),
    .idle_o       (read_idle),
    .m_axi_arvalid_o,
    .m_axi_arready_i,
    .m_axi_araddr_o,
    .m_axi_arlen_o,
    .m_axi_aruser_o,
    .m_axi_rvalid_i,
    .m_axi_rready_o,
    .m_axi_rdata_i,
    .m_axi_rresp_i
  );

  acs_axi_write u_write (
    .clk_i,
    .rst_ni,
    .req_valid_i  (wreq_valid),
    .req_ready_o  (wreq_ready),
    .req_addr_i   (wreq_addr),
    .req_words_i  (wreq_words),
    .data_valid_i (header_valid || linear_result_valid || copy_data_valid),
    .data_ready_o (write_ready),
    .data_i       (header_valid ? header_word : linear_result_valid ? linear_result : copy_data),
    .idle_o       (write_idle),
    .clear_error_i(clear_error),
    .error_o      (write_error),
    .m_axi_awvalid_o,
    .m_axi_awready_i,
    .m_axi_awaddr_o,
    .m_axi_awlen_o,
    .m_axi_wvalid_o,
    .m_axi_wready_i,
    .m_axi_wdata_o,
    .m_axi_wlast_o,
    .m_axi_bvalid_i,
    .m_axi_bready_o,
    .m_axi_bresp_i
  );

  // Channels: of inputs and of outputs.
  logic        clear_start, clear_busy, clear_valid, clear_ready;
  logic [9:0]  clear_list, post_list;
  logic [15:0] clear_blocks, clear_addr;
  logic        post_looks;
  logic        table_write, table_list;
  logic [9:0]  table_addr, table_data;
  logic [1:0]  scan, scan_busy, listed, flag;
  logic [10:0] in_first, in_count, out_first;
  logic [1:0][10:0] found, passed;
  logic        mask_write;
  logic [8:0]  mask_addr;
  logic [63:0] mask_data;
  logic [9:0]  in_addr, in_channel, in_index, out_channel, row_addr, row_index, flag_addr;

  acs_channels u_inputs (
    .clk_i,
    .rst_ni,
    .mask_write_i (mask_write),
    .mask_addr_i  (mask_addr),
    .mask_data_i  (mask_data),
    .table_write_i(table_write && !table_list),
    .table_addr_i (table_addr),
    .table_data_i (table_data),
    .has_table_i  (op.has_table),
    .scan_i       (scan[0]),
    .mask_i       (op.mask_in),
    .first_i      (in_first),
    .count_i      (in_count),
    .base_i       (in_first),
    .busy_o       (scan_busy[0]),
    .active_o     (found[0]),
    .masked_o     (passed[0]),
    .listed_i     (listed[0]),
    .addr_i       (in_addr),
    .channel_o    (in_channel),
    .index_addr_i (in_addr),
    .index_o      (in_index),
    .flag_addr_i  (flag_addr),
    .flag_o       (flag[0])
  );

  acs_channels u_outputs (
    .clk_i,
    .rst_ni,
    .mask_write_i (mask_write),
    .mask_addr_i  (mask_addr),
    .mask_data_i  (mask_data),
    .table_write_i(table_write && table_list),
    .table_addr_i (table_addr),
    .table_data_i (table_data),
    .has_table_i  (op.has_table),
    .scan_i       (scan[1]),
    .mask_i       (op.mask_out),
    .first_i      (out_first),
    .count_i      (op.channels),
    .base_i       ('0),
    .busy_o       (scan_busy[1]),
    .active_o     (found[1]),
    .masked_o     (passed[1]),
    .listed_i     (listed[1]),
    .addr_i       (post_looks ? post_list : clear_list),
    .channel_o    (out_channel),
    .index_addr_i (row_addr),
    .index_o      (row_index),
    .flag_addr_i  (flag_addr),
    .flag_o       (flag[1])
  );

  // Array, its control, its weights.
  acs_array_control #(
    .LaneGroups(LaneGroups)
  ) u_array_control (
    .clk_i,
    .rst_ni,
    .clear_i         (discard),
    .start_i         (array_start),
    .op_i            (op),
    .channels_i      (all_channels),
    .quiet_o         (array_quiet),
    .done_o          (array_done),
    .bad_table_o     (bad_table),
    .stall_o         (array_stall),
    .iteration_done_o(iteration_done),
    .group_done_o    (group_done),
    .table_done_o    (table_done),
    .data_valid_i    (user_data_valid[UserTable]),
    .data_ready_o    (user_data_ready[UserTable]),
    .data_i          (data),
    .table_write_o   (table_write),
    .table_list_o    (table_list),
    .table_addr_o    (table_addr),
    .table_data_o    (table_data),
    .scan_o          (scan),
    .in_first_o      (in_first),
    .in_count_o      (in_count),
    .out_first_o     (out_first),
    .scan_busy_i     (scan_busy),
    .active_i        (found),
    .masked_i        (passed),
    .listed_o        (listed),
    .active_o        (active),
    .masked_o        (masked),
    .in_addr_o       (in_addr),
    .in_channel_i    (in_channel),
    .in_index_i      (in_index),
    .flag_addr_o     (flag_addr),
    .flag_i          (flag),
    .clear_start_o   (clear_start),
    .clear_blocks_o  (clear_blocks),
    .clear_busy_i    (clear_busy),
    .load_o          (load_rows_start),
    .load_masked_o   (load_masked),
    .load_listed_o   (load_listed),
    .load_rows_o     (load_rows),
    .rows_i          (rows_there),
    .early_set_i     (early_set),
    .early_words_i   (early_words),
    .chunk_done_i    (chunk_done),
    .factor_addr_o   (factor_addr),
    .factor_word_i   (vector_data),
    .valid_o         (iteration_valid),
    .ready_i         (iteration_ready),
    .iteration_o     (iteration),
    .round_valid_o   (round_valid),
    .round_o         (round),
    .release_i       (release_round),
    .post_idle_i     (post_idle && writer_idle),
    .totals_done_i   (totals_done),
    .rows_known_i    (!skips_words(op) || row_read_valid)
  );

  acs_weight_loader #(
    .LaneGroups(LaneGroups),
    .BankWords(BankWords)
  ) u_loader (
    .clk_i,
    .rst_ni,
    .clear_i       (discard),
    .params_i      (pointers[1]),
    .start_i       (load_rows_start || load_all_rows),
    .op_i          (load_all_rows ? load_op : op),
    .listed_i      (!load_all_rows),
    .masked_i      (!load_all_rows && load_masked),
    .listed_rows_i (load_rows),
    .list_done_i   (load_listed),
    .busy_o        (loader_busy),
    .mask_write_i  (mask_write),
    .mask_addr_i   (mask_addr),
    .mask_data_i   (mask_data),
    .row_read_valid_o(row_read_valid),
    .row_read_o    (row_read),
    .row_read_take_i(group_done && skips_words(op)),
    .chunk_done_i  (chunk_done),
    .rows_o        (rows_there),
    .early_set_o   (early_set),
    .early_words_o (early_words),
    .row_addr_o    (row_addr),
    .row_index_i   (row_index),
    .req_valid_o   (user_req_valid[UserWeights]),
    .req_ready_i   (user_req_ready[UserWeights]),
    .req_addr_o    (user_req_addr[UserWeights]),
    .req_words_o   (user_req_words[UserWeights]),
    .data_valid_i  (user_data_valid[UserWeights]),
    .data_ready_o  (user_data_ready[UserWeights]),
    .data_i        (data),
    .weight_write_o(weight_write),
    .weight_set_o  (weight_set),
    .weight_addr_o (weight_addr),
    .weight_data_o (weight_data),
    .record_write_o(record_write),
    .record_addr_o (record_addr),
    .record_o      (record)
  );

  logic        block_valid, block_ready, block_write, load_write;
  logic [15:0] block_base;
  halves_t     block_write_addr, load_write_addr;
  logic [10:0] block_number;
  segments_t   block_data, block_write_data, load_write_data;
  logic [7:0]  block_write_banks, load_write_banks;
  logic        post_read_valid, copy_read_valid, read_ready, read_data_valid;
  logic [15:0] post_read_addr, copy_read_addr;
  segments_t   read_data;
  logic  [LaneGroups-1:0] sums_valid;
  sums_t [LaneGroups-1:0] sums;
  logic               total_valid;
  logic signed [31:0] total;
  logic        windowed, raw, banks, maximum;

  // Clearing comes last at port B.
  logic any_read_valid, clear_write;
  assign any_read_valid = post_read_valid || copy_read_valid;
  assign clear_ready    = !block_write && !load_write && !any_read_valid &&
                          !(iteration_valid && iteration.use_b);
  assign clear_write    = clear_valid && clear_ready;
  acs_clear u_clear (
    .clk_i,
    .rst_ni,
    .clear_i       (discard),
    .start_i       (clear_start),
    .op_i          (op),
    .channels_i    (passed[1]),
    .blocks_i      (clear_blocks),
    .busy_o        (clear_busy),
    .list_ready_i  (!post_looks),
    .list_addr_o   (clear_list),
    .list_channel_i(out_channel),
    .write_valid_o (clear_valid),
    .write_ready_i (clear_ready),
    .write_addr_o  (clear_addr)
  );

  assign windowed = moves_window(op);
  assign raw      = pixelwise(op);
  assign banks    = op.opcode == OP_CONV;
  assign maximum  = op.opcode == OP_POOL && op.pool_max;

  acs_array #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords)
  ) u_array (
    .clk_i,
    .rst_ni,
    .op_i             (op),
    .windowed_i       (windowed),
    .raw_i            (raw),
    .banks_i          (banks),
    .maximum_i        (maximum),
    .valid_i          (iteration_valid),
    .ready_o          (iteration_ready),
    .iteration_i      (iteration),
    .write_valid_i    (block_write || load_write || clear_write),
    .write_addr_i     (clear_write ? {2{clear_addr}} : load_write ? load_write_addr : block_write_addr),
    .write_banks_i    (clear_write ? 8'hff : load_write ? load_write_banks : block_write_banks),
    .write_data_i     (clear_write ? '0 : load_write ? load_write_data : block_write_data),
    .read_valid_i     (any_read_valid),
    .read_ready_o     (read_ready),
    .read_addr_i      (post_read_valid ? post_read_addr : copy_read_addr),
    .read_data_valid_o(read_data_valid),
    .read_data_o      (read_data),
    .weight_write_i   (weight_write),
    .weight_set_i     (weight_set),
    .weight_addr_i    (weight_addr),
    .weight_data_i    (weight_data),
    .total_valid_o    (total_valid),
    .total_o          (total),
    .sums_valid_o     (sums_valid),
    .sums_o           (sums)
  );

  acs_post #(
    .LaneGroups(LaneGroups),
    .PostLanes(PostLanes)
  ) u_post (
    .clk_i,
    .rst_ni,
    .op_i             (op),
    .round_valid_i    (round_valid),
    .round_i          (round),
    .sums_valid_i     (sums_valid),
    .sums_i           (sums),
    .release_o        (release_round),
    .chunk_done_o     (chunk_done),
    .idle_o           (post_idle),
    .record_write_i   (record_write),
    .record_addr_i    (record_addr),
    .record_i         (record),
    .out_looks_o      (post_looks),
    .out_addr_o       (post_list),
    .out_channel_i    (out_channel),
    .read_valid_o     (post_read_valid),
    .read_ready_i     (read_ready),
    .read_addr_o      (post_read_addr),
    .read_data_valid_i(read_data_valid),
    .read_data_i      (read_data),
    .block_valid_o    (block_valid),
    .block_ready_i    (block_ready),
    .block_base_o     (block_base),
    .block_number_o   (block_number),
    .block_o          (block_data)
  );

  acs_block_writer u_writer (
    .clk_i,
    .rst_ni,
    .op_i         (op),
    .valid_i      (block_valid),
    .ready_o      (block_ready),
    .base_i       (block_base),
    .block_i      (block_number),
    .data_i       (block_data),
    .idle_o       (writer_idle),
    .write_valid_o(block_write),
    .write_addr_o (block_write_addr),
    .write_banks_o(block_write_banks),
    .write_data_o (block_write_data)
  );

  acs_load u_load (
    .clk_i,
    .rst_ni,
    .start_i      (load_start),
    .op_i         (op),
    .done_o       (load_done),
    .data_valid_i (user_data_valid[UserImage]),
    .data_ready_o (user_data_ready[UserImage]),
    .data_i       (data),
    .write_valid_o(load_write),
    .write_addr_o (load_write_addr),
    .write_banks_o(load_write_banks),
    .write_data_o (load_write_data)
  );

  // Vector memory.
  logic        linear_vector_write, copy_vector_write;
  logic [15:0] linear_vector_addr, copy_vector_addr, linear_read_addr, copy_vector_read;
  logic [63:0] linear_vector_data;
  logic [15:0] vector_read_addr, vector_write_addr;
  logic        copying_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) copying_q <= 1'b0;
    else if (copy_start) copying_q <= 1'b1;
    else if (copy_done) copying_q <= 1'b0;
  end

  assign vector_read_addr  = copying_q ? copy_vector_read :
                             op.opcode == OP_SCALE ? factor_addr : linear_read_addr;
  assign vector_write_addr = copy_vector_write ? copy_vector_addr : linear_vector_addr;

  acs_ram #(
    .Width(64),
    .Depth(VectorWords)
  ) u_vectors (
    .clk_i,
    .write_i     (copy_vector_write || linear_vector_write),
    .write_addr_i(vector_write_addr[VW-1:0]),
    .write_data_i(copy_vector_write ? copy_data : linear_vector_data),
    .read_addr_i (vector_read_addr[VW-1:0]),
    .read_data_o (vector_data)
  );

  acs_linear_feed u_linear_feed (
    .clk_i,
    .rst_ni,
    .clear_i          (discard),
    .job_valid_i      (linear_job_valid),
    .job_i            (linear_job),
    .data_valid_i     (user_data_valid[UserVectors]),
    .data_ready_o     (user_data_ready[UserVectors]),
    .data_i           (data),
    .data_error_i     (data_error),
    .weights_valid_o  (linear_weights_valid),
    .weights_take_i   (linear_weights_take),
    .weights_o        (linear_weights),
    .record_take_i    (linear_record_take),
    .record_o         (linear_record),
    .thresholds_take_i(thresholds_take),
    .thresholds_o     (thresholds),
    .error_o          (linear_error)
  );

  acs_linear u_linear (
    .clk_i,
    .rst_ni,
    .start_i            (linear_start),
    .clear_i            (clear),
    .op_i               (op),
    .done_o             (linear_done),
    .totals_done_o      (totals_done),
    .stall_o            (linear_stall),
    .weights_valid_i    (linear_weights_valid),
    .weights_take_o     (linear_weights_take),
    .weights_i          (linear_weights),
    .record_take_o      (linear_record_take),
    .record_i           (linear_record),
    .thresholds_take_o  (thresholds_take),
    .thresholds_i       (thresholds),
    .total_valid_i      (total_valid),
    .total_i            (total),
    .vector_read_addr_o (linear_read_addr),
    .vector_data_i      (vector_data),
    .vector_write_o     (linear_vector_write),
    .vector_write_addr_o(linear_vector_addr),
    .vector_data_o      (linear_vector_data),
    .mask_write_o       (mask_write),
    .mask_addr_o        (mask_addr),
    .mask_data_o        (mask_data),
    .result_valid_o     (linear_result_valid),
    .result_ready_i     (write_ready),
    .result_o           (linear_result)
  );

  acs_copy u_copy (
    .clk_i,
    .rst_ni,
    .start_i            (copy_start),
    .from_vector_i      (copy_from_vector),
    .to_vector_i        (copy_to_vector),
    .block_i            (copy_block),
    .vector_addr_i      (copy_vector),
    .words_i            (copy_words),
    .done_o             (copy_done),
    .read_valid_o       (copy_read_valid),
    .read_ready_i       (read_ready),
    .read_addr_o        (copy_read_addr),
    .read_data_valid_i  (read_data_valid),
    .read_data_i        (read_data),
    .vector_read_addr_o (copy_vector_read),
    .vector_data_i      (vector_data),
    .vector_write_o     (copy_vector_write),
    .vector_write_addr_o(copy_vector_addr),
    .data_valid_o       (copy_data_valid),
    .data_ready_i       (write_ready),
    .data_o             (copy_data)
  );

  logic unused;
  assign unused = ^{m_axi_rlast_i, vector_read_addr, vector_write_addr};

endmodule

`default_nettype wire
