// Modules that have a contract of their own, side by side, for benches without the whole engine.
// Its ports are plain, since cocotb cannot see into structs under Verilator.
`default_nettype none

module units_bench
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic        clk,
  input  wire logic        rst_n,
  // acs_axi_read.
  input  wire logic        rreq_valid,
  output      logic        rreq_ready,
  input  wire logic [63:0] rreq_addr,
  input  wire logic [31:0] rreq_words,
  input  wire logic [1:0]  rreq_user,
  output      logic        rdata_valid,
  input  wire logic        rdata_ready,
  output      logic [63:0] rdata,
  output      logic        rdata_error,
  output      logic        ridle,
  // acs_axi_write.
  input  wire logic        wreq_valid,
  output      logic        wreq_ready,
  input  wire logic [63:0] wreq_addr,
  input  wire logic [31:0] wreq_words,
  input  wire logic        wdata_valid,
  output      logic        wdata_ready,
  input  wire logic [63:0] wdata,
  output      logic        widle,
  input  wire logic        wmute,
  output      logic        wwritten,
  input  wire logic        wclear,
  output      logic        werror,
  // Their AXI4.
  output      logic        m_axi_arid,
  output      logic        m_axi_arvalid,
  input  wire logic        m_axi_arready,
  output      logic [63:0] m_axi_araddr,
  output      logic [7:0]  m_axi_arlen,
  output      logic [2:0]  m_axi_arsize,
  output      logic [1:0]  m_axi_arburst,
  output      logic [1:0]  m_axi_aruser,
  input  wire logic        m_axi_rid,
  input  wire logic        m_axi_rvalid,
  output      logic        m_axi_rready,
  input  wire logic [63:0] m_axi_rdata,
  input  wire logic [1:0]  m_axi_rresp,
  input  wire logic        m_axi_rlast,
  output      logic        m_axi_awid,
  output      logic        m_axi_awvalid,
  input  wire logic        m_axi_awready,
  output      logic [63:0] m_axi_awaddr,
  output      logic [7:0]  m_axi_awlen,
  output      logic [2:0]  m_axi_awsize,
  output      logic [1:0]  m_axi_awburst,
  output      logic        m_axi_wvalid,
  input  wire logic        m_axi_wready,
  output      logic [63:0] m_axi_wdata,
  output      logic [7:0]  m_axi_wstrb,
  output      logic        m_axi_wlast,
  input  wire logic        m_axi_bid,
  input  wire logic        m_axi_bvalid,
  output      logic        m_axi_bready,
  input  wire logic [1:0]  m_axi_bresp,
  // acs_axil_regs.
  input  wire logic        s_axil_awvalid,
  output      logic        s_axil_awready,
  input  wire logic [7:0]  s_axil_awaddr,
  input  wire logic        s_axil_wvalid,
  output      logic        s_axil_wready,
  input  wire logic [31:0] s_axil_wdata,
  input  wire logic [3:0]  s_axil_wstrb,
  output      logic        s_axil_bvalid,
  input  wire logic        s_axil_bready,
  output      logic [1:0]  s_axil_bresp,
  input  wire logic        s_axil_arvalid,
  output      logic        s_axil_arready,
  input  wire logic [7:0]  s_axil_araddr,
  output      logic        s_axil_rvalid,
  input  wire logic        s_axil_rready,
  output      logic [31:0] s_axil_rdata,
  output      logic [1:0]  s_axil_rresp,
  output      logic        irq,
  output      logic        start,
  input  wire logic        done,
  input  wire logic        gave_up,
  input  wire logic [31:0] index,
  output      logic [3:0][63:0] pointers,
  output      logic [3:0][31:0] sizes,
  output      logic        trace,
  input  wire logic [31:0] configuration,
  input  wire logic [31:0] status,
  input  wire logic [31:0] fault_index,
  // acs_fifo.
  input  wire logic        fifo_in_valid,
  output      logic        fifo_in_ready,
  input  wire logic [15:0] fifo_in_data,
  output      logic        fifo_out_valid,
  input  wire logic        fifo_out_ready,
  output      logic [15:0] fifo_out_data,
  // acs_fifo in block RAM.
  input  wire logic        ram_in_valid,
  output      logic        ram_in_ready,
  input  wire logic [15:0] ram_in_data,
  output      logic        ram_out_valid,
  input  wire logic        ram_out_ready,
  output      logic [15:0] ram_out_data,
  // acs_linear_feed.
  input  wire logic        feed_clear,
  input  wire logic        feed_job_valid,
  input  wire logic        feed_gate,
  input  wire logic [11:0] feed_channels,
  input  wire logic [15:0] feed_row_words,
  input  wire logic        feed_in_valid,
  output      logic        feed_in_ready,
  input  wire logic [63:0] feed_in_data,
  input  wire logic        feed_in_error,
  output      logic        feed_weights_valid,
  input  wire logic        feed_weights_take,
  output      logic [63:0] feed_weights,
  input  wire logic        feed_record_take,
  output      logic [31:0] feed_bias,
  output      logic [15:0] feed_mult,
  output      logic [5:0]  feed_shift,
  input  wire logic        feed_thresholds_take,
  output      logic [63:0] feed_thresholds,
  output      logic        feed_error,
  // acs_read_share, two users.
  input  wire logic        share_discard,
  output      logic        share_idle,
  input  wire logic        share_a_req_valid,
  output      logic        share_a_req_ready,
  input  wire logic [63:0] share_a_req_addr,
  input  wire logic [31:0] share_a_req_words,
  output      logic        share_a_data_valid,
  input  wire logic        share_a_data_ready,
  input  wire logic        share_b_req_valid,
  output      logic        share_b_req_ready,
  input  wire logic [63:0] share_b_req_addr,
  input  wire logic [31:0] share_b_req_words,
  output      logic        share_b_data_valid,
  input  wire logic        share_b_data_ready,
  output      logic        share_out_valid,
  input  wire logic        share_out_ready,
  output      logic [63:0] share_out_addr,
  output      logic [31:0] share_out_words,
  output      logic        share_out_user,
  input  wire logic        share_in_valid,
  output      logic        share_in_ready,
  input  wire logic [63:0] share_in_data,
  input  wire logic        share_in_error,
  output      logic [63:0] share_data,
  output      logic        share_error,
  // acs_weight_runs.
  input  wire logic        runs_clear,
  input  wire logic        runs_start,
  input  wire logic [7:0]  runs_mask,
  input  wire logic [11:0] runs_inputs,
  input  wire logic [3:0]  runs_kernel,
  input  wire logic        runs_write,
  input  wire logic [8:0]  runs_write_addr,
  input  wire logic [63:0] runs_write_data,
  output      logic        runs_busy,
  output      logic        runs_there,
  output      logic [6:0]  runs_count,
  input  wire logic [5:0]  runs_index,
  output      logic [15:0] runs_first,
  output      logic [15:0] runs_last,
  output      logic        runs_words_valid,
  output      logic [15:0] runs_words,
  input  wire logic        runs_words_take,
  // acs_weight_bank.
  input  wire logic        wb_write,
  input  wire logic        wb_write_set,
  input  wire logic [5:0]  wb_write_addr,
  input  wire logic [63:0] wb_write_data,
  input  wire logic        wb_read_set,
  input  wire logic [5:0]  wb_a_addr,
  input  wire logic [5:0]  wb_b_addr,
  output      logic [63:0] wb_a_data,
  output      logic [63:0] wb_b_data,
  // acs_requantize with acs_places; once with all results, once with bounded ones.
  input  wire logic [31:0] rq_acc,
  input  wire logic [15:0] rq_mult,
  input  wire logic [5:0]  rq_shift,
  input  wire logic [7:0]  rq_residual,
  input  wire logic        rq_res_signed,
  input  wire logic [15:0] rq_res_mult,
  input  wire logic        rq_signed,
  output      logic [31:0] rq_wide,
  output      logic [7:0]  rq_narrow,
  output      logic [7:0]  rq_bounded,
  output      logic [7:0]  rq_tables,   // without a DSP slice for the residual
  // acs_product, of 9 x 8 bits with a sign and of 16 x 11 bits, in a slice and of tables.
  input  wire logic [8:0]  pr_byte,
  input  wire logic [7:0]  pr_weight,
  output      logic [1:0][17:0] pr_product,
  input  wire logic [15:0] pr_step,
  input  wire logic [10:0] pr_channel,
  input  wire logic [15:0] pr_base,
  output      logic [1:0][15:0] pr_place,
  // acs_lane_group with two pixels a multiplier, and with one, and acs_maximum of the pixels of its
  // first window.
  input  wire logic        lg_valid,
  input  wire logic        lg_first,
  input  wire logic        lg_last,
  input  wire logic        lg_zero,
  input  wire logic        lg_signed,
  input  wire logic        lg_second,      // pixels are those of the second window
  input  wire logic [8:0]  lg_weight,
  input  wire logic [1023:0] lg_pixels,    // as stored
  output      logic [2047:0] lg_sums,      // taken apart, 32 bits each
  output      logic [2047:0] lg_short_sums,  // of a group with shorter ones
  output      logic [2047:0] lg_apart_sums,  // and of one with a multiplier for each pixel
  output      logic [511:0] lg_maxima      // as stored
);
  assign m_axi_arid    = 1'b0;
  assign m_axi_arsize  = 3'd3;
  assign m_axi_arburst = 2'b01;
  assign m_axi_awid    = 1'b0;
  assign m_axi_awsize  = 3'd3;
  assign m_axi_awburst = 2'b01;
  assign m_axi_wstrb   = {8{axi_write_req.w.enabled}};

  axi_read_req_t axi_read_req;
  axi_read_rsp_t axi_read_rsp;
  axi_write_req_t axi_write_req;
  axi_write_rsp_t axi_write_rsp;
  axil_req_t axil_req;
  axil_rsp_t axil_rsp;
  buffers_t buffers;

  assign m_axi_arvalid = axi_read_req.ar_valid;
  assign m_axi_araddr  = axi_read_req.ar.addr;
  assign m_axi_arlen   = axi_read_req.ar.len;
  assign m_axi_aruser  = axi_read_req.ar.user;
  assign m_axi_rready  = axi_read_req.r_ready;
  assign axi_read_rsp  = '{
    ar_ready: m_axi_arready,
    r_valid: m_axi_rvalid,
    r: '{data: m_axi_rdata, resp: m_axi_rresp, last: m_axi_rlast}
  };

  assign m_axi_awvalid = axi_write_req.aw_valid;
  assign m_axi_awaddr  = axi_write_req.aw.addr;
  assign m_axi_awlen   = axi_write_req.aw.len;
  assign m_axi_wvalid  = axi_write_req.w_valid;
  assign m_axi_wdata   = axi_write_req.w.data;
  assign m_axi_wlast   = axi_write_req.w.last;
  assign m_axi_bready  = axi_write_req.b_ready;
  assign axi_write_rsp = '{
    aw_ready: m_axi_awready,
    w_ready: m_axi_wready,
    b_valid: m_axi_bvalid,
    b_resp: m_axi_bresp
  };

  assign axil_req = '{
    aw_valid: s_axil_awvalid,
    aw_addr: s_axil_awaddr,
    w_valid: s_axil_wvalid,
    w: '{data: s_axil_wdata, strb: s_axil_wstrb},
    b_ready: s_axil_bready,
    ar_valid: s_axil_arvalid,
    ar_addr: s_axil_araddr,
    r_ready: s_axil_rready
  };
  assign s_axil_awready = axil_rsp.aw_ready;
  assign s_axil_wready  = axil_rsp.w_ready;
  assign s_axil_bvalid  = axil_rsp.b_valid;
  assign s_axil_bresp   = axil_rsp.b_resp;
  assign s_axil_arready = axil_rsp.ar_ready;
  assign s_axil_rvalid  = axil_rsp.r_valid;
  assign s_axil_rdata   = axil_rsp.r.data;
  assign s_axil_rresp   = axil_rsp.r.resp;

  assign pointers = {buffers.result.address, buffers.image.address, buffers.params.address,
                     buffers.instructions.address};
  assign sizes    = {buffers.result.words, buffers.image.words, buffers.params.words,
                     buffers.instructions.words};

  acs_axi_read #(
    .MaxBurst(16),
    .Depth(32)
  ) u_read (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .req_valid_i (rreq_valid),
    .req_ready_o (rreq_ready),
    .req_i       ({rreq_addr, rreq_words}),
    .req_user_i  (rreq_user),
    .data_valid_o(rdata_valid),
    .data_ready_i(rdata_ready),
    .data_o      (rdata),
    .data_error_o(rdata_error),
    .idle_o      (ridle),
    .axi_o       (axi_read_req),
    .axi_i       (axi_read_rsp)
  );

  acs_axi_write #(
    .MaxBurst(16)
  ) u_write (
    .clk_i        (clk),
    .rst_ni       (rst_n),
    .req_valid_i  (wreq_valid),
    .req_ready_o  (wreq_ready),
    .req_i        ({wreq_addr, wreq_words}),
    .data_valid_i (wdata_valid),
    .data_ready_o (wdata_ready),
    .data_i       (wdata),
    .mute_i       (wmute),
    .idle_o       (widle),
    .written_o    (wwritten),
    .clear_error_i(wclear),
    .error_o      (werror),
    .axi_o        (axi_write_req),
    .axi_i        (axi_write_rsp)
  );

  acs_axil_regs u_regs (
    .clk_i          (clk),
    .rst_ni         (rst_n),
    .axil_i         (axil_req),
    .axil_o         (axil_rsp),
    .interrupt_o    (irq),
    .start_o        (start),
    .done_i         (done),
    .abort_i        (gave_up),
    .index_i        (index),
    .buffers_o      (buffers),
    .trace_o        (trace),
    .configuration_i(configuration),
    .status_i       (status),
    .fault_index_i  (fault_index)
  );

  acs_fifo #(
    .Width(16),
    .Depth(8)
  ) u_fifo (
    .clk_i      (clk),
    .rst_ni     (rst_n),
    .in_valid_i (fifo_in_valid),
    .in_ready_o (fifo_in_ready),
    .in_data_i  (fifo_in_data),
    .out_valid_o(fifo_out_valid),
    .out_ready_i(fifo_out_ready),
    .out_data_o (fifo_out_data)
  );

  acs_fifo #(
    .Width(16),
    .Depth(8),
    .BlockRam(1'b1)
  ) u_ram (
    .clk_i      (clk),
    .rst_ni     (rst_n),
    .in_valid_i (ram_in_valid),
    .in_ready_o (ram_in_ready),
    .in_data_i  (ram_in_data),
    .out_valid_o(ram_out_valid),
    .out_ready_i(ram_out_ready),
    .out_data_o (ram_out_data)
  );

  linear_job_t feed_job;
  logic unused_feed_fits;
  constants_t feed_record;
  assign feed_job   = '{
      gate: feed_gate,
      channels: feed_channels,
      row_words: feed_row_words,
      weights: 28'(feed_channels) * (28'(feed_row_words) - 28'(RECORD_WORDS))
    };
  assign feed_bias  = feed_record.bias;
  assign feed_mult  = feed_record.mult;
  assign feed_shift = feed_record.shift;
  acs_linear_feed u_feed (
    .clk_i            (clk),
    .rst_ni           (rst_n),
    .clear_i          (feed_clear),
    .job_valid_i      (feed_job_valid),
    .job_i            (feed_job),
    .fits_o           (unused_feed_fits),
    .data_valid_i     (feed_in_valid),
    .data_ready_o     (feed_in_ready),
    .data_i           (feed_in_data),
    .data_error_i     (feed_in_error),
    .weights_valid_o  (feed_weights_valid),
    .weights_take_i   (feed_weights_take),
    .weights_o        (feed_weights),
    .record_take_i    (feed_record_take),
    .record_o         (feed_record),
    .thresholds_take_i(feed_thresholds_take),
    .thresholds_o     (feed_thresholds),
    .error_o          (feed_error)
  );

  acs_read_share #(
    .Users(2),
    .Requests(4)
  ) u_share (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .discard_i   (share_discard),
    .idle_o      (share_idle),
    .req_valid_i ({share_b_req_valid, share_a_req_valid}),
    .req_ready_o ({share_b_req_ready, share_a_req_ready}),
    .req_i       ({share_b_req_addr, share_b_req_words, share_a_req_addr, share_a_req_words}),
    .data_valid_o({share_b_data_valid, share_a_data_valid}),
    .data_ready_i({share_b_data_ready, share_a_data_ready}),
    .data_o      (share_data),
    .data_error_o(share_error),
    .req_valid_o (share_out_valid),
    .req_ready_i (share_out_ready),
    .req_o       ({share_out_addr, share_out_words}),
    .req_user_o  (share_out_user),
    .data_valid_i(share_in_valid),
    .data_ready_o(share_in_ready),
    .data_i      (share_in_data),
    .data_error_i(share_in_error)
  );

  instruction_t runs_op;
  run_t runs_a, runs_b;
  always_comb begin
    runs_op             = '0;
    runs_op.mask_in     = runs_mask;
    runs_op.channels_in = runs_inputs;
    runs_op.kernel      = runs_kernel;
  end
  assign runs_first = runs_a.first;
  assign runs_last  = runs_b.last;

  acs_weight_runs u_runs (
    .clk_i        (clk),
    .rst_ni       (rst_n),
    .clear_i      (runs_clear),
    .start_i      (runs_start),
    .op_i         (runs_op),
    .mask_write_i ({runs_write, runs_write_addr, runs_write_data}),
    .busy_o       (runs_busy),
    .there_o      (runs_there),
    .count_o      (runs_count),
    .a_run_i      (runs_index),
    .a_run_o      (runs_a),
    .b_run_i      (runs_index),
    .b_run_o      (runs_b),
    .words_valid_o(runs_words_valid),
    .words_o      (runs_words),
    .words_take_i (runs_words_take)
  );

  acs_weight_bank #(
    .Words(64)
  ) u_bank (
    .clk_i       (clk),
    .write_i     (wb_write),
    .write_set_i (wb_write_set),
    .write_addr_i(wb_write_addr),
    .write_data_i(wb_write_data),
    .read_set_i  (wb_read_set),
    .a_addr_i    (wb_a_addr),
    .b_addr_i    (wb_b_addr),
    .a_data_o    (wb_a_data),
    .b_data_o    (wb_b_data)
  );

  places_t rq_places;
  logic [7:0] rq_unsigned;
  logic [31:0] unused_rq_wide, unused_rq_tables;
  assign rq_unsigned = rq_residual ^ {rq_res_signed, 7'b0};

  acs_places u_places (
    .clk_i   (clk),
    .shift_i (rq_shift),
    .places_o(rq_places)
  );

  acs_requantize #(
    .Wide(1'b1)
  ) u_requantize (
    .clk_i     (clk),
    .acc_i     (rq_acc),
    .mult_i    (rq_mult),
    .residual_i(rq_unsigned),
    .factor_i  (factor_of(rq_res_mult, rq_res_signed)),
    .places_i  (rq_places),
    .signed_i  (rq_signed),
    .wide_o    (rq_wide),
    .narrow_o  (rq_narrow)
  );

  acs_requantize u_bounded (
    .clk_i     (clk),
    .acc_i     (rq_acc),
    .mult_i    (rq_mult),
    .residual_i(rq_unsigned),
    .factor_i  (factor_of(rq_res_mult, rq_res_signed)),
    .places_i  (rq_places),
    .signed_i  (rq_signed),
    .wide_o    (unused_rq_wide),
    .narrow_o  (rq_bounded)
  );

  acs_requantize #(
    .Dsp(1'b0)
  ) u_tables (
    .clk_i     (clk),
    .acc_i     (rq_acc),
    .mult_i    (rq_mult),
    .residual_i(rq_unsigned),
    .factor_i  (factor_of(rq_res_mult, rq_res_signed)),
    .places_i  (rq_places),
    .signed_i  (rq_signed),
    .wide_o    (unused_rq_tables),
    .narrow_o  (rq_tables)
  );

  acs_product #(
    .ABits  (9),
    .BBits  (8),
    .Bits   (18),
    .SignedB(1'b1),
    .Dsp    (1'b0)
  ) u_product_tables (
    .clk_i    (clk),
    .a_i      (pr_byte),
    .b_i      (pr_weight),
    .summand_i('0),
    .result_o (pr_product[0])
  );
  acs_product #(
    .ABits(16),
    .BBits(11),
    .Bits (16),
    .Dsp  (1'b0)
  ) u_place_tables (
    .clk_i    (clk),
    .a_i      (pr_step),
    .b_i      (pr_channel),
    .summand_i(pr_base),
    .result_o (pr_place[0])
  );
  acs_product #(
    .ABits  (9),
    .BBits  (8),
    .Bits   (18),
    .SignedB(1'b1),
    .Dsp    (1'b1)
  ) u_product_slice (
    .clk_i    (clk),
    .a_i      (pr_byte),
    .b_i      (pr_weight),
    .summand_i('0),
    .result_o (pr_product[1])
  );
  acs_product #(
    .ABits(16),
    .BBits(11),
    .Bits (16),
    .Dsp  (1'b1)
  ) u_place_slice (
    .clk_i    (clk),
    .a_i      (pr_step),
    .b_i      (pr_channel),
    .summand_i(pr_base),
    .result_o (pr_place[1])
  );

  // The pixels of an iteration are there a cycle before the rest of it.
  pixels_t [1:0] lg_windows;
  pixels_t lg_window_q, lg_largest;
  logic lg_valid_q, lg_first_q, lg_last_q;
  logic signed [8:0] lg_weight_q;
  sums_t lg_found, lg_short_found, lg_apart_found;

  assign lg_windows = lg_pixels ^ {128{lg_signed, 7'b0}};
  assign lg_maxima  = lg_largest ^ {64{lg_signed, 7'b0}};
  always_ff @(posedge clk) begin
    lg_window_q <= lg_windows[0];
    lg_valid_q  <= lg_valid;
    lg_first_q  <= lg_first;
    lg_last_q   <= lg_last;
    lg_weight_q <= lg_zero ? '0 : lg_weight;
  end

  function automatic logic [2047:0] taken_apart(input sums_t sums);
    logic [63:0][31:0] lanes;
    logic [31:0] less;
    less = 32'(signed'({sums.weights, 7'b0}));
    for (int i = 0; i < 32; i++) begin
      lanes[2*i]   = {sums.pairs[i].carries, sums.pairs[i].value[15:0]} - less;
      lanes[2*i+1] = sums.pairs[i].value[47:16] - 32'(signed'(sums.pairs[i].carries)) - less;
    end
    return lanes;
  endfunction
  assign lg_sums       = taken_apart(lg_found);
  assign lg_short_sums = taken_apart(lg_short_found);
  assign lg_apart_sums = taken_apart(lg_apart_found);

  acs_lane_group #(
    .MultiplierBits(PAIR_BITS)
  ) u_group (
    .clk_i   (clk),
    .pixels_i(lg_windows),
    .clear_i ({WEIGHT_COPIES{!lg_second, lg_second}}),
    .valid_i (lg_valid_q),
    .first_i (lg_first_q),
    .signed_i(lg_signed),
    .weight_i(lg_weight_q),
    .sums_o  (lg_found)
  );

  acs_lane_group #(
    .SumBits(26),
    .MultiplierBits(PAIR_BITS)
  ) u_short_group (
    .clk_i   (clk),
    .pixels_i(lg_windows),
    .clear_i ({WEIGHT_COPIES{!lg_second, lg_second}}),
    .valid_i (lg_valid_q),
    .first_i (lg_first_q),
    .signed_i(lg_signed),
    .weight_i(lg_weight_q),
    .sums_o  (lg_short_found)
  );

  acs_lane_group #(
    .SumBits(26)
  ) u_apart_group (
    .clk_i   (clk),
    .pixels_i(lg_windows),
    .clear_i ({WEIGHT_COPIES{!lg_second, lg_second}}),
    .valid_i (lg_valid_q),
    .first_i (lg_first_q),
    .signed_i(lg_signed),
    .weight_i(lg_weight_q),
    .sums_o  (lg_apart_found)
  );

  acs_maximum u_maximum (
    .clk_i   (clk),
    .valid_i (lg_valid_q),
    .first_i (lg_first_q),
    .last_i  (lg_last_q),
    .pixels_i(lg_window_q),
    .maxima_o(lg_largest)
  );

  logic unused_ids, unused_run_fields;
  assign unused_ids        = ^{m_axi_rid, m_axi_bid};
  assign unused_run_fields = ^{runs_a, runs_b};

endmodule

`default_nettype wire
