// The largest pixel of every lane over the iterations of a round, three cycles after the last one:
// together with the sums of acs_lane_group.  Pixels have no sign, as there.
`default_nettype none

module acs_maximum
  import acs_pkg::*;
(
  input  wire logic    clk_i,
  input  wire logic    valid_i,
  input  wire logic    first_i,
  input  wire logic    last_i,
  input  wire pixels_t pixels_i,
  output      pixels_t maxima_o
);
  pixels_t largest_q, waiting_q;
  (* keep *) logic [1:0][1:0] last_q;  // a copy for each half

  always_ff @(posedge clk_i) begin
    for (int lane = 0; lane < 64; lane++) begin
      if (valid_i && (first_i || pixels_i[lane] > largest_q[lane])) begin
        largest_q[lane] <= pixels_i[lane];
      end
    end
    for (int lane = 0; lane < 64; lane++) begin
      if (last_q[lane/32][0]) waiting_q[lane] <= largest_q[lane];
      if (last_q[lane/32][1]) maxima_o[lane] <= waiting_q[lane];
    end
  end
  for (genvar half = 0; half < 2; half++) begin : gen_copy
    (* keep *) always_ff @(posedge clk_i) last_q[half] <= {last_q[half][0], valid_i && last_i};
  end

endmodule

`default_nettype wire
