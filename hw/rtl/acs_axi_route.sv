// Gives the engine's one AXI4 master the three master ports of the HLS engine: reads go to the port
// that ARUSER names, writes to port 0.  Words come back in the order in which they were asked for,
// whichever port is faster: a port ahead of its turn waits.  While no read is under way, all ports
// drop the beats that come: they are left over from before a reset.
`default_nettype none

module acs_axi_route #(
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
  logic room, turn_valid, asked, finished;
  logic [1:0] turn;

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

  always_comb begin
    m_rready_o = turn_valid ? '0 : '1;
    rvalid_o   = 1'b0;
    rdata_o    = m_rdata_i[0];
    rresp_o    = m_rresp_i[0];
    rlast_o    = m_rlast_i[0];
    for (int unsigned i = 0; i < Ports; i++) begin
      if (turn == 2'(i)) begin
        if (turn_valid) m_rready_o[i] = rready_i;
        rvalid_o      = m_rvalid_i[i] && turn_valid;
        rdata_o       = m_rdata_i[i];
        rresp_o       = m_rresp_i[i];
        rlast_o       = m_rlast_i[i];
      end
    end
  end
  assign finished = rvalid_o && rready_i && rlast_o;

`ifndef SYNTHESIS
  // A read for another port would wait for ever.
  port_exists :
  assert property (@(posedge clk_i) disable iff (!rst_ni) arvalid_i |-> 32'(aruser_i) < Ports)
  else $error("a read for a port that is not there");
`endif

endmodule

`default_nettype wire
