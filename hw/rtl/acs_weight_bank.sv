// The weights of one lane group: two sets; one is read through two ports while the other loads.
// Words are there two cycles after their address: block RAM has a register at its output.
`default_nettype none

module acs_weight_bank #(
  parameter int unsigned Words = 1024
) (
  input  wire logic                     clk_i,
  input  wire logic                     write_i,
  input  wire logic                     write_set_i,
  input  wire logic [$clog2(Words)-1:0] write_addr_i,
  input  wire logic [63:0]              write_data_i,
  input  wire logic                     read_set_i,
  input  wire logic [$clog2(Words)-1:0] a_addr_i,
  input  wire logic [$clog2(Words)-1:0] b_addr_i,
  output      logic [63:0]              a_data_o,
  output      logic [63:0]              b_data_o
);
  logic [1:0][63:0] a_data, b_data, a_data_q, b_data_q;
  logic [1:0] read_set_q;

  // Port B writes the set that loads and reads the set that computes.
  for (genvar set = 0; set < 2; set++) begin : gen_set
    logic write;
    assign write = write_i && write_set_i == 1'(set);
    acs_bank #(
      .Depth(Words)
    ) u_bank (
      .clk_i,
      .a_addr_i (a_addr_i),
      .a_data_o (a_data[set]),
      .b_write_i(write),
      .b_addr_i (write ? write_addr_i : b_addr_i),
      .b_data_i (write_data_i),
      .b_data_o (b_data[set])
    );
  end

  always_ff @(posedge clk_i) begin
    read_set_q <= {read_set_q[0], read_set_i};
    a_data_q   <= a_data;
    b_data_q   <= b_data;
  end
  assign a_data_o = a_data_q[read_set_q[1]];
  assign b_data_o = b_data_q[read_set_q[1]];

endmodule

`default_nettype wire
