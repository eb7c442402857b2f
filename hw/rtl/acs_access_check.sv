// Simulation only: whatever the engine asks of memory lies in the four buffers as the registers
// named them when the run started.  It keeps its own copy of the registers.
`default_nettype none

module acs_access_check
  import acs_pkg::*;
(
  input wire logic           clk_i,
  input wire logic           begins_i,   // a run starts, with these registers:
  input wire buffers_t       buffers_i,
  input wire logic           start_i,    // the bus is ready for it
  input wire axi_read_req_t  read_i,
  input wire axi_write_req_t write_i
);
`ifndef SYNTHESIS
  // Until the bus is ready, a burst that a reset cut is finished in the buffer of its own run.
  buffers_t buffers_q = '0, next_q = '0;
  span_t read_from;

  // A burst never wraps around the end of the address space: it keeps to 4 KiB.
  function automatic logic inside_buffer(input span_t buffer, input logic [63:0] address,
                                         input logic [7:0] len);
    return address >= buffer.address &&
           address - buffer.address + ((64'(len) + 64'd1) << 3) <= 64'(buffer.words) << 3;
  endfunction

  always_comb begin
    unique case (read_i.ar.user)
      BUFFER_PROGRAM: read_from = buffers_q.instructions;
      BUFFER_IMAGE:   read_from = buffers_q.image;
      default:        read_from = buffers_q.params;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (begins_i) next_q <= buffers_i;
    if (start_i) buffers_q <= next_q;
  end

  read_in_buffer :
  assert property (@(posedge clk_i) read_i.ar_valid |-> inside_buffer(
    read_from, read_i.ar.addr, read_i.ar.len
  ))
  else $error("a read outside the buffers of the run");
  write_in_buffer :
  assert property (@(posedge clk_i) write_i.aw_valid |-> inside_buffer(
    buffers_q.result, write_i.aw.addr, write_i.aw.len
  ))
  else $error("a write outside the result buffer of the run");

  logic unused_signals;
  assign unused_signals = ^{read_i, write_i};
`else
  logic unused_inputs;
  assign unused_inputs = ^{clk_i, begins_i, buffers_i, start_i, read_i, write_i};
`endif

endmodule

`default_nettype wire
