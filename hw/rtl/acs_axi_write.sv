// AXI4 write master: a request (first byte, words) and a stream of words become INCR bursts that
// respect 4 KiB boundaries.  Answers are counted, not waited for, until the engine asks for idle;
// answers to no burst of its own, left over from before a reset, are dropped.
`default_nettype none

module acs_axi_write
  import acs_pkg::*;
#(
  parameter int unsigned MaxBurst = 16
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        req_valid_i,
  output      logic        req_ready_o,
  input  wire span_t       req_i,
  input  wire logic        data_valid_i,
  output      logic        data_ready_o,
  input  wire logic [63:0] data_i,
  output      logic        idle_o,
  input  wire logic        clear_error_i,
  output      logic        error_o,
  // AXI4.
  output      axi_write_req_t axi_o,
  input  wire axi_write_rsp_t axi_i
);
  logic [60:0] addr_q;
  logic [31:0] left_q;
  logic aw_valid_q;
  logic [60:0] aw_addr_q;
  logic [7:0] aw_len_q;
  logic [8:0] beats_q;  // left of the burst announced last
  logic [4:0] outstanding_q;
  logic error_q;

  logic [9:0] to_boundary;
  logic [9:0] burst;
  logic start_burst, beat, answer;

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
  assign beat        = axi_o.w_valid && axi_i.w_ready;
  assign answer      = axi_i.b_valid && axi_o.b_ready && outstanding_q != 0;
  assign req_ready_o = left_q == 0 && beats_q == 0;
  assign data_ready_o = beats_q != 0 && axi_i.w_ready;

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
      if (axi_i.aw_ready) aw_valid_q <= 1'b0;
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
        addr_q <= req_i.address[63:3];
        left_q <= req_i.words;
      end
      outstanding_q <= outstanding_q + 5'(start_burst) - 5'(answer);
      if (clear_error_i) error_q <= 1'b0;
      if (answer && axi_i.b_resp[1]) error_q <= 1'b1;
    end
  end

  assign axi_o = '{
    aw_valid: aw_valid_q,
    aw: '{addr: {aw_addr_q, 3'b000}, len: aw_len_q},
    w_valid: beats_q != 0 && data_valid_i,
    w: '{data: data_i, last: beats_q == 9'd1},
    b_ready: 1'b1
  };
  assign idle_o  = left_q == 0 && beats_q == 0 && !aw_valid_q && outstanding_q == 0;
  assign error_o = error_q;

`ifndef SYNTHESIS
  burst_in_page :
  assert property (@(posedge clk_i) disable iff (!rst_ni) aw_valid_q |->
                   32'(aw_addr_q[8:0]) + 32'(aw_len_q) < 32'd512)
  else $error("a burst crosses 4 KiB");
`endif

  acs_stream_check #(
    .Width($bits(span_t))
  ) u_request (
    .clk_i,
    .rst_ni,
    .valid_i  (req_valid_i),
    .ready_i  (req_ready_o),
    .payload_i(req_i)
  );
  acs_stream_check #(
    .Width($bits(axi_aw_t))
  ) u_aw (
    .clk_i,
    .rst_ni,
    .valid_i  (axi_o.aw_valid),
    .ready_i  (axi_i.aw_ready),
    .payload_i(axi_o.aw)
  );
  acs_stream_check #(
    .Width($bits(axi_w_t))
  ) u_w (
    .clk_i,
    .rst_ni,
    .valid_i  (axi_o.w_valid),
    .ready_i  (axi_i.w_ready),
    .payload_i(axi_o.w)
  );
  acs_stream_check #(
    .Width(2)
  ) u_b (
    .clk_i,
    .rst_ni,
    .valid_i  (axi_i.b_valid),
    .ready_i  (axi_o.b_ready),
    .payload_i(axi_i.b_resp)
  );

endmodule

`default_nettype wire
