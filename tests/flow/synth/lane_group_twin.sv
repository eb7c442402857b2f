// A lane group as written, its netlist, and sums of whole integers, on the same inputs.
`default_nettype none

module lane_group_twin (
  input  wire logic   clk_i,
  output logic [31:0] compared_o,
  output logic [31:0] wrong_o
);
  logic valid, first, zero, maximum, is_signed;
  logic signed [8:0] weight, weight_q;
  logic [63:0][7:0] pixels;
  logic [63:0][31:0] sums, netlist_sums;

  acs_lane_group #(
    .HasMax(`HAS_MAX)
  ) u_rtl (
    .clk_i,
    .valid_i(valid),
    .first_i(first),
    .zero_i(zero),
    .maximum_i(maximum),
    .signed_i(is_signed),
    .weight_i(weight),
    .pixels_i(pixels),
    .sums_o(sums)
  );
  acs_lane_group_netlist u_netlist (
    .clk_i,
    .valid_i(valid),
    .first_i(first),
    .zero_i(zero),
    .maximum_i(maximum),
    .signed_i(is_signed),
    .weight_i(weight),
    .pixels_i(pixels),
    .sums_o(netlist_sums)
  );

  // The inputs as they are when their sums appear: two cycles on, then added.
  logic [1:0] valid_q, first_q, maximum_q;
  logic [1:0][63:0][31:0] product_q;
  logic [63:0][31:0] expected_q;
  logic [31:0] cycle_q;

  function automatic logic signed [31:0] pixel(input logic [7:0] bits, input logic negative);
    return negative ? 32'(signed'(bits)) : 32'(bits);
  endfunction

  assign weight = maximum ? 9'sd1 : weight_q;  // as the engine does

  always_ff @(posedge clk_i) begin
    cycle_q <= cycle_q + 1;
    valid   <= $urandom % 4 != 0;
    first   <= $urandom % 6 == 0;
    zero    <= $urandom % 8 == 0;
    // A whole round is one or the other, signed or not.
    if (cycle_q % 64 == 0) begin
      first     <= 1'b1;
      valid     <= 1'b1;
      maximum   <= 1'($urandom) && `HAS_MAX;
      is_signed <= 1'($urandom);
    end
    weight_q <= $urandom % 4 == 0 ? 9'sd128 - 9'($urandom % 257) : 9'(signed'(8'($urandom)));
    for (int i = 0; i < 64; i++) begin
      pixels[i] <= $urandom % 4 == 0 ? {8{1'($urandom)}} : 8'($urandom);
    end
    valid_q   <= {valid_q[0], valid};
    first_q   <= {first_q[0], first};
    maximum_q <= {maximum_q[0], maximum && !zero};
    for (int i = 0; i < 64; i++) begin
      product_q[0][i] <= zero ? '0 : pixel(pixels[i], is_signed) * 32'(weight);
      product_q[1][i] <= product_q[0][i];
      if (valid_q[1]) begin
        if (maximum_q[1]) begin
          if (first_q[1] || signed'(product_q[1][i]) > signed'(expected_q[i])) begin
            expected_q[i] <= product_q[1][i];
          end
        end else begin
          expected_q[i] <= (first_q[1] ? '0 : expected_q[i]) + product_q[1][i];
        end
      end
    end
    if (cycle_q > 80) begin
      compared_o <= compared_o + 1;
      if (sums != expected_q || netlist_sums != sums) wrong_o <= wrong_o + 1;
    end
  end
  initial begin
    cycle_q = 0;
    compared_o = 0;
    wrong_o = 0;
  end
endmodule

`default_nettype wire
