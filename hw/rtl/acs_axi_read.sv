// AXI4 read master: a request (first byte, words) becomes INCR bursts that respect 4 KiB
// boundaries, several outstanding, and one stream of words in order.
//
// A burst is requested only when the buffer has room for all its beats, so RREADY never falls.
// Beats that answer no request, left over from before a reset, are dropped.
`default_nettype none

module acs_axi_read
  import acs_pkg::*;
#(
  parameter int unsigned MaxBurst = 64,
  parameter int unsigned Depth    = READ_AHEAD
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  // Requests.
  input  wire logic        req_valid_i,
  output      logic        req_ready_o,
  input  wire span_t       req_i,
  input  wire logic [1:0]  req_user_i,    // goes with the bursts, unchanged
  // Words.
  output      logic        data_valid_o,
  input  wire logic        data_ready_i,
  output      logic [63:0] data_o,
  output      logic        data_error_o,   // the word came with an error answer
  output      logic        idle_o,         // nothing is left to ask for
  // AXI4.
  output      axi_read_req_t axi_o,
  input  wire axi_read_rsp_t axi_i
);
  localparam int unsigned CW = $clog2(Depth) + 1;
  localparam int unsigned BW = $clog2(MaxBurst + 1);  // bits of a burst's size

  if (MaxBurst > Depth || MaxBurst > 256 || MaxBurst < 1) begin : gen_bad_burst
    $error("MaxBurst must be 1..256 and fit the buffer");
  end

  logic [60:0] addr_q;  // in words
  logic [31:0] left_q;
  logic busy_q;  // words are left
  logic waits_q;  // the next request
  span_t next_q;
  logic [1:0] next_user_q;
  logic sized_q, last_q;  // the next burst's size is known; it is the last one of its request
  logic [BW-1:0] burst_q;
  logic [CW-1:0] free_q;  // words that may still be asked for
  logic fits_q;  // the next burst does
  logic [CW-1:0] awaited_q;  // words asked for and not yet here
  logic ar_valid_q;
  logic [60:0] ar_addr_q;
  logic [7:0] ar_len_q;
  logic [1:0] user_q, ar_user_q;

  logic near_boundary;
  logic [BW-1:0] to_boundary, burst;
  logic ends, begins, start_burst, arrived, pop, fifo_ready;

  // A burst takes two cycles: its size, then its address and what is left.  The next request waits
  // in registers of its own, so that its readiness depends on nothing else.  So there is time to
  // see whether it fits: between two bursts words only leave the buffer.
  assign near_boundary = addr_q[8:0] > 9'(512 - MaxBurst);
  assign to_boundary   = -addr_q[BW-1:0];  // where it is near
  assign ends  = left_q[31:BW] == 0 &&
                 (near_boundary ? left_q[BW-1:0] <= to_boundary : left_q[BW-1:0] <= BW'(MaxBurst));
  assign burst = ends ? left_q[BW-1:0] : near_boundary ? to_boundary : BW'(MaxBurst);
  // An address that is taken at once has left its register when the next burst's size is known.
  assign start_burst = sized_q && fits_q && !ar_valid_q;
  // Of each size that the burst may have, so that the choice of it comes last.
  function automatic logic fits(input logic [BW-1:0] words);
    return CW'(words) <= free_q;
  endfunction
  assign req_ready_o = !waits_q;
  assign begins      = waits_q && (!busy_q || (start_burst && last_q));
  assign arrived     = axi_i.r_valid && fifo_ready && awaited_q != 0;
  assign pop         = data_valid_o && data_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q     <= '0;
      busy_q     <= 1'b0;
      waits_q    <= 1'b0;
      sized_q    <= 1'b0;
      free_q     <= CW'(Depth);
      awaited_q  <= '0;
      ar_valid_q <= 1'b0;
    end else begin
      if (axi_i.ar_ready) ar_valid_q <= 1'b0;
      if (busy_q && !sized_q) sized_q <= 1'b1;
      if (start_burst) begin
        sized_q    <= 1'b0;
        ar_valid_q <= 1'b1;
        left_q     <= left_q - 32'(burst_q);
        busy_q     <= !last_q;
      end
      if (begins) begin
        left_q  <= next_q.words;
        busy_q  <= 1'b1;
        waits_q <= 1'b0;
      end
      if (req_valid_i && req_ready_o) waits_q <= 1'b1;
      free_q     <= free_q - (start_burst ? CW'(burst_q) : '0) + CW'(pop);
      awaited_q  <= awaited_q + (start_burst ? CW'(burst_q) : '0) - CW'(arrived);
    end
  end

  always_ff @(posedge clk_i) begin
    burst_q <= burst;
    last_q  <= ends;
    fits_q  <= ends ? fits(left_q[BW-1:0]) :
               near_boundary ? fits(to_boundary) : fits(BW'(MaxBurst));
    if (start_burst) begin
      ar_addr_q <= addr_q;
      ar_len_q  <= 8'(burst_q) - 8'd1;
      ar_user_q <= user_q;
      addr_q    <= addr_q + 61'(burst_q);
    end
    if (begins) begin
      addr_q <= next_q.address[63:3];
      user_q <= next_user_q;
    end
    if (req_valid_i && req_ready_o) begin
      next_q      <= req_i;
      next_user_q <= req_user_i;
    end
  end

  acs_fifo #(
    .Width(65),
    .Depth(Depth),
    .BlockRam(1'b1)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .in_valid_i (arrived),
    .in_ready_o (fifo_ready),
    .in_data_i  ({axi_i.r.resp[1], axi_i.r.data}),
    .out_valid_o(data_valid_o),
    .out_ready_i(data_ready_i),
    .out_data_o ({data_error_o, data_o})
  );

  assign axi_o = '{
    ar_valid: ar_valid_q,
    ar: '{addr: {ar_addr_q, 3'b000}, len: ar_len_q, user: ar_user_q},
    r_ready: fifo_ready
  };
  assign idle_o = !busy_q && !waits_q;

`ifndef SYNTHESIS
  // A burst is requested only where it fits.
  beat_has_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) axi_i.r_valid |-> fifo_ready)
  else $error("a beat arrived without room for it");
  burst_in_page :
  assert property (@(posedge clk_i) disable iff (!rst_ni) ar_valid_q |->
                   32'(ar_addr_q[8:0]) + 32'(ar_len_q) < 32'd512)
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
    .Width($bits(axi_ar_t))
  ) u_ar (
    .clk_i,
    .rst_ni,
    .valid_i  (axi_o.ar_valid),
    .ready_i  (axi_i.ar_ready),
    .payload_i(axi_o.ar)
  );
  acs_stream_check #(
    .Width($bits(axi_r_t))
  ) u_r (
    .clk_i,
    .rst_ni,
    .valid_i  (axi_i.r_valid),
    .ready_i  (fifo_ready),
    .payload_i(axi_i.r)
  );

endmodule

`default_nettype wire
