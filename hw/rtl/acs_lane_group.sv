// 64 lanes: one weight times 64 pixels, a pair of neighbours at a time.
//
// A DSP48E1 does nearly all of it for both pixels.  Its pre-adder takes two pixels of one window or
// of the other, high << 16 | low: registers of the window that is not meant are cleared.  Its
// accumulator adds up both products at once.  The lower sum leaves its 16 bits; how often is
// counted here, so that whoever takes the sums apart knows all of its bits, and what to take from
// the upper one.
//
// Pixels have no sign: of signed ones 128 more is taken, and the sum of weights that belongs to it
// goes along.  So all products of an iteration have the sign of its weight, and are below 2^15:
// the lower sum passes a multiple of 2^16 exactly where its bit 15 changes against that sign.
//
// Multipliers that are too narrow for two pixels would be two for them, with an adder behind in the
// same cycle.  There each pixel has a multiplier and a sum of its own; how often the lower sum has
// left its 16 bits, and the upper one with that in it, are told as if both had been one.
//
// Stages: pixels, operand, product, sum.
`default_nettype none

module acs_lane_group
  import acs_pkg::*;
#(
  parameter int unsigned SumBits        = 32,  // enough for every sum; 32 wrap
  parameter int unsigned MultiplierBits = 18   // of the wider factor
) (
  input  wire logic              clk_i,
  // A cycle ahead: pixels, and which of the two windows are not meant.
  input  wire pixels_t [1:0]     pixels_i,
  input  wire logic [WEIGHT_COPIES-1:0][1:0] clear_i,  // copies, each for some lanes
  // The iteration.
  input  wire logic              valid_i,
  input  wire logic              first_i,
  input  wire logic              signed_i,   // 128 was added to the pixels
  input  wire logic signed [8:0] weight_i,   // -128..128
  // Sums three cycles after their last iteration.
  output      sums_t             sums_o
);
  localparam int unsigned CarryBits = SumBits - 16;
  localparam int unsigned WeightBits = SumBits - 7;

  localparam int unsigned PairsPerCopy = 32 / WEIGHT_COPIES;

  logic negative_q;
  logic valid_q, first_q;
  // A copy for every few lanes, which are far from each other.
  logic signed [WEIGHT_COPIES-1:0][8:0] weight_q;
  (* keep *) logic [WEIGHT_COPIES-1:0] adds_q, begins_q;
  logic [WEIGHT_COPIES-1:0] less_q;  // what is added up now is negative
  logic starts_q;  // a sum of one product is there
  logic signed [WeightBits-1:0] offset_q, weights_q;

  always_ff @(posedge clk_i) begin
    valid_q    <= valid_i;
    first_q    <= first_i;
    negative_q <= weight_q[0][8];
    starts_q   <= adds_q[0] && begins_q[0];
    offset_q   <= signed_i ? WeightBits'(signed'(weight_q[0])) : '0;
    if (adds_q[0]) weights_q <= (begins_q[0] ? '0 : weights_q) + offset_q;
  end
  for (genvar copy = 0; copy < WEIGHT_COPIES; copy++) begin : gen_copy
    (* keep *) always_ff @(posedge clk_i) begin
      adds_q[copy]   <= valid_q;
      begins_q[copy] <= first_q;
    end
    if (MultiplierBits >= PAIR_BITS) begin : gen_inside
      // A register inside the multipliers takes its place.
      always_ff @(posedge clk_i) weight_q[copy] <= weight_i;
      (* keep *) logic negative_sum_q;
      (* keep *) always_ff @(posedge clk_i) negative_sum_q <= negative_q;
      assign less_q[copy] = negative_sum_q;
    end else begin : gen_beside
      (* keep *) always_ff @(posedge clk_i) weight_q[copy] <= weight_i;
      assign less_q[copy] = 1'b0;  // nobody asks
    end
  end

  for (genvar pair = 0; pair < 32; pair++) begin : gen_pair
    logic [1:0][1:0][7:0] pixels_q;  // of both windows

    always_ff @(posedge clk_i) begin
      for (int side = 0; side < 2; side++) begin
        pixels_q[side] <= {pixels_i[side][2*pair+1], pixels_i[side][2*pair]};
        if (clear_i[pair/PairsPerCopy][side]) pixels_q[side] <= '0;
      end
    end

    if (MultiplierBits >= PAIR_BITS) begin : gen_packed
      logic signed [PAIR_BITS-1:0] packed_q;
      logic signed [33:0] product_q;
      logic signed [SumBits+15:0] sum_q;
      logic bit_q, less, earlier, passes;
      logic [CarryBits-1:0] carries, carries_q;

      always_ff @(posedge clk_i) begin
        packed_q  <= signed'({1'b0, pixels_q[0][1], 8'b0, pixels_q[0][0]}) +
                     signed'({1'b0, pixels_q[1][1], 8'b0, pixels_q[1][0]});
        product_q <= packed_q * signed'(weight_q[pair/PairsPerCopy]);
        if (adds_q[pair/PairsPerCopy]) begin
          sum_q <= (begins_q[pair/PairsPerCopy] ? '0 : sum_q) + (SumBits + 16)'(product_q);
        end
      end

      // Of a negative product, -1 is added at any rate, and 1 where nothing is passed: an addition
      // of one bit and a sign.
      assign earlier = bit_q && !starts_q;
      assign less    = less_q[pair/PairsPerCopy];
      assign passes  = less ? earlier || !sum_q[15] : earlier && !sum_q[15];
      assign carries = (starts_q ? '0 : carries_q) + {CarryBits{less}} +
                       CarryBits'(passes);
      always_ff @(posedge clk_i) begin
        bit_q     <= sum_q[15];
        carries_q <= carries;
      end

      assign sums_o.pairs[pair].value   = 48'(sum_q);
      assign sums_o.pairs[pair].carries = 16'(signed'(carries));
    end else begin : gen_apart
      logic [1:0][7:0] pixel_q;
      logic signed [1:0][16:0] product_q;
      logic signed [1:0][SumBits-1:0] sum_q;
      logic signed [CarryBits-1:0] carries;
      logic signed [SumBits-1:0] upper;

      always_ff @(posedge clk_i) begin
        pixel_q <= pixels_q[0] | pixels_q[1];
        for (int i = 0; i < 2; i++) begin
          product_q[i] <= 17'(signed'({1'b0, pixel_q[i]}) * signed'(weight_q[pair/PairsPerCopy]));
          if (adds_q[pair/PairsPerCopy]) begin
            sum_q[i] <= (begins_q[pair/PairsPerCopy] ? '0 : sum_q[i]) +
                        SumBits'(signed'(product_q[i]));
          end
        end
      end

      assign carries = sum_q[0][SumBits-1:16];
      assign upper   = sum_q[1] + SumBits'(carries);
      assign sums_o.pairs[pair].value   = {32'(upper), sum_q[0][15:0]};
      assign sums_o.pairs[pair].carries = 16'(carries);
    end
  end

  if (MultiplierBits < PAIR_BITS) begin : gen_no_carries
    logic unused_signs;
    assign unused_signs = ^{negative_q, less_q, starts_q};
  end

  assign sums_o.weights = 25'(weights_q);

endmodule

`default_nettype wire
