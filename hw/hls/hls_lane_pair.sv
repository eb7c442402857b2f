// Two lanes of the HLS engine as its C++ writes them (acs_arithmetic.hpp, acs_lanes.hpp): choice
// between two windows, one multiplier for two products, two accumulators.  Only for counting.
`default_nettype none

module hls_lane_pair #(
  parameter int unsigned PixelBits  = 9,
  parameter int unsigned WeightBits = 9,
  parameter int unsigned LowBits    = 16,
  parameter int unsigned SumBits    = 32,
  parameter bit          HasMax     = 1'b0,
  parameter bit          HasChoice  = 1'b1   // of two windows; a round begins with the first
) (
  input  wire logic                              clk_i,
  input  wire logic                              adds_i,
  input  wire logic                              first_i,
  input  wire logic                              second_i,
  input  wire logic                              maximum_i,
  // By window: the upper pixel, less one where the lower one is negative; and the lower pixel.
  input  wire logic signed [1:0][PixelBits-1:0]  upper_i,
  input  wire logic signed [1:0][PixelBits-1:0]  lower_i,
  input  wire logic signed [WeightBits-1:0]      weight_i,
  input  wire logic signed [SumBits-1:0]         bias_i,
  output logic signed      [1:0][SumBits-1:0]    sums_o
);
  localparam int unsigned PairBits = PixelBits + LowBits;
  localparam int unsigned ProductBits = PairBits + WeightBits - 1;
  localparam logic signed [ProductBits-1:0] Half = ProductBits'(1) << (LowBits - 1);

  logic signed [PixelBits-1:0] upper_q, lower_q;
  logic signed [PairBits-1:0] pair;
  logic signed [WeightBits-1:0] weight_q;
  logic signed [ProductBits-1:0] product_q, moved_q;
  logic [2:0] adds_q, first_q, maximum_q;
  logic signed [1:0][SumBits-1:0] held, value;

  assign pair = {upper_q, {(LowBits - PixelBits) {lower_q[PixelBits-1]}}, lower_q};

  // With half of the upper product's one added, both products split off by wires.
  assign value[0] = SumBits'($signed({~moved_q[LowBits-1], moved_q[LowBits-2:0]}));
  assign value[1] = SumBits'(moved_q >>> LowBits);

  always_ff @(posedge clk_i) begin
    upper_q   <= HasChoice && second_i ? upper_i[1] : upper_i[0];
    lower_q   <= HasChoice && second_i ? lower_i[1] : lower_i[0];
    weight_q  <= weight_i;
    product_q <= pair * weight_q;
    moved_q   <= product_q + Half;
    adds_q    <= {adds_q[1:0], adds_i};
    first_q   <= {first_q[1:0], first_i};
    maximum_q <= {maximum_q[1:0], maximum_i};
  end

  for (genvar i = 0; i < 2; i++) begin : gen_sum
    logic is_larger;
    // Values of a maximum are pixels.
    assign is_larger = $signed(value[i][PixelBits-1:0]) > $signed(sums_o[i][PixelBits-1:0]);
    always_comb begin
      held[i] = first_q[2] ? bias_i : sums_o[i];
      if (HasMax && maximum_q[2]) held[i] = '0;
    end
    always_ff @(posedge clk_i) begin
      if (adds_q[2] && (!HasMax || !maximum_q[2] || first_q[2] || is_larger)) begin
        sums_o[i] <= held[i] + value[i];
      end
    end
  end
endmodule

`default_nettype wire
