// 64 lanes: one weight times 64 pixels, two multiply-accumulates a multiplier.
//
// (high << 16 | low) * weight: |pixel * weight| <= 2^15, so the low product fits 16 signed bits and
// splits off exactly.  Three stages: operands, product, sum; the first two are the registers of a
// DSP48E1, which adds up the operand too.
`default_nettype none

module acs_lane_group
  import acs_pkg::*;
#(
  parameter bit HasMax = 1'b0  // can take a maximum instead of a sum
) (
  input  wire logic              clk_i,
  input  wire logic              valid_i,
  input  wire logic              first_i,
  input  wire logic              zero_i,
  input  wire logic              maximum_i,   // of pixels: the weight is 1
  input  wire logic              signed_i,
  input  wire logic signed [8:0] weight_i,
  input  wire pixels_t           pixels_i,
  output      sums_t             sums_o
);
  logic signed [8:0] weight_q;
  logic [1:0] valid_q, first_q, maximum_q;

  always_ff @(posedge clk_i) begin
    weight_q  <= zero_i ? '0 : weight_i;
    valid_q   <= {valid_q[0], valid_i};
    first_q   <= {first_q[0], first_i};
    maximum_q <= {maximum_q[0], maximum_i && HasMax && !zero_i};
  end

  for (genvar pair = 0; pair < 32; pair++) begin : gen_pair
    logic signed [24:0] packed_q;
    logic signed [33:0] product_q;
    logic signed [8:0] low_pixel, high_pixel;
    logic signed [31:0] low, high, low_sum_q, high_sum_q;
    logic borrow;
    logic low_take, high_take, clear;

    assign low_pixel  = signed'({signed_i & pixels_i[2*pair][7], pixels_i[2*pair]});
    assign high_pixel = signed'({signed_i & pixels_i[2*pair+1][7], pixels_i[2*pair+1]});

    always_ff @(posedge clk_i) begin
      packed_q  <= signed'({high_pixel, 16'b0}) + 25'(low_pixel);
      product_q <= packed_q * weight_q;
    end

    // A negative low product borrowed from the high one, which gets it back as a carry.
    assign low    = 32'(signed'(product_q[15:0]));
    assign high   = 32'(signed'(product_q[32:16]));
    assign borrow = product_q[15];

    // A maximum replaces the sum where it is larger, and is left alone where it is not: a lane's
    // clock enable, so that sums cost no more than their adder.
    if (HasMax) begin : gen_max
      logic signed [9:0] low_value, high_value;
      assign low_value  = 10'(signed'(product_q[8:0]));
      assign high_value = 10'(signed'(product_q[24:16])) + 10'(borrow);
      assign low_take   = !maximum_q[1] || first_q[1] || low_value > signed'(low_sum_q[9:0]);
      assign high_take  = !maximum_q[1] || first_q[1] || high_value > signed'(high_sum_q[9:0]);
      assign clear      = first_q[1] || maximum_q[1];
    end else begin : gen_no_max
      assign low_take   = 1'b1;
      assign high_take  = 1'b1;
      assign clear      = first_q[1];
    end

    always_ff @(posedge clk_i) begin
      if (valid_q[1] && low_take) begin
        low_sum_q <= low + (clear ? 32'sd0 : low_sum_q);
      end
      if (valid_q[1] && high_take) begin
        high_sum_q <= high + (clear ? 32'sd0 : high_sum_q) + signed'({31'd0, borrow});
      end
    end

    assign sums_o[2*pair]   = low_sum_q;
    assign sums_o[2*pair+1] = high_sum_q;

    logic unused_product_sign;
    assign unused_product_sign = product_q[33];
  end

  logic unused_maximum;
  assign unused_maximum = maximum_q[1];

endmodule

`default_nettype wire
