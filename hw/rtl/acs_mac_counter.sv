// Adds count * taps * pixels to a counter, bit by bit: only the header waits for it.
`default_nettype none

module acs_mac_counter (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        clear_i,
  input  wire logic        add_i,
  input  wire logic [22:0] count_i,
  input  wire logic [19:0] factor_i,
  output      logic        busy_o,
  output      logic [63:0] total_o
);
  logic [22:0] count_q;
  logic [42:0] factor_q;
  logic [63:0] total_q;

  assign busy_o  = count_q != 0;
  assign total_o = total_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      count_q  <= '0;
      factor_q <= '0;
      total_q  <= '0;
    end else if (add_i) begin
      count_q  <= count_i;
      factor_q <= 43'(factor_i);
    end else if (busy_o) begin
      if (count_q[0]) total_q <= total_q + 64'(factor_q);
      count_q  <= count_q >> 1;
      factor_q <= factor_q << 1;
    end
  end

`ifndef SYNTHESIS
  one_product_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni) add_i |-> !busy_o)
  else $error("a product before the last one was added");
`endif

endmodule

`default_nettype wire
