// Which segment every bank delivers for a window of 64 pixels, and which segments of the window lie
// in the plane.  Phase planes of odd columns lie in the other half of the banks.
`default_nettype none

module acs_window_address (
  input  wire logic               raw_i,       // a block as stored: everything is valid
  input  wire logic [15:0]        base_i,      // a block of the channel, in the first plane
  input  wire logic [15:0]        blocks_i,    // from there to that of the first segment
  input  wire logic               odd_i,       // a phase plane of odd columns
  input  wire logic [10:0]        segments_i,  // of the plane
  input  wire logic signed [6:0]  first_i,     // segment of the window, from that of the block
  input  wire logic [10:0]        block_i,     // of its plane
  output      logic [2:0]         rotate_o,    // bank of the window's first segment
  output      logic [7:0]         valid_o,     // by segment of the window
  output      logic [7:0][15:0]   address_o    // by bank; anything where that is not valid
);
  logic signed [15:0] first, limit;
  logic [15:0] block, next;

  assign first    = signed'({2'b0, block_i, 3'b0}) + 16'(first_i);
  assign limit    = signed'({5'b0, segments_i});
  assign rotate_o = first[2:0] ^ {odd_i, 2'b00};
  // Banks before that of the first segment deliver segments of the next block.  Its sum does not
  // follow that of the block.
  assign block    = base_i + blocks_i;
  assign next     = base_i - ~blocks_i;  // a block on

  for (genvar i = 0; i < 8; i++) begin : gen_segment
    logic signed [15:0] segment;
    assign segment      = first + 16'(i);
    assign valid_o[i]   = raw_i || (segment >= 0 && segment < limit);
    assign address_o[i] = (3'(i) ^ {odd_i, 2'b00}) < first[2:0] ? next : block;
  end

endmodule

`default_nettype wire
