// A lane group as written, its netlist, the one with a multiplier for each pixel, and sums of whole
// integers, on the same inputs.
`default_nettype none

module lane_group_twin
  import acs_pkg::*;
(
  input  wire logic   clk_i,
  output logic [31:0] compared_o,
  output logic [31:0] wrong_o
);
  logic valid, first, zero, is_signed, is_second, second_q;
  logic signed [8:0] weight;
  logic signed [8:0] shown_weight;
  pixels_t [1:0] pixels, shown;
  pixels_t pixels_q;
  sums_t sums, netlist_sums, apart_sums;

  assign shown_weight = zero ? 9'd0 : weight;
  assign shown = pixels ^ {128{is_signed, 7'b0}};

  acs_lane_group #(
    .SumBits(29),
    .MultiplierBits(PAIR_BITS)
  ) u_rtl (
    .clk_i,
    .pixels_i(shown),
    .clear_i ({WEIGHT_COPIES{!is_second, is_second}}),
    .valid_i (valid),
    .first_i (first),
    .signed_i(is_signed),
    .weight_i(shown_weight),
    .sums_o  (sums)
  );
  acs_lane_group_netlist u_netlist (
    .clk_i,
    .pixels_i(shown),
    .clear_i ({WEIGHT_COPIES{!is_second, is_second}}),
    .valid_i (valid),
    .first_i (first),
    .signed_i(is_signed),
    .weight_i(shown_weight),
    .sums_o  (netlist_sums)
  );
  acs_lane_group #(
    .SumBits(29)
  ) u_apart (
    .clk_i,
    .pixels_i(shown),
    .clear_i ({WEIGHT_COPIES{!is_second, is_second}}),
    .valid_i (valid),
    .first_i (first),
    .signed_i(is_signed),
    .weight_i(shown_weight),
    .sums_o  (apart_sums)
  );

  // Pixels are there a cycle before their weight, which is two cycles before the sums.
  logic [1:0] valid_q, first_q;
  logic [1:0][63:0][31:0] product_q;
  logic [63:0][31:0] expected_q, lanes;
  logic [31:0] cycle_q, offset;

  function automatic logic signed [31:0] pixel(input logic [7:0] bits, input logic negative);
    return negative ? 32'(signed'(bits)) : 32'(bits);
  endfunction

  assign offset = 32'(signed'({sums.weights, 7'b0}));
  always_comb begin
    for (int i = 0; i < 32; i++) begin
      lanes[2*i]   = {sums.pairs[i].carries, sums.pairs[i].value[15:0]} - offset;
      lanes[2*i+1] = sums.pairs[i].value[47:16] - 32'(signed'(sums.pairs[i].carries)) - offset;
    end
  end

  always_ff @(posedge clk_i) begin
    cycle_q   <= cycle_q + 1;
    valid     <= $urandom % 4 != 0;
    first     <= $urandom % 200 == 0;
    zero      <= $urandom % 8 == 0;
    is_second <= 1'($urandom);
    weight    <= $urandom % 4 == 0 ? 9'sd128 - 9'($urandom % 257) : 9'(signed'(8'($urandom)));
    for (int i = 0; i < 128; i++) begin
      pixels[i/64][i%64] <= $urandom % 4 == 0 ? {8{1'($urandom)}} : 8'($urandom);
    end
    // Stretches of the largest products of one sign.
    if (cycle_q[9:8] == 2'd1) begin
      first  <= 1'b0;
      zero   <= 1'b0;
      weight <= cycle_q[10] ? -9'sd128 : 9'sd128;
      pixels <= {128{is_signed ? 8'h7f : 8'hff}};
    end
    // A whole round is signed or not.
    if (cycle_q % 2048 < 8) valid <= 1'b0;
    if (cycle_q % 2048 == 4) is_signed <= 1'($urandom);
    if (cycle_q % 2048 == 8) {valid, first} <= 2'b11;
    pixels_q <= pixels[is_second];
    valid_q  <= {valid_q[0], valid};
    first_q  <= {first_q[0], first};
    for (int i = 0; i < 64; i++) begin
      product_q[0][i] <= zero ? '0 : pixel(pixels_q[i], is_signed) * 32'(weight);
      product_q[1][i] <= product_q[0][i];
      if (valid_q[1]) expected_q[i] <= (first_q[1] ? '0 : expected_q[i]) + product_q[1][i];
    end
    // Where the sign changes, pixels of either kind are under way until the next round begins.
    if (cycle_q > 16 && cycle_q % 2048 >= 16) begin
      compared_o <= compared_o + 1;
      if (lanes != expected_q || netlist_sums != sums || apart_sums != sums) begin
        wrong_o <= wrong_o + 1;
      end
    end
  end
  initial begin
    cycle_q = 0;
    compared_o = 0;
    wrong_o = 0;
  end
endmodule

`default_nettype wire
