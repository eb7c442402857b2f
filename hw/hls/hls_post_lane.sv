// One lane of the HLS engine's requantization as its C++ writes it (acs_arithmetic.hpp): scaling,
// the residual, rounding half away from zero, saturation.  Only for counting.
`default_nettype none

module hls_post_lane #(
  parameter int unsigned SumBits      = 32,
  parameter int unsigned MultBits     = 16,
  parameter int unsigned ResidualBits = 9,
  parameter int unsigned ShiftMin     = 14,
  parameter int unsigned ShiftMax     = 38,
  // Of the number that is rounded, as the C++ types it.
  parameter int unsigned ValueBits    = 51
) (
  input  wire logic                           clk_i,
  input  wire logic signed [SumBits-1:0]      sum_i,
  input  wire logic        [MultBits-1:0]     mult_i,
  input  wire logic signed [ResidualBits-1:0] residual_i,
  input  wire logic        [MultBits-1:0]     res_mult_i,
  input  wire logic        [5:0]              shift_i,
  input  wire logic                           signed_i,
  output logic             [7:0]              pixel_o
);
  logic signed [SumBits+MultBits:0] scaled_q;
  logic signed [ResidualBits+MultBits:0] added_q;
  logic signed [ValueBits-1:0] value_q, rounded;
  logic [ValueBits-1:0] magnitude_q, shifted_q;
  logic [3:0][5:0] shift_q;
  logic [4:0] signed_q;
  logic [1:0] negative_q;

  assign rounded = negative_q[1] ? -$signed(shifted_q) : $signed(shifted_q);

  always_ff @(posedge clk_i) begin
    shift_q     <= {shift_q[2:0], shift_i};
    signed_q    <= {signed_q[3:0], signed_i};
    scaled_q    <= sum_i * $signed({1'b0, mult_i});
    added_q     <= residual_i * $signed({1'b0, res_mult_i});
    value_q     <= ValueBits'(scaled_q) + (ValueBits'(added_q) <<< (shift_q[0] - 6'(ShiftMin)));
    magnitude_q <= (value_q < 0 ? -value_q : value_q) + (ValueBits'(1) << (shift_q[1] - 6'd1));
    negative_q  <= {negative_q[0], value_q < 0};
    shifted_q   <= (magnitude_q >> ShiftMin) >> (5'(shift_q[2] - 6'(ShiftMin)));
    if (signed_q[3]) begin
      pixel_o <= rounded < -128 ? 8'h80 : rounded > 127 ? 8'h7f : rounded[7:0];
    end else begin
      pixel_o <= rounded < 0 ? 8'h00 : rounded > 255 ? 8'hff : rounded[7:0];
    end
  end

  if (ShiftMax - ShiftMin >= 32 || ShiftMin < 1) begin : gen_check
    $error("a shift is at least one, and five bits behind the least one");
  end
endmodule

`default_nettype wire
