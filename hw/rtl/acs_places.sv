// How far acs_requantize shifts, for all lanes that meet the same constants, two cycles later.
`default_nettype none

module acs_places
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic       clk_i,
  input  wire logic [5:0] shift_i,  // SHIFT_MIN..SHIFT_MAX
  output      places_t    places_o
);
  logic [4:0] number_q;

  always_ff @(posedge clk_i) begin
    number_q        <= 5'(shift_i - 6'(SHIFT_MIN));
    places_o.number <= number_q;
    for (int unsigned i = 0; i < MAX_PLACES; i++) places_o.below[i] <= 5'(i) < number_q;
  end

endmodule

`default_nettype wire
