// Which segment every bank delivers for a window of 64 pixels, and which segments of the window lie
// in the plane.  Phase planes of odd columns lie in the other half of the banks.
`default_nettype none

module acs_window_address (
  input  wire logic               raw_i,       // a block as stored: everything is valid
  input  wire logic [15:0]        channel_i,   // first block of the channel,
  input  wire logic [15:0]        phase_i,     // and of the plane, from there
  input  wire logic               odd_i,       // a phase plane of odd columns
  input  wire logic [10:0]        segments_i,  // of the plane
  input  wire logic signed [6:0]  first_i,     // segment of the window, from that of the block
  input  wire logic [10:0]        block_i,
  output      logic [2:0]         rotate_o,    // bank of the window's first segment
  output      logic [7:0]         valid_o,     // by segment of the window
  output      logic [7:0][15:0]   address_o    // by bank; anything where that is not valid
);
  logic signed [15:0] first, limit;
  logic [15:0] base, base_next, block, next;

  assign first    = signed'({2'b0, block_i, 3'b0}) + 16'(first_i);
  assign limit    = signed'({5'b0, segments_i});
  assign rotate_o = first[2:0] ^ {odd_i, 2'b00};
  // Banks before that of the first segment deliver segments of the next block.  Its sum does not
  // follow that of the block: both follow those of their planes.
  assign base      = channel_i + phase_i;
  assign base_next = channel_i - ~phase_i;  // a block on
  assign block     = base + {{4{first[15]}}, first[14:3]};
  assign next      = base_next + {{4{first[15]}}, first[14:3]};

  for (genvar i = 0; i < 8; i++) begin : gen_segment
    logic signed [15:0] segment;
    assign segment      = first + 16'(i);
    assign valid_o[i]   = raw_i || (segment >= 0 && segment < limit);
    assign address_o[i] = (3'(i) ^ {odd_i, 2'b00}) < first[2:0] ? next : block;
  end

endmodule

`default_nettype wire
