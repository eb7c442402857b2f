// Watches one valid/ready stream in simulation; synthesizes to nothing.
//
// A word that is offered stays, unchanged, until it is taken; valid and ready are known after
// reset.
`default_nettype none

module acs_stream_check #(
  parameter int unsigned Width = 1
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             valid_i,
  input  wire logic             ready_i,
  input  wire logic [Width-1:0] payload_i
);
`ifndef SYNTHESIS
  logic waiting_q = 1'b0;
  logic [Width-1:0] payload_q;

  always_ff @(posedge clk_i) begin
    waiting_q <= rst_ni && valid_i && !ready_i;
    payload_q <= payload_i;
    if (rst_ni) begin
      handshake_known :
      assert (!$isunknown(valid_i) && !(valid_i && $isunknown(ready_i)))
      else $error("%m: valid or ready is unknown");
      if (waiting_q) begin
        valid_stays :
        assert (valid_i)
        else $error("%m: valid fell before ready");
        payload_stays :
        assert (payload_i == payload_q)
        else $error("%m: the payload changed before ready");
      end
    end
  end
`else
  logic unused_in_synthesis;
  assign unused_in_synthesis = ^{clk_i, rst_ni, valid_i, ready_i, payload_i};
`endif

endmodule

`default_nettype wire
