// Two stages behind the feature memory: segments to their lanes, then pixels along their row.
// Pixels outside the plane read as the padding value.  To signed pixels 128 is added: from here on
// no pixel has a sign.
//
// A rotation moves every pixel to exactly one lane, so pixels that would leave their row are
// replaced before they move.  Rotations go bit by bit; two bits fit a look-up table.
`default_nettype none

module acs_window_shift
  import acs_pkg::*;
(
  input  wire logic              clk_i,
  input  wire segments_t         data_i,      // by bank
  input  wire logic [2:0]        rotate_i,    // bank of the first segment
  input  wire logic [7:0]        valid_i,     // by segment of the window
  input  wire logic [63:0]       mask_i,      // by pixel, see acs_window_mask
  input  wire logic signed [3:0] dx_i,
  input  wire logic              signed_i,
  input  wire logic [7:0]        pad_value_i, // 128 is added already
  output      pixels_t           next_o,      // the window, a cycle ahead of its register
  output      pixels_t           window_o
);
  segments_t segments;
  pixels_t pixels, row_q;
  logic [3:0] dx_q;

  function automatic segments_t rotate_segments(input segments_t from, input logic [2:0] by);
    segments_t one, two;
    one = by[0] ? {from[0], from[7:1]} : from;
    two = by[1] ? {one[1:0], one[7:2]} : one;
    return by[2] ? {two[3:0], two[7:4]} : two;
  endfunction

  // dx as a number without sign: 64 lanes are a whole turn, -8 is 56.
  function automatic pixels_t rotate_pixels(input pixels_t from, input logic [3:0] by);
    pixels_t one, two, four;
    one  = by[0] ? {from[0], from[63:1]} : from;
    two  = by[1] ? {one[1:0], one[63:2]} : one;
    four = by[2] ? {two[3:0], two[63:4]} : two;
    return by[3] ? {four[55:0], four[63:56]} : four;
  endfunction

  assign segments = rotate_segments(data_i, rotate_i);
  assign pixels   = segments;
  assign next_o   = rotate_pixels(row_q, dx_q);

  always_ff @(posedge clk_i) begin
    dx_q     <= dx_i;
    window_o <= next_o;
    for (int lane = 0; lane < 64; lane++) begin
      row_q[lane] <= valid_i[lane/8] && mask_i[lane] ? pixels[lane] ^ {signed_i, 7'b0}
                                                     : pad_value_i;
    end
  end

endmodule

`default_nettype wire
