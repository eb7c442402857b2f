// AXI4 write master: a request (first byte, words) and a stream of words become INCR bursts that
// respect 4 KiB boundaries.  Answers are counted, not waited for, until the engine asks for idle;
// answers to nothing, left over from before a reset, are dropped.
`default_nettype none

module acs_axi_write #(
  parameter int unsigned MaxBurst = 16
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        req_valid_i,
  output      logic        req_ready_o,
  input  wire logic [63:0] req_addr_i,
  input  wire logic [31:0] req_words_i,
  input  wire logic        data_valid_i,
  output      logic        data_ready_o,
  input  wire logic [63:0] data_i,
  output      logic        idle_o,
  input  wire logic        clear_error_i,
  output      logic        error_o,
  // AXI4.
  output      logic        m_axi_awvalid_o,
  input  wire logic        m_axi_awready_i,
  output      logic [63:0] m_axi_awaddr_o,
  output      logic [7:0]  m_axi_awlen_o,
  output      logic        m_axi_wvalid_o,
  input  wire logic        m_axi_wready_i,
  output      logic [63:0] m_axi_wdata_o,
  output      logic        m_axi_wlast_o,
  input  wire logic        m_axi_bvalid_i,
  output      logic        m_axi_bready_o,
  input  wire logic [1:0]  m_axi_bresp_i
);
  logic [60:0] addr_q;
  logic [31:0] left_q;
  logic        aw_valid_q;
  logic [60:0] aw_addr_q;
  logic [7:0]  aw_len_q;
  logic [8:0]  beats_q;      // left of the burst announced last
  logic [4:0]  outstanding_q;
  logic        error_q;

  logic [9:0]  to_boundary;
  logic [9:0]  burst;
  logic        start_burst, beat, answer;

  if (MaxBurst < 1 || MaxBurst > 256) begin : gen_bad_burst
    $error("MaxBurst must be 1..256");
  end

  assign to_boundary = 10'd512 - {1'b0, addr_q[8:0]};
  always_comb begin
    burst = 10'(MaxBurst);
    if (to_boundary < burst) burst = to_boundary;
    if (left_q < 32'(burst)) burst = left_q[9:0];
  end
  assign start_burst = left_q != 0 && !aw_valid_q && beats_q == 0 && outstanding_q != '1;
  assign beat        = m_axi_wvalid_o && m_axi_wready_i;
  assign answer      = m_axi_bvalid_i && m_axi_bready_o && outstanding_q != 0;
  assign req_ready_o = left_q == 0 && beats_q == 0;
  assign data_ready_o = beats_q != 0 && m_axi_wready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      addr_q        <= '0;
      left_q        <= '0;
      aw_valid_q    <= 1'b0;
      aw_addr_q     <= '0;
      aw_len_q      <= '0;
      beats_q       <= '0;
      outstanding_q <= '0;
      error_q       <= 1'b0;
    end else begin
      if (m_axi_awready_i) aw_valid_q <= 1'b0;
      if (beat) beats_q <= beats_q - 1'b1;
      if (start_burst) begin
        aw_valid_q <= 1'b1;
        aw_addr_q  <= addr_q;
        aw_len_q   <= 8'(burst - 10'd1);
        beats_q    <= burst[8:0];
        addr_q     <= addr_q + 61'(burst);
        left_q     <= left_q - 32'(burst);
      end
      if (req_valid_i && req_ready_o) begin
        addr_q <= req_addr_i[63:3];
        left_q <= req_words_i;
      end
      outstanding_q <= outstanding_q + 5'(start_burst) - 5'(answer);
      if (clear_error_i) error_q <= 1'b0;
      if (answer && m_axi_bresp_i[1]) error_q <= 1'b1;
    end
  end

  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_awaddr_o  = {aw_addr_q, 3'b000};
  assign m_axi_awlen_o   = aw_len_q;
  assign m_axi_wvalid_o  = beats_q != 0 && data_valid_i;
  assign m_axi_wdata_o   = data_i;
  assign m_axi_wlast_o   = beats_q == 9'd1;
  assign m_axi_bready_o  = 1'b1;
  assign idle_o          = left_q == 0 && beats_q == 0 && !aw_valid_q && outstanding_q == 0;
  assign error_o         = error_q;

  logic unused;
  assign unused = ^{req_addr_i[2:0], m_axi_bresp_i[0]};

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axi_awvalid_o |->
                   32'(aw_addr_q[8:0]) + 32'(aw_len_q) < 32'd512)
  else $error("a burst crosses 4 KiB");
`endif

  acs_stream_check #(.Width(96)) u_request (
    .clk_i,
    .rst_ni,
    .valid_i  (req_valid_i),
    .ready_i  (req_ready_o),
    .payload_i({req_addr_i, req_words_i})
  );
  acs_stream_check #(.Width(72)) u_aw (
    .clk_i,
    .rst_ni,
    .valid_i  (m_axi_awvalid_o),
    .ready_i  (m_axi_awready_i),
    .payload_i({m_axi_awaddr_o, m_axi_awlen_o})
  );
  acs_stream_check #(.Width(65)) u_w (
    .clk_i,
    .rst_ni,
    .valid_i  (m_axi_wvalid_o),
    .ready_i  (m_axi_wready_i),
    .payload_i({m_axi_wdata_o, m_axi_wlast_o})
  );
  acs_stream_check #(.Width(2)) u_b (
    .clk_i,
    .rst_ni,
    .valid_i  (m_axi_bvalid_i),
    .ready_i  (m_axi_bready_o),
    .payload_i(m_axi_bresp_i)
  );

endmodule

`default_nettype wire
