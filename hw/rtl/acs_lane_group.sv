// 64 lanes: one weight times 64 pixels, two multiply-accumulates a multiplier.
//
// (high << 16 | low) * weight: |pixel * weight| <= 2^15, so the low product fits 16 signed bits and
// splits off exactly.  Three stages: operands, product, sum.
`default_nettype none

module acs_lane_group
  import acs_pkg::*;
#(
  parameter bit HasMax = 1'b0   // can take a maximum instead of a sum
) (
  input  wire logic              clk_i,
  input  wire logic              valid_i,
  input  wire logic              first_i,
  input  wire logic              zero_i,
  input  wire logic              maximum_i,
  input  wire logic              signed_i,
  input  wire logic signed [8:0] weight_i,
  input  wire pixels_t           pixels_i,
  output      sums_t             sums_o
);
  logic signed [8:0] weight_q;
  logic [1:0]        valid_q, first_q, maximum_q;
  logic              zero_q;

  always_ff @(posedge clk_i) begin
    weight_q  <= zero_i ? '0 : weight_i;
    zero_q    <= zero_i;
    valid_q   <= {valid_q[0], valid_i};
    first_q   <= {first_q[0], first_i};
    maximum_q <= {maximum_q[0], maximum_i && HasMax && !zero_i};
  end

  for (genvar pair = 0; pair < 32; pair++) begin : gen_pair
    logic signed [24:0] packed_q;
    logic signed [33:0] product;
    logic signed [15:0] low_q;
    logic signed [16:0] high_q;
    logic signed [8:0]  low_pixel, high_pixel;
    logic signed [31:0] low_sum_q, high_sum_q;

    assign low_pixel  = signed'({signed_i & pixels_i[2*pair][7], pixels_i[2*pair]});
    assign high_pixel = signed'({signed_i & pixels_i[2*pair+1][7], pixels_i[2*pair+1]});
    assign product    = packed_q * weight_q;

    always_ff @(posedge clk_i) begin
      packed_q <= signed'({high_pixel, 16'b0}) + 25'(low_pixel);
      low_q    <= product[15:0];
      // The low product borrowed from the high one where it is negative.
      high_q   <= signed'(product[32:16]) + 17'(signed'({1'b0, product[15]}));
    end

    always_ff @(posedge clk_i) begin
      if (valid_q[1]) begin
        if (HasMax && maximum_q[1]) begin
          low_sum_q  <= first_q[1] || 32'(low_q) > low_sum_q ? 32'(low_q) : low_sum_q;
          high_sum_q <= first_q[1] || 32'(high_q) > high_sum_q ? 32'(high_q) : high_sum_q;
        end else begin
          low_sum_q  <= (first_q[1] ? 32'sd0 : low_sum_q) + 32'(low_q);
          high_sum_q <= (first_q[1] ? 32'sd0 : high_sum_q) + 32'(high_q);
        end
      end
    end

    assign sums_o[2*pair]   = low_sum_q;
    assign sums_o[2*pair+1] = high_sum_q;

    logic unused;
    assign unused = product[33];
  end

  logic unused;
  assign unused = zero_q;

endmodule

`default_nettype wire
