// AXI4 write master: a request (first byte, words) and a stream of words become INCR bursts that
// respect 4 KiB boundaries.  A burst is announced when all its words are here, so that a slave
// which serves one transfer at a time is never kept waiting.  Answers are counted, not waited
// for, until the engine asks for idle.
//
// Words follow their address, because nobody could tell after a reset whether a slave still has
// words without one.  Some slaves want to see a word before they take an address: where it is not
// taken for 2**PatienceLog2 cycles, the words are offered all the same.
//
// While muted, words are taken and dropped, and words of a burst that was announced are sent
// without strobes: nothing more is written.
`default_nettype none

module acs_axi_write
  import acs_pkg::*;
#(
  parameter int unsigned MaxBurst     = 16,
  parameter int unsigned PatienceLog2 = 6
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        req_valid_i,
  output      logic        req_ready_o,
  input  wire span_t       req_i,
  input  wire logic        data_valid_i,
  output      logic        data_ready_o,
  input  wire logic [63:0] data_i,
  input  wire logic        mute_i,
  output      logic        idle_o,
  output      logic        written_o,      // a word is written
  input  wire logic        clear_error_i,
  output      logic        error_o,
  // AXI4.
  output      axi_write_req_t axi_o,
  input  wire axi_write_rsp_t axi_i
);
  logic [60:0] addr_q;
  logic [31:0] left_q;  // words without a burst yet
  logic [31:0] awaited_q;  // words not yet here
  logic busy_q, awaits_q;  // there are such words
  logic sized_q, last_q;  // the next burst's size is known; it is the last one of its request
  logic [5:0] burst_q;
  logic aw_valid_q;
  logic [60:0] aw_addr_q;
  logic [7:0] aw_len_q;
  logic [8:0] beats_q;  // left of the burst announced last
  logic sends_q;  // there are such words
  logic ready_q;  // for a request
  logic [PatienceLog2-1:0] patience_q;  // cycles until words are offered without their address
  logic offers_q, final_q;  // a word is on offer; it is the burst's last one
  logic dropped_q;  // it was not announced
  logic enabled_q;
  logic [5:0] here_q;  // words here
  logic [4:0] outstanding_q;
  logic error_q;

  logic near_boundary;
  logic [5:0] most, burst;
  logic start_burst_q;
  logic ends, drop, take, beat, answer, word_valid, fifo_ready;
  logic [63:0] word;

  if (MaxBurst < 1 || MaxBurst > 32) begin : gen_bad_burst
    $error("MaxBurst must be 1..32");
  end

  // A burst takes three cycles: its size, whether it may start, its address and what is left.  What
  // lets it start stays true until it does.
  assign near_boundary = addr_q[8:0] > 9'(512 - MaxBurst);
  assign most  = near_boundary ? -addr_q[5:0] : 6'(MaxBurst);
  assign ends  = left_q[31:6] == 0 && left_q[5:0] <= most;
  assign burst = ends ? left_q[5:0] : most;
  assign take         = data_valid_i && data_ready_o;
  assign beat         = dropped_q ? sends_q : axi_o.w_valid && axi_i.w_ready;
  assign answer       = axi_i.b_valid && axi_o.b_ready && outstanding_q != 0;
  assign req_ready_o  = ready_q;
  assign data_ready_o = awaits_q && fifo_ready;
  assign drop         = start_burst_q && mute_i;
  assign written_o    = beat && !dropped_q && enabled_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q        <= '0;
      awaited_q     <= '0;
      busy_q        <= 1'b0;
      ready_q       <= 1'b0;
      awaits_q      <= 1'b0;
      sized_q       <= 1'b0;
      aw_valid_q    <= 1'b0;
      beats_q       <= '0;
      sends_q       <= 1'b0;
      start_burst_q <= 1'b0;
      offers_q      <= 1'b0;
      final_q       <= 1'b0;
      dropped_q     <= 1'b0;
      here_q        <= '0;
      outstanding_q <= '0;
      error_q       <= 1'b0;
    end else begin
      if (axi_i.aw_ready) aw_valid_q <= 1'b0;
      if (aw_valid_q && (axi_i.aw_ready || patience_q == 0)) offers_q <= sends_q;
      if (beat) begin
        beats_q <= beats_q - 1'b1;
        final_q <= beats_q == 9'd2;
        if (final_q) begin
          offers_q <= 1'b0;
          sends_q  <= 1'b0;
        end
      end
      if (busy_q && !sized_q) sized_q <= 1'b1;
      start_burst_q <= sized_q && !aw_valid_q && !sends_q && outstanding_q != '1 &&
                       here_q >= burst_q && !start_burst_q;
      if (take) begin
        awaited_q <= awaited_q - 32'd1;
        awaits_q  <= awaited_q != 32'd1;
      end
      if (start_burst_q) begin
        sized_q    <= 1'b0;
        aw_valid_q <= !drop;
        dropped_q  <= drop;
        beats_q    <= 9'(burst_q);
        sends_q    <= 1'b1;
        final_q    <= burst_q == 6'd1;
        left_q     <= left_q - 32'(burst_q);
        busy_q     <= !last_q;
      end
      if (req_valid_i && req_ready_o) begin
        left_q    <= req_i.words;
        awaited_q <= req_i.words;
        busy_q    <= 1'b1;
        awaits_q  <= 1'b1;
      end
      // That the next request may come is a register, a cycle after the last word went.
      ready_q       <= !busy_q && !sends_q && !(req_valid_i && req_ready_o);
      here_q        <= here_q + 6'(take) - 6'(beat);
      outstanding_q <= outstanding_q + 5'(start_burst_q && !drop) - 5'(answer);
      if (clear_error_i) error_q <= 1'b0;
      if (answer && axi_i.b_resp[1]) error_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    burst_q <= burst;
    last_q  <= ends;
    patience_q <= aw_valid_q ? patience_q - 1'b1 : '1;
    // A word on offer keeps its strobes.
    if (!axi_o.w_valid || axi_i.w_ready) enabled_q <= !mute_i;
    if (start_burst_q) begin
      aw_addr_q <= addr_q;
      aw_len_q  <= 8'(burst_q) - 8'd1;
      addr_q    <= addr_q + 61'(burst_q);
    end
    if (req_valid_i && req_ready_o) addr_q <= req_i.address[63:3];
  end

  acs_fifo #(
    .Width(64),
    .Depth(32)
  ) u_words (
    .clk_i,
    .rst_ni,
    .in_valid_i (take),
    .in_ready_o (fifo_ready),
    .in_data_i  (data_i),
    .out_valid_o(word_valid),
    .out_ready_i(beat),
    .out_data_o (word)
  );

  assign axi_o = '{
    aw_valid: aw_valid_q,
    aw: '{addr: {aw_addr_q, 3'b000}, len: aw_len_q},
    w_valid: offers_q,
    w: '{data: word, enabled: enabled_q, last: final_q},
    b_ready: 1'b1
  };
  assign idle_o  = !busy_q && !sends_q && !aw_valid_q && outstanding_q == 0;
  assign error_o = error_q;

`ifndef SYNTHESIS
  burst_in_page :
  assert property (@(posedge clk_i) disable iff (!rst_ni) aw_valid_q |->
                   32'(aw_addr_q[8:0]) + 32'(aw_len_q) < 32'd512)
  else $error("a burst crosses 4 KiB");
  request_of_words :
  assert property (@(posedge clk_i) disable iff (!rst_ni) req_valid_i |-> req_i.words != 0)
  else $error("a request for no words");
  sends_what_is_left :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   sends_q == (beats_q != 0) && final_q == (beats_q == 9'd1))
  else $error("words left of a burst are miscounted");
  word_is_here :
  assert property (@(posedge clk_i) disable iff (!rst_ni) sends_q |-> word_valid)
  else $error("a burst without its words");
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
