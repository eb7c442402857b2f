// A memory with two registered ports: one reads, the other reads or writes.  It is the body of
// acs_bank and of acs_ram.
`default_nettype none

module acs_dual_port_ram #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512
) (
  input  wire logic                     clk_i,
  input  wire logic [$clog2(Depth)-1:0] a_addr_i,
  output      logic [Width-1:0]         a_data_o,
  input  wire logic                     b_write_i,
  input  wire logic [$clog2(Depth)-1:0] b_addr_i,
  input  wire logic [Width-1:0]         b_data_i,
  output      logic [Width-1:0]         b_data_o
);
  (* ram_style = "block" *) logic [Width-1:0] mem_q[Depth];

  always_ff @(posedge clk_i) a_data_o <= mem_q[a_addr_i];

  always_ff @(posedge clk_i) begin
    if (b_write_i) mem_q[b_addr_i] <= b_data_i;
    b_data_o <= mem_q[b_addr_i];
  end

`ifndef SYNTHESIS
  // Block RAM starts with zeros.
  initial for (int unsigned i = 0; i < Depth; i++) mem_q[i] = '0;
`endif

endmodule

`default_nettype wire
