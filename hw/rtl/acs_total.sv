// GAVG: the sum of a channel's pixels, two blocks a cycle.
`default_nettype none

module acs_total
  import acs_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         valid_i,
  input  wire logic         first_i,    // blocks of their channel
  input  wire logic         last_i,
  input  wire logic         zero_i,     // the channel is masked
  input  wire logic         signed_i,   // 128 was added to the pixels
  input  wire pixels_t [1:0] pixels_i,
  output      logic         total_valid_o,
  output      logic signed [31:0] total_o
);
  // By fours, by fours, by eights; then blocks to blocks.
  logic [31:0][9:0] fours_q;
  logic [7:0][11:0] sixteens_q;
  logic signed [15:0] blocks_q;
  logic [127:0][7:0] pixels;
  logic [2:0] valid_q, first_q, last_q, zero_q;

  logic [14:0] sum_of_all;
  assign sum_of_all = ((15'(sixteens_q[0]) + 15'(sixteens_q[1])) +
                       (15'(sixteens_q[2]) + 15'(sixteens_q[3]))) +
                      ((15'(sixteens_q[4]) + 15'(sixteens_q[5])) +
                       (15'(sixteens_q[6]) + 15'(sixteens_q[7])));

  assign pixels = pixels_i;
  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 32; i++) begin
      fours_q[i] <= (10'(pixels[4*i]) + 10'(pixels[4*i+1])) +
                    (10'(pixels[4*i+2]) + 10'(pixels[4*i+3]));
    end
    for (int i = 0; i < 8; i++) begin
      sixteens_q[i] <= (12'(fours_q[4*i]) + 12'(fours_q[4*i+1])) +
                       (12'(fours_q[4*i+2]) + 12'(fours_q[4*i+3]));
    end
    blocks_q <= 16'(sum_of_all) - (signed_i ? 16'(128 * 128) : '0);
    first_q <= {first_q[1:0], first_i};
    last_q  <= {last_q[1:0], last_i};
    zero_q  <= {zero_q[1:0], zero_i};
    if (valid_q[2]) begin
      total_o <= (first_q[2] ? 32'sd0 : total_o) + (zero_q[2] ? 32'sd0 : 32'(blocks_q));
    end
    valid_q       <= rst_ni ? {valid_q[1:0], valid_i} : '0;
    total_valid_o <= rst_ni && valid_q[2] && last_q[2];
  end

endmodule

`default_nettype wire
