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
  logic [Width-1:0] unused_written;

  acs_dual_port_ram #(
    .Width(Width),
    .Depth(Depth)
  ) u_ram (
    .clk_i,
    .a_addr_i (read_addr_i),
    .a_data_o (read_data_o),
    .b_write_i(write_i),
    .b_addr_i (write_addr_i),
    .b_data_i (write_data_i),
    .b_data_o (unused_written)
  );

endmodule

`default_nettype wire
