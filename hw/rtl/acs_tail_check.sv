// Simulation only: what an instruction reads while results of the one before are still stored has
// been stored already.  Channels of its source up to the last one that was read end where the next
// one begins; all writes that follow must lie behind.
`default_nettype none

module acs_tail_check
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input wire logic         clk_i,
  input wire logic         rst_ni,
  input wire logic         tail_i,       // results of the instruction before are on their way
  input wire instruction_t op_i,         // the instruction that reads
  input wire logic         issue_i,      // a read; a write of the same cycle is too late for it
  input wire iteration_t   iteration_i,
  input wire logic         write_i,      // a result
  input wire block_write_t block_i
);
`ifndef SYNTHESIS
  logic [31:0] read_end_q, read_end, read_channel_end;
  channel_t last_channel;
  assign last_channel = iteration_i.use_b && iteration_i.b_channel > iteration_i.channel
                        ? iteration_i.b_channel : iteration_i.channel;
  assign read_channel_end = 32'(op_i.src_base) +
                            (32'(last_channel) + 32'd1) * 32'(op_i.src_step);
  always_comb begin
    read_end = read_end_q;
    if (issue_i && !iteration_i.zero && read_channel_end > read_end) read_end = read_channel_end;
  end
  always_ff @(posedge clk_i) read_end_q <= rst_ni && tail_i ? read_end : '0;

  // A write may pass a register on its way to the memory.
  logic write_q;
  halves_t address_q;
  always_ff @(posedge clk_i) begin
    write_q   <= rst_ni && write_i;
    address_q <= block_i.address;
  end
  written_before_read :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   tail_i && write_q |-> 32'(address_q[0]) >= read_end &&
                                         32'(address_q[1]) >= read_end)
  else $error("a block read before its result was written");

  logic unused_fields;
  assign unused_fields = ^{op_i, iteration_i, block_i};
`else
  logic unused_inputs;
  assign unused_inputs = ^{clk_i, rst_ni, tail_i, op_i, issue_i, iteration_i, write_i, block_i};
`endif

endmodule

`default_nettype wire
