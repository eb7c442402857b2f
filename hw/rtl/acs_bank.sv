// A bank of 64-bit words: one port reads, the other reads or writes.
`default_nettype none

module acs_bank #(
  parameter int unsigned Depth = 4096
) (
  input  wire logic                     clk_i,
  input  wire logic [$clog2(Depth)-1:0] a_addr_i,
  output      logic [63:0]              a_data_o,
  input  wire logic                     b_write_i,
  input  wire logic [$clog2(Depth)-1:0] b_addr_i,
  input  wire logic [63:0]              b_data_i,
  output      logic [63:0]              b_data_o
);
  acs_dual_port_ram #(
    .Width(64),
    .Depth(Depth)
  ) u_ram (
    .clk_i,
    .a_addr_i,
    .a_data_o,
    .b_write_i,
    .b_addr_i,
    .b_data_i,
    .b_data_o
  );

endmodule

`default_nettype wire
