// Gives the engine's one AXI4 master the three master ports of the HLS engine: reads go to the
// port that ARUSER names, writes to port 0.  Words come back in the order in which they were
// asked for, whichever port is faster.
//
// No port ever waits for another one, since all may lead to one slave that answers in its own
// order: words of a port ahead of its turn are taken and kept.  The engine asks for no more words
// than READ_AHEAD, so that they always fit.
//
// Words that answer no read, left over from before a reset, are passed on to the engine, which
// counts them.
`default_nettype none

module acs_axi_route
  import acs_pkg::*;
#(
  parameter int unsigned Ports       = 3,
  parameter int unsigned Outstanding = 16   // read bursts under way; a power of two
) (
  input  wire logic              clk_i,
  input  wire logic              rst_ni,
  // From the engine.
  input  wire logic              arvalid_i,
  output      logic              arready_o,
  input  wire logic [1:0]        aruser_i,
  output      logic              rvalid_o,
  input  wire logic              rready_i,
  output      logic [63:0]       rdata_o,
  output      logic [1:0]        rresp_o,
  output      logic              rlast_o,
  // To the ports; address and length of a burst need no routing.
  output      logic [Ports-1:0]  m_arvalid_o,
  input  wire logic [Ports-1:0]  m_arready_i,
  input  wire logic [Ports-1:0]  m_rvalid_i,
  output      logic [Ports-1:0]  m_rready_o,
  input  wire logic [Ports-1:0][63:0] m_rdata_i,
  input  wire logic [Ports-1:0][1:0]  m_rresp_i,
  input  wire logic [Ports-1:0]  m_rlast_i
);
  localparam int unsigned CW = $clog2(READ_AHEAD) + 1;

  typedef struct packed {
    logic [63:0] data;
    logic [1:0]  resp;
    logic        last;
  } word_t;

  logic room, turn_valid, asked, finished;
  logic [1:0] turn, chosen;
  word_t [Ports-1:0] arriving, kept;
  logic [Ports-1:0] keep, kept_valid, kept_take, kept_room, empty;

  // The ports whose turns are still to come, in order.
  acs_fifo #(
    .Width(2),
    .Depth(Outstanding)
  ) u_turns (
    .clk_i,
    .rst_ni,
    .in_valid_i (asked),
    .in_ready_o (room),
    .in_data_i  (aruser_i),
    .out_valid_o(turn_valid),
    .out_ready_i(finished),
    .out_data_o (turn)
  );

  always_comb begin
    m_arvalid_o = '0;
    arready_o   = 1'b0;
    for (int unsigned i = 0; i < Ports; i++) begin
      if (aruser_i == 2'(i)) begin
        m_arvalid_o[i] = arvalid_i && room;
        arready_o      = m_arready_i[i] && room;
      end
    end
  end
  assign asked = arvalid_i && arready_o;

  // Without a turn, what is left over.
  always_comb begin
    chosen = turn;
    if (!turn_valid) begin
      chosen = '0;
      for (int unsigned i = Ports; i > 0; i--) if (m_rvalid_i[i-1]) chosen = 2'(i - 1);
    end
  end

  for (genvar i = 0; i < Ports; i++) begin : gen_port
    logic [CW-1:0] count_q;  // words kept
    logic here;

    assign here          = chosen == 2'(i);
    assign empty[i]      = count_q == 0;
    assign arriving[i]   = '{data: m_rdata_i[i], resp: m_rresp_i[i], last: m_rlast_i[i]};
    assign m_rready_o[i] = turn_valid ? kept_room[i] : here && rready_i;
    // A word whose turn it is passes by.
    assign keep[i]       = turn_valid && m_rvalid_i[i] && !(here && empty[i] && rready_i);
    assign kept_take[i]  = turn_valid && here && rready_i;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) count_q <= '0;
      else count_q <= count_q + CW'(keep[i]) - CW'(kept_valid[i] && kept_take[i]);
    end

    acs_fifo #(
      .Width($bits(word_t)),
      .Depth(READ_AHEAD),
      .BlockRam(1'b1)
    ) u_kept (
      .clk_i,
      .rst_ni,
      .in_valid_i (keep[i]),
      .in_ready_o (kept_room[i]),
      .in_data_i  (arriving[i]),
      .out_valid_o(kept_valid[i]),
      .out_ready_i(kept_take[i]),
      .out_data_o (kept[i])
    );

`ifndef SYNTHESIS
    word_has_room :
    assert property (@(posedge clk_i) disable iff (!rst_ni) keep[i] |-> kept_room[i])
    else $error("a word of a port without a place");
`endif
  end

  always_comb begin
    rvalid_o                    = 1'b0;
    {rdata_o, rresp_o, rlast_o} = arriving[0];
    for (int unsigned i = 0; i < Ports; i++) begin
      if (chosen == 2'(i)) begin
        rvalid_o                    = empty[i] ? m_rvalid_i[i] : kept_valid[i];
        {rdata_o, rresp_o, rlast_o} = empty[i] ? arriving[i] : kept[i];
      end
    end
  end
  assign finished = turn_valid && rvalid_o && rready_i && rlast_o;

`ifndef SYNTHESIS
  // A read for another port would wait for ever.
  port_exists :
  assert property (@(posedge clk_i) disable iff (!rst_ni) arvalid_i |-> 32'(aruser_i) < Ports)
  else $error("a read for a port that is not there");
`endif

endmodule

`default_nettype wire
