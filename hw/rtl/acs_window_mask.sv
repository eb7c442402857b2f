// Which pixels of a block a tap uses: those that stay in their row when it is moved by dx, and that
// the row really has.
`default_nettype none

module acs_window_mask (
  input  wire logic              raw_i,       // a block as stored: every pixel
  input  wire logic [7:0]        columns_i,   // of the plane, at most as wide as its rows
  input  wire logic [1:0]        row_log2_i,  // log2 of segments in a row
  input  wire logic signed [3:0] dx_i,
  output      logic [63:0]       mask_o
);
  logic [63:0] real_column;  // by place in the row
  logic [7:0] too_low, too_high;  // by distance from the row's ends
  logic [3:0] back;

  assign back = 4'(-dx_i);

  always_comb begin
    for (int column = 0; column < 64; column++) real_column[column] = 8'(column) < columns_i;
    for (int place = 0; place < 8; place++) begin
      too_low[place]  = !dx_i[3] && 4'(place) < dx_i[3:0];
      too_high[place] = dx_i[3] && 4'(place) < back;
    end
  end

  for (genvar pixel = 0; pixel < 64; pixel++) begin : gen_pixel
    logic [3:0] used;  // by row_log2
    for (genvar log2 = 0; log2 < 4; log2++) begin : gen_width
      localparam int unsigned Width = 8 << log2;
      localparam int unsigned Place = pixel % Width;
      localparam int unsigned Ahead = Width - 1 - Place;
      logic low, high;
      if (Place < 8) assign low = too_low[Place];
      else assign low = 1'b0;
      if (Ahead < 8) assign high = too_high[Ahead];
      else assign high = 1'b0;
      assign used[log2] = real_column[Place] && !low && !high;
    end
    assign mask_o[pixel] = raw_i || used[row_log2_i];
  end

endmodule

`default_nettype wire
