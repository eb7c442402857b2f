// Two lanes of the HLS engine as its C++ writes them (acs_arithmetic.hpp, acs_lanes.hpp): choice
// between two windows, one multiplier for two products, two accumulators.  Only for counting.
`default_nettype none

module hls_lane_pair #(
  parameter int unsigned PairBits   = 25,
  parameter int unsigned WeightBits = 9,
  parameter int unsigned LowBits    = 16,
  parameter int unsigned SumBits    = 32,
  parameter bit          HasMax     = 1'b0
) (
  input  wire logic                              clk_i,
  input  wire logic                              adds_i,
  input  wire logic                              first_i,
  input  wire logic                              second_i,
  input  wire logic                              maximum_i,
  input  wire logic signed [1:0][PairBits-1:0]   pairs_i,
  input  wire logic signed [WeightBits-1:0]      weight_i,
  input  wire logic signed [SumBits-1:0]         bias_i,
  output logic signed      [1:0][SumBits-1:0]    sums_o
);
  localparam int unsigned ProductBits = PairBits + WeightBits - 1;

  logic signed [PairBits-1:0] pair_q;
  logic signed [WeightBits-1:0] weight_q;
  logic signed [ProductBits-1:0] product_q;
  logic signed [LowBits-1:0] low, low_q;
  logic signed [ProductBits-LowBits-1:0] high_q;
  logic [2:0] adds_q, first_q, maximum_q;
  logic signed [1:0][SumBits-1:0] held, value;

  assign low = product_q[LowBits-1:0];

  always_comb begin
    for (int i = 0; i < 2; i++) held[i] = first_q[2] ? bias_i : sums_o[i];
    value[0] = SumBits'(low_q);
    value[1] = SumBits'(high_q);
  end

  always_ff @(posedge clk_i) begin
    pair_q    <= second_i ? pairs_i[1] : pairs_i[0];
    weight_q  <= weight_i;
    product_q <= pair_q * weight_q;
    low_q     <= low;
    high_q    <= product_q[ProductBits-1:LowBits] + (ProductBits-LowBits)'(product_q[LowBits-1]);
    adds_q    <= {adds_q[1:0], adds_i};
    first_q   <= {first_q[1:0], first_i};
    maximum_q <= {maximum_q[1:0], maximum_i};
    if (adds_q[2]) begin
      for (int i = 0; i < 2; i++) begin
        if (HasMax && maximum_q[2]) begin
          if ($signed(value[i]) > $signed(held[i])) sums_o[i] <= value[i];
          else sums_o[i] <= held[i];
        end else begin
          sums_o[i] <= held[i] + value[i];
        end
      end
    end
  end
endmodule

`default_nettype wire
