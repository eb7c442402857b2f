// One requantization lane: acc * mult + (residual * factor + offset << (shift - SHIFT_MIN)),
// divided by 2^shift, rounded half away from zero.  Four stages; the caller saturates or not.
//
// One shifter is enough: the product is divided by 2^(shift - SHIFT_MIN) first, downwards, and of
// the bits that fall off only whether they were all zero is kept; then product and residual are on
// the same scale.  What would be saturated anyway is bounded before it is added to the residual,
// where nobody wants the wide result.
`default_nettype none

module acs_requantize
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter bit Wide = 1'b0,  // wide_o is wanted
  parameter bit Dsp  = 1'b1   // the residual's product takes a DSP slice
) (
  input  wire logic               clk_i,
  input  wire logic signed [31:0] acc_i,
  input  wire logic [15:0]        mult_i,
  input  wire logic [7:0]         residual_i,
  input  wire factor_t         factor_i,   // stable
  input  wire places_t            places_i,   // two cycles after the accumulator, of acs_places
  input  wire logic               signed_i,
  output      logic signed [31:0] wide_o,     // low 32 bits, not narrowed
  output      logic [7:0]         narrow_o    // saturated
);
  localparam int unsigned Split = 17;  // bits of a DSP48E1's unsigned factor
  localparam int unsigned Fraction = SHIFT_MIN;
  // A product is bounded to so many bits: twice the largest residual, and far above eight bits.
  localparam int unsigned Bounded = 26;
  localparam int unsigned ValueBits = Wide ? 49 : Bounded + 1;
  localparam int unsigned ResultBits = ValueBits - Fraction;

  logic [32:0] low_q;
  logic signed [31:0] high_q;
  logic signed [24:0] added_q;
  logic signed [47:0] scaled_q;
  logic signed [ValueBits-1:0] shifted, value_q;
  logic exact_q, up;
  logic signed [ResultBits-1:0] result_q;

  if (Wide) begin : gen_wide
    assign shifted = ValueBits'(scaled_q) >>> places_i.number;
  end else begin : gen_bounded
    // By eights, by twos, by one: a choice of four fits a look-up table.
    logic negative, above;
    logic [31:0] eights;
    logic [25:0] twos;
    logic [24:0] ones;
    assign negative = scaled_q[47];
    assign above    = ((scaled_q[46:25] ^ {22{negative}}) & ~places_i.below[21:0]) != '0;
    assign eights   = 32'(scaled_q >>> {places_i.number[4:3], 3'b0});
    assign twos     = 26'(eights >> {places_i.number[2:1], 1'b0});
    assign ones     = places_i.number[0] ? twos[25:1] : twos[24:0];
    assign shifted  = {{2{negative}}, above ? {25{!negative}} : ones};
  end

  // One half and more rounds up; exactly one half does so only if that is away from zero.
  assign up = value_q[Fraction-1] &&
              !(value_q[ValueBits-1] && exact_q && value_q[Fraction-2:0] == '0);

  always_ff @(posedge clk_i) begin
    // 1: products.
    low_q    <= 33'(acc_i[Split-1:0]) * 33'(mult_i);
    high_q   <= 32'(signed'(acc_i[31:Split])) * signed'({16'b0, mult_i});
    // 2: the product of the accumulator.
    scaled_q <= 48'(signed'({1'b0, low_q})) + (48'(high_q) <<< Split);
    // 3: on one scale.
    value_q  <= shifted + ValueBits'(added_q);
    exact_q  <= (scaled_q[MAX_PLACES-1:0] & places_i.below) == '0;
    // 4: rounded.
    result_q <= signed'(value_q[ValueBits-1:Fraction]) +
                signed'({{ResultBits - 1{1'b0}}, up});
  end

  // The product of the residual, in two stages.
  logic signed [24:0] product_q;
  acs_product #(
    .ABits(17),
    .BBits(8),
    .Dsp  (Dsp)
  ) u_product (
    .clk_i,
    .a_i      ({1'b0, factor_i.once}),
    .b_i      (residual_i),
    .summand_i('0),
    .result_o (product_q)
  );
  always_ff @(posedge clk_i) added_q <= product_q + factor_i.offset;

  // A result is too large where a bit above the narrow ones is not a copy of the sign.
  logic negative_result, signed_fits, too_large;
  assign negative_result = result_q[ResultBits-1];
  assign signed_fits     = result_q[ResultBits-1:7] == '0 || &result_q[ResultBits-1:7];
  assign too_large       = result_q[ResultBits-2:8] != '0;

  assign wide_o = 32'(result_q);
  always_comb begin
    if (signed_i) begin
      narrow_o = signed_fits ? result_q[7:0] : {negative_result, {7{!negative_result}}};
    end else begin
      narrow_o = negative_result ? 8'h00 : too_large ? 8'hff : result_q[7:0];
    end
  end

endmodule

`default_nettype wire
