// One lane of the HLS engine's requantization as its C++ writes it (acs_arithmetic.hpp): scaling,
// the shift to the residual's scale, the residual, rounding half away from zero, saturation.  Only
// for counting.
`default_nettype none

module hls_post_lane #(
  parameter int unsigned SumBits      = 32,
  parameter int unsigned MultBits     = 16,
  parameter int unsigned ResidualBits = 9,
  parameter int unsigned ShiftMin     = 14,
  parameter int unsigned ShiftMax     = 38
) (
  input  wire logic                           clk_i,
  input  wire logic signed [SumBits-1:0]      sum_i,
  input  wire logic        [MultBits-1:0]     mult_i,
  input  wire logic signed [ResidualBits-1:0] residual_i,
  input  wire logic        [MultBits-1:0]     res_mult_i,
  // Beyond the least one, and the bits that it moves out: the same for all lanes.
  input  wire logic        [4:0]              shift_i,
  input  wire logic        [ShiftMax-ShiftMin-1:0] below_i,
  input  wire logic                           signed_i,
  output logic             [7:0]              pixel_o
);
  localparam int unsigned ScaledBits = SumBits + MultBits;
  localparam int unsigned ValueBits = ScaledBits + 1;
  localparam int unsigned RoundBits = 11;

  logic signed [ScaledBits-1:0] scaled_q, shifted_q;
  logic signed [ResidualBits+MultBits-1:0] added_q, added_q2;
  logic signed [ValueBits-1:0] value_q;
  logic exact_q, exact_q2;
  logic [2:0] signed_q;
  logic signed [ValueBits-ShiftMin-1:0] whole;
  logic signed [RoundBits-1:0] near, rounded_q;
  logic up;

  assign whole = value_q >>> ShiftMin;
  assign up    = value_q[ShiftMin-1]
      && !(value_q < 0 && exact_q2 && value_q[ShiftMin-2:0] == '0);

  always_comb begin
    near = RoundBits'(whole);
    if (whole > 511) near = 511;
    if (whole < -512) near = -512;
  end

  always_ff @(posedge clk_i) begin
    signed_q  <= {signed_q[1:0], signed_i};
    scaled_q  <= sum_i * $signed({1'b0, mult_i});
    added_q   <= residual_i * $signed({1'b0, res_mult_i});
    added_q2  <= added_q;
    shifted_q <= scaled_q >>> shift_i;
    exact_q   <= (scaled_q[ShiftMax-ShiftMin-1:0] & below_i) == '0;
    exact_q2  <= exact_q;
    value_q   <= ValueBits'(shifted_q) + ValueBits'(added_q2);
    rounded_q <= near + RoundBits'(up);
    if (signed_q[2]) begin
      pixel_o <= rounded_q < -128 ? 8'h80 : rounded_q > 127 ? 8'h7f : rounded_q[7:0];
    end else begin
      pixel_o <= rounded_q < 0 ? 8'h00 : rounded_q > 255 ? 8'hff : rounded_q[7:0];
    end
  end

  if (ShiftMax - ShiftMin >= 32 || ShiftMin < 1) begin : gen_check
    $error("a shift is at least one, and five bits behind the least one");
  end
endmodule

`default_nettype wire
