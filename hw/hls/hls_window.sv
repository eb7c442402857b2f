// A window of the HLS engine as its C++ writes it (acs_window.hpp): the half of every bank, the
// turn by whole segments, the move by pixels, and the padding.  Only for counting.
`default_nettype none

module hls_window #(
  parameter int unsigned Segments = 8,
  parameter int unsigned Pixels   = 8
) (
  input  wire logic                                        clk_i,
  input  wire logic [1:0][Segments-1:0][Pixels-1:0][7:0]   data_i,
  input  wire logic [Segments-1:0]                         upper_i,
  input  wire logic [Segments-1:0]                         valid_i,
  input  wire logic [$clog2(Segments)-1:0]                 first_i,
  input  wire logic [$clog2(Pixels)-1:0]                   part_i,
  input  wire logic [Segments-1:0][Pixels-1:0]             inside_i,
  input  wire logic [7:0]                                  pad_i,
  output logic      [Segments-1:0][Pixels-1:0][7:0]        lanes_o
);
  typedef logic [Pixels-1:0][7:0] segment_t;
  segment_t [Segments-1:0] padded_q, turned_q;
  logic [Segments-1:0][Pixels-1:0][7:0] moved;

  always_comb begin
    for (int i = 0; i < Segments; i++) begin
      moved[i] = (2 * 8 * Pixels)'({turned_q[(i+1)%Segments], turned_q[i]}) >> (8 * part_i);
    end
  end

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < Segments; i++) begin
      padded_q[i] <= valid_i[i] ? data_i[upper_i[i]][i] : {Pixels{pad_i}};
      turned_q[i] <= padded_q[$clog2(Segments)'(first_i + $clog2(Segments)'(i))];
      for (int j = 0; j < Pixels; j++) lanes_o[i][j] <= inside_i[i][j] ? moved[i][j] : pad_i;
    end
  end
endmodule

`default_nettype wire
