// One requantization lane: (sum + bias) * mult + (residual * res_mult << (shift - SHIFT_MIN)),
// divided by 2^shift, rounded half away from zero.  Five stages; the caller saturates or not.
//
// One shifter is enough: the product is divided by 2^(shift - SHIFT_MIN) first, downwards, and of
// the bits that fall off only whether they were all zero is kept; then product and residual are on
// the same scale.
`default_nettype none

module acs_requantize
  import acs_isa_pkg::*;
(
  input  wire logic               clk_i,
  input  wire logic signed [31:0] sum_i,
  input  wire logic signed [31:0] bias_i,
  input  wire logic [15:0]        mult_i,
  input  wire logic [5:0]         shift_i,    // SHIFT_MIN..SHIFT_MAX
  input  wire logic signed [8:0]  residual_i,
  input  wire logic [15:0]        res_mult_i,
  input  wire logic               signed_i,
  output      logic signed [31:0] wide_o,     // low 32 bits, not narrowed
  output      logic [7:0]         narrow_o    // saturated
);
  localparam int unsigned Split = 17;  // bits of a DSP48E1's unsigned factor
  localparam int unsigned Fraction = SHIFT_MIN;
  localparam int unsigned MaxShift = SHIFT_MAX - SHIFT_MIN;

  logic signed [31:0] acc_q;
  logic [15:0] mult_q, res_mult_q;
  logic signed [8:0] residual_q;
  logic [4:0] shift_q, shift2_q, shift3_q;
  logic [32:0] low_q;
  logic signed [31:0] high_q;
  logic signed [24:0] added_q, added3_q;
  logic signed [47:0] scaled_q;
  logic signed [48:0] value_q;
  logic exact, exact_q, up;
  logic signed [48-Fraction:0] result_q;

  // The bits that the shift drops are all zero.
  always_comb begin
    exact = 1'b1;
    for (int unsigned i = 0; i < MaxShift; i++) begin
      if (5'(i) < shift3_q && scaled_q[i]) exact = 1'b0;
    end
  end

  // One half and more rounds up; exactly one half does so only if that is away from zero.
  assign up = value_q[Fraction-1] && !(value_q[48] && exact_q && value_q[Fraction-2:0] == '0);

  always_ff @(posedge clk_i) begin
    // 1: the accumulator wraps as int32 does.
    acc_q      <= sum_i + bias_i;
    mult_q     <= mult_i;
    residual_q <= residual_i;
    res_mult_q <= res_mult_i;
    shift_q    <= 5'(shift_i - 6'(SHIFT_MIN));
    // 2: products.
    low_q    <= 33'(acc_q[Split-1:0]) * 33'(mult_q);
    high_q   <= 32'(signed'(acc_q[31:Split])) * signed'({16'b0, mult_q});
    added_q  <= 25'(residual_q) * signed'({9'b0, res_mult_q});
    shift2_q <= shift_q;
    // 3: the product of the accumulator.
    scaled_q <= 48'(signed'({1'b0, low_q})) + (48'(high_q) <<< Split);
    added3_q <= added_q;
    shift3_q <= shift2_q;
    // 4: on one scale.
    value_q  <= (49'(scaled_q) >>> shift3_q) + 49'(added3_q);
    exact_q  <= exact;
    // 5: rounded.
    result_q <= signed'(value_q[48:Fraction]) + signed'({{48 - Fraction{1'b0}}, up});
  end

  // A result is too large where a bit above the narrow ones is not a copy of the sign.
  logic negative, signed_fits, above;
  assign negative    = result_q[48-Fraction];
  assign signed_fits = result_q[48-Fraction:7] == '0 || &result_q[48-Fraction:7];
  assign above       = result_q[47-Fraction:8] != '0;

  assign wide_o = result_q[31:0];
  always_comb begin
    if (signed_i) begin
      narrow_o = signed_fits ? result_q[7:0] : {negative, {7{!negative}}};
    end else begin
      narrow_o = negative ? 8'h00 : above ? 8'hff : result_q[7:0];
    end
  end

endmodule

`default_nettype wire
