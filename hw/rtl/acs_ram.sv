// A memory with one write port and one registered read port.
`default_nettype none

module acs_ram #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512
) (
  input  wire logic                     clk_i,
  input  wire logic                     write_i,
  input  wire logic [$clog2(Depth)-1:0] write_addr_i,
  input  wire logic [Width-1:0]         write_data_i,
  input  wire logic [$clog2(Depth)-1:0] read_addr_i,
  output      logic [Width-1:0]         read_data_o
);
  logic [Width-1:0] mem_q [Depth];

  always_ff @(posedge clk_i) begin
    if (write_i) mem_q[write_addr_i] <= write_data_i;
    read_data_o <= mem_q[read_addr_i];
  end

`ifndef SYNTHESIS
  initial for (int unsigned i = 0; i < Depth; i++) mem_q[i] = '0;
`endif

endmodule

`default_nettype wire
