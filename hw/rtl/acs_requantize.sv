// One requantization lane: (sum + bias) * mult + (residual * res_mult << (shift - SHIFT_MIN)),
// divided by 2^shift, rounded half away from zero.  Five stages; the caller saturates or not.
`default_nettype none

module acs_requantize
  import acs_isa_pkg::*;
(
  input  wire logic               clk_i,
  input  wire logic signed [31:0] sum_i,
  input  wire logic signed [31:0] bias_i,
  input  wire logic [15:0]        mult_i,
  input  wire logic [5:0]         shift_i,
  input  wire logic signed [8:0]  residual_i,
  input  wire logic [15:0]        res_mult_i,
  input  wire logic               signed_i,
  output      logic signed [31:0] wide_o,     // low 32 bits, not narrowed
  output      logic [7:0]         narrow_o    // saturated
);
  logic signed [31:0] acc_q;
  logic [15:0]        mult_q, res_mult_q;
  logic signed [8:0]  residual_q;
  logic [5:0]         shift_q, shift2_q, shift3_q, shift4_q;
  logic signed [48:0] scaled_q;
  logic signed [25:0] added_q;
  logic signed [51:0] value_q;
  logic               negative_q, negative5_q;
  logic [51:0]        magnitude_q;
  logic [51:0]        rounded_q;
  logic signed [52:0] result;

  always_ff @(posedge clk_i) begin
    // 1: the accumulator wraps as int32 does.
    acc_q      <= sum_i + bias_i;
    mult_q     <= mult_i;
    residual_q <= residual_i;
    res_mult_q <= res_mult_i;
    shift_q    <= shift_i;
    // 2: products.
    scaled_q <= acc_q * signed'({1'b0, mult_q});
    added_q  <= residual_q * signed'({1'b0, res_mult_q});
    shift2_q <= shift_q;
    // 3: on one scale.
    value_q  <= 52'(scaled_q) + (52'(added_q) <<< (shift2_q - 6'(SHIFT_MIN)));
    shift3_q <= shift2_q;
    // 4: magnitude plus one half.
    magnitude_q <= (value_q < 0 ? 52'(-value_q) : 52'(value_q)) + (52'd1 << (shift3_q - 6'd1));
    negative_q  <= value_q < 0;
    shift4_q    <= shift3_q;
    // 5: shifted.
    rounded_q   <= magnitude_q >> shift4_q;
    negative5_q <= negative_q;
  end

  assign result = negative5_q ? -signed'({1'b0, rounded_q}) : signed'({1'b0, rounded_q});
  assign wide_o = result[31:0];
  always_comb begin
    if (signed_i) begin
      narrow_o = result < -53'sd128 ? 8'h80 : result > 53'sd127 ? 8'h7f : result[7:0];
    end else begin
      narrow_o = result < 53'sd0 ? 8'h00 : result > 53'sd255 ? 8'hff : result[7:0];
    end
  end

endmodule

`default_nettype wire
