// Two stages behind the feature memory: segments to their lanes, then pixels along their row.
// Pixels outside the plane read as the padding value.  To signed pixels 128 is added: from here on
// no pixel has a sign.
//
// A rotation moves every pixel to exactly one lane, so pixels that would leave their row are
// replaced before they move.  Rotations go bit by bit; two bits fit a look-up table.  Each of the
// eight bits of pixels has its copy of what they rotate by, for 64 lanes.
`default_nettype none

module acs_window_shift
  import acs_pkg::*;
(
  input  wire logic              clk_i,
  input  wire segments_t         data_i,      // by bank
  input  wire logic [7:0][2:0]   rotate_i,    // bank of the first segment; by bit of the pixels
  input  wire logic [7:0]        valid_i,     // by segment of the window
  input  wire logic [63:0]       mask_i,      // by pixel, see acs_window_mask
  input  wire logic signed [3:0] dx_i,
  input  wire logic              signed_i,
  input  wire logic [7:0]        pad_value_i, // 128 is added already
  output      pixels_t           next_o,      // the window, a cycle ahead of its register
  output      pixels_t           window_o
);
  pixels_t pixels, row_q;
  (* keep *) logic [7:0][3:0] dx_q;

  function automatic logic [63:0] rotate_segments(input logic [63:0] from, input logic [2:0] by);
    logic [63:0] one, two;
    one = by[0] ? {from[7:0], from[63:8]} : from;
    two = by[1] ? {one[15:0], one[63:16]} : one;
    return by[2] ? {two[31:0], two[63:32]} : two;
  endfunction

  // dx as a number without sign: 64 lanes are a whole turn, -8 is 56.
  function automatic logic [63:0] rotate_pixels(input logic [63:0] from, input logic [3:0] by);
    logic [63:0] one, two, four;
    one  = by[0] ? {from[0], from[63:1]} : from;
    two  = by[1] ? {one[1:0], one[63:2]} : one;
    four = by[2] ? {two[3:0], two[63:4]} : two;
    return by[3] ? {four[55:0], four[63:56]} : four;
  endfunction

  for (genvar place = 0; place < 8; place++) begin : gen_bit
    logic [63:0] stored, rotated, row, moved;
    for (genvar lane = 0; lane < 64; lane++) begin : gen_lane
      assign stored[lane]        = data_i[lane/8][8*(lane%8)+place];
      assign pixels[lane][place] = rotated[lane];
      assign row[lane]           = row_q[lane][place];
      assign next_o[lane][place] = moved[lane];
    end
    assign rotated = rotate_segments(stored, rotate_i[place]);
    assign moved   = rotate_pixels(row, dx_q[place]);
    (* keep *) always_ff @(posedge clk_i) dx_q[place] <= dx_i;
  end

  always_ff @(posedge clk_i) begin
    window_o <= next_o;
    for (int lane = 0; lane < 64; lane++) begin
      row_q[lane] <= valid_i[lane/8] && mask_i[lane] ? pixels[lane] ^ {signed_i, 7'b0}
                                                     : pad_value_i;
    end
  end

endmodule

`default_nettype wire
