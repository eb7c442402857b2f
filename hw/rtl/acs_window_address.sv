// Which segment every bank delivers for a window of 64 pixels, and whether it lies in the plane.
`default_nettype none

module acs_window_address (
  input  wire logic               raw_i,       // a block as stored: everything is valid
  input  wire logic [15:0]        base_i,      // first block of the plane
  input  wire logic [7:0]         rows_i,
  input  wire logic [1:0]         row_log2_i,
  input  wire logic signed [3:0]  dy_i,
  input  wire logic [10:0]        block_i,
  output      logic [2:0]         rotate_o,    // bank of the window's first segment
  output      logic [7:0]         valid_o,
  output      logic [7:0][15:0]   address_o
);
  logic signed [15:0] first;

  assign first    = signed'({2'b0, block_i, 3'b0}) + (16'(dy_i) <<< row_log2_i);
  assign rotate_o = first[2:0];

  for (genvar bank = 0; bank < 8; bank++) begin : gen_bank
    logic [2:0]         ahead;
    logic signed [15:0] segment;
    assign ahead   = 3'(bank) - first[2:0];
    assign segment = first + signed'({13'b0, ahead});
    assign valid_o[bank]   = raw_i ||
                             (segment >= 0 && (segment >>> row_log2_i) < signed'({8'b0, rows_i}));
    assign address_o[bank] = valid_o[bank] ? base_i + {4'b0, segment[14:3]} : '0;
  end

endmodule

`default_nettype wire
