// The vector memory, and the order in which its read port serves: copies while one runs, otherwise
// factors of SCALE or inputs of a LINEAR.  Data comes one cycle after its address.
`default_nettype none

module acs_vectors
  import acs_isa_pkg::*;
#(
  parameter int unsigned VectorWords = 1024
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  // Reads.
  input  wire logic         copy_start_i,   // from here on
  input  wire logic         copy_done_i,    // to here, copies read
  input  wire logic [15:0]  copy_read_addr_i,
  input  wire logic [15:0]  factor_addr_i,
  input  wire logic [15:0]  linear_read_addr_i,
  output      logic [63:0]  data_o,
  // Writes; never both.
  input  wire logic         copy_write_i,
  input  wire logic [15:0]  copy_addr_i,
  input  wire logic [63:0]  copy_data_i,
  input  wire logic         linear_write_i,
  input  wire logic [15:0]  linear_addr_i,
  input  wire logic [63:0]  linear_data_i
);
  localparam int unsigned VW = $clog2(VectorWords);

  logic copying_q;
  logic [15:0] read_addr, write_addr;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) copying_q <= 1'b0;
    else if (copy_start_i) copying_q <= 1'b1;
    else if (copy_done_i) copying_q <= 1'b0;
  end

  assign read_addr  = copying_q ? copy_read_addr_i :
                      op_i.opcode == OP_SCALE ? factor_addr_i : linear_read_addr_i;
  assign write_addr = copy_write_i ? copy_addr_i : linear_addr_i;

  acs_ram #(
    .Width(64),
    .Depth(VectorWords)
  ) u_ram (
    .clk_i,
    .write_i     (copy_write_i || linear_write_i),
    .write_addr_i(write_addr[VW-1:0]),
    .write_data_i(copy_write_i ? copy_data_i : linear_data_i),
    .read_addr_i (read_addr[VW-1:0]),
    .read_data_o (data_o)
  );

  logic unused_op_fields, unused_address_bits;
  assign unused_op_fields    = ^op_i;
  assign unused_address_bits = ^{read_addr, write_addr};

endmodule

`default_nettype wire
