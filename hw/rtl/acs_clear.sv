// Clears the result of masked channels that hold zeros, block by block, while the array adds up.
// It writes through port B of the feature memory when no other module wants the port, and looks up
// its channels in the list of outputs when acs_post does not.
`default_nettype none

module acs_clear
  import acs_isa_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,       // a run begins or ends
  input  wire logic         start_i,       // the list is complete
  input  wire instruction_t op_i,
  input  wire channels_t    channels_i,    // at the end of the list
  input  wire logic [15:0]  blocks_i,      // of a channel's result
  output      logic         busy_o,
  // List of outputs.
  input  wire logic         list_ready_i,
  output      listed_t      list_addr_o,
  input  wire channel_t     list_channel_i, // a cycle later
  // Port B.
  output      logic         write_valid_o,
  input  wire logic         write_ready_i,
  output      logic [15:0]  write_addr_o
);
  channels_t place_q;  // in the list, counted from its end: less the channels not looked up yet
  logic looked_q, channel_valid_q, offset_valid_q, writes_q;
  channel_t channel_q;
  logic [15:0] offset_q;  // of the channel, a cycle later
  logic [15:0] address_q, blocks_q;  // of the channel's next block; blocks that remain
  logic look, begins, ends;

  assign list_addr_o   = listed_t'(place_q);
  assign busy_o        = place_q != 0 || looked_q || channel_valid_q || writes_q;
  assign write_valid_o = writes_q;
  assign write_addr_o  = address_q;
  assign ends          = writes_q && write_ready_i && blocks_q == 16'd1;
  assign begins        = channel_valid_q && offset_valid_q && (!writes_q || ends);
  // The look-up of the next channel waits for a register: it has time while this one's blocks are
  // cleared.
  assign look          = place_q != 0 && list_ready_i && !looked_q && !channel_valid_q;

  always_ff @(posedge clk_i) begin
    if (looked_q) channel_q <= list_channel_i;
    offset_q <= 16'(channel_q) * op_i.dst_step;
    if (begins) begin
      address_q <= op_i.dst_base + offset_q;
      blocks_q  <= blocks_i;
    end else if (write_ready_i) begin
      address_q <= address_q + 16'd1;
      blocks_q  <= blocks_q - 16'd1;
    end
    if (!rst_ni || clear_i) begin
      place_q         <= '0;
      looked_q        <= 1'b0;
      channel_valid_q <= 1'b0;
      offset_valid_q  <= 1'b0;
      writes_q        <= 1'b0;
    end else begin
      if (start_i) place_q <= -channels_i;
      else if (look) place_q <= place_q + 1'b1;
      looked_q        <= look;
      channel_valid_q <= looked_q || (channel_valid_q && !begins);
      offset_valid_q  <= channel_valid_q && !begins;
      writes_q        <= begins || (writes_q && !ends);
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  one_list_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !busy_o)
  else $error("a new list before the last one was cleared");
`endif

endmodule

`default_nettype wire
