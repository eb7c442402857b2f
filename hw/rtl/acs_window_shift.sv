// Two stages behind the feature memory: segments to their lanes, then pixels along their row.
// What lies outside the plane reads the padding value.
`default_nettype none

module acs_window_shift
  import acs_pkg::*;
(
  input  wire logic              clk_i,
  input  wire segments_t         data_i,
  input  wire logic [2:0]        rotate_i,
  input  wire logic [7:0]        valid_i,
  input  wire logic              raw_i,
  input  wire logic [7:0]        columns_i,
  input  wire logic [1:0]        row_log2_i,
  input  wire logic signed [3:0] dx_i,
  input  wire logic [7:0]        pad_value_i,
  output      pixels_t           window_o
);
  logic [7:0][2:0]   bank;
  segments_t         rotated_q;
  logic              raw_q;
  logic [7:0]        columns_q, pad_value_q;
  logic [1:0]        row_log2_q;
  logic signed [3:0] dx_q;
  pixels_t           row, window;

  always_comb begin
    for (int i = 0; i < 8; i++) bank[i] = 3'(i) + rotate_i;
  end

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 8; i++) begin
      rotated_q[i] <= valid_i[bank[i]] ? data_i[bank[i]] : {8{pad_value_i}};
    end
    raw_q       <= raw_i;
    columns_q   <= columns_i;
    pad_value_q <= pad_value_i;
    row_log2_q  <= row_log2_i;
    dx_q        <= dx_i;
  end

  assign row = rotated_q;

  always_comb begin
    for (int lane = 0; lane < 64; lane++) begin
      automatic logic [5:0] in_row = 6'(lane) & 6'((10'd8 << row_log2_q) - 10'd1);
      automatic logic signed [8:0] column = signed'({3'b0, in_row}) + 9'(dx_q);
      automatic logic in_plane = column >= 0 && column < signed'({1'b0, columns_q});
      window[lane] = in_plane || raw_q ? row[6'(lane) + 6'(dx_q)] : pad_value_q;
    end
  end

  always_ff @(posedge clk_i) window_o <= window;

endmodule

`default_nettype wire
