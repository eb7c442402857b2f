// How far acs_requantize shifts, for all lanes that meet the same constants, two cycles later.
`default_nettype none

module acs_places
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic       clk_i,
  input  wire logic [5:0] shift_i,  // SHIFT_MIN..SHIFT_MAX
  output      places_t    places_o  // a register for many lanes, and not one with that of others
);
  logic [4:0] number_q;
  (* keep *) places_t places_q;

  always_ff @(posedge clk_i) number_q <= 5'(shift_i - 6'(SHIFT_MIN));
  (* keep *) always_ff @(posedge clk_i) begin
    places_q.number <= number_q;
    for (int unsigned i = 0; i < MAX_PLACES; i++) places_q.below[i] <= 5'(i) < number_q;
  end
  assign places_o = places_q;

endmodule

`default_nettype wire
