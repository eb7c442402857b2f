// GAVG: the sum of a channel's pixels, a block a cycle.
`default_nettype none

module acs_total
  import acs_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         valid_i,
  input  wire logic         first_i,    // block of its channel
  input  wire logic         last_i,
  input  wire logic         zero_i,     // the channel is masked
  input  wire logic         signed_i,
  input  wire pixels_t      pixels_i,
  output      logic         total_valid_o,
  output      logic signed [31:0] total_o
);
  // By fours, three times; then block to block.
  logic signed [15:0][10:0] fours_q;
  logic signed [3:0][12:0]  sixteens_q;
  logic signed [14:0]       block_q;
  logic [2:0]               valid_q, first_q, last_q, zero_q;

  function automatic logic signed [10:0] value(input logic [7:0] pixel, input logic is_signed);
    return 11'(signed'({is_signed & pixel[7], pixel}));
  endfunction

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 16; i++) begin
      fours_q[i] <= (value(pixels_i[4*i], signed_i) + value(pixels_i[4*i+1], signed_i)) +
                    (value(pixels_i[4*i+2], signed_i) + value(pixels_i[4*i+3], signed_i));
    end
    for (int i = 0; i < 4; i++) begin
      sixteens_q[i] <= (13'(signed'(fours_q[4*i])) + 13'(signed'(fours_q[4*i+1]))) +
                       (13'(signed'(fours_q[4*i+2])) + 13'(signed'(fours_q[4*i+3])));
    end
    block_q <= (15'(signed'(sixteens_q[0])) + 15'(signed'(sixteens_q[1]))) +
               (15'(signed'(sixteens_q[2])) + 15'(signed'(sixteens_q[3])));
    first_q <= {first_q[1:0], first_i};
    last_q  <= {last_q[1:0], last_i};
    zero_q  <= {zero_q[1:0], zero_i};
    if (valid_q[2]) begin
      total_o <= (first_q[2] ? 32'sd0 : total_o) + (zero_q[2] ? 32'sd0 : 32'(block_q));
    end
    valid_q       <= rst_ni ? {valid_q[1:0], valid_i} : '0;
    total_valid_o <= rst_ni && valid_q[2] && last_q[2];
  end

endmodule

`default_nettype wire
