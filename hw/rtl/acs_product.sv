// A small product and a summand, in a register: in a DSP slice, or of look-up tables where the
// lanes need all slices.  Without a slice, two bits of the second factor at a time are a sum, and
// a tree adds up these.
`default_nettype none

module acs_product #(
  parameter int unsigned ABits   = 16,
  parameter int unsigned BBits   = 8,             // 16 at most
  parameter int unsigned Bits    = ABits + BBits, // of the result; the lowest
  parameter bit          SignedB = 1'b0,
  parameter bit          Dsp     = 1'b1
) (
  input  wire logic                    clk_i,
  input  wire logic signed [ABits-1:0] a_i,
  input  wire logic [BBits-1:0]        b_i,
  input  wire logic signed [Bits-1:0]  summand_i,
  output      logic signed [Bits-1:0]  result_o
);
  if (Dsp) begin : gen_slice
    logic signed [BBits:0] b;
    logic signed [ABits+BBits:0] product;
    assign b       = signed'({SignedB & b_i[BBits-1], b_i});
    assign product = a_i * b;
    always_ff @(posedge clk_i) result_o <= Bits'(product) + summand_i;
    logic unused_bits;
    assign unused_bits = ^product;
  end else begin : gen_tables
    localparam int unsigned Pairs = 8;
    typedef logic signed [ABits+2:0] pair_t;
    typedef logic signed [ABits+4:0] four_t;
    typedef logic signed [ABits+8:0] eight_t;
    typedef logic signed [ABits+16:0] all_t;
    pair_t pairs[Pairs];
    four_t fours[Pairs/2];
    eight_t eights[Pairs/4];
    all_t all;
    for (genvar pair = 0; pair < Pairs; pair++) begin : gen_pair
      localparam int unsigned Low = 2 * pair;
      localparam int unsigned High = Low + 1;
      pair_t low, high;
      if (Low < BBits) begin : gen_low
        assign low = b_i[Low] ? pair_t'(a_i) : '0;
      end else begin : gen_no_low
        assign low = '0;
      end
      if (High < BBits) begin : gen_high
        assign high = b_i[High] ? pair_t'(a_i) <<< 1 : '0;
      end else begin : gen_no_high
        assign high = '0;
      end
      // The highest bit of a factor with a sign counts as less than nothing.
      if (SignedB && High == BBits - 1) begin : gen_high_sign
        assign pairs[pair] = low - high;
      end else if (SignedB && Low == BBits - 1) begin : gen_low_sign
        assign pairs[pair] = -low;
      end else begin : gen_plain
        assign pairs[pair] = low + high;
      end
    end
    for (genvar four = 0; four < Pairs / 2; four++) begin : gen_four
      assign fours[four] = four_t'(pairs[2*four]) + (four_t'(pairs[2*four+1]) <<< 2);
    end
    for (genvar eight = 0; eight < Pairs / 4; eight++) begin : gen_eight
      assign eights[eight] = eight_t'(fours[2*eight]) + (eight_t'(fours[2*eight+1]) <<< 4);
    end
    assign all = all_t'(eights[0]) + (all_t'(eights[1]) <<< 8);
    always_ff @(posedge clk_i) result_o <= Bits'(all) + summand_i;
    logic unused_bits;
    assign unused_bits = ^all;
  end

endmodule

`default_nettype wire
