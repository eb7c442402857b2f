// A first-in, first-out buffer in block RAM; the word at its head is visible two cycles after it came.
`default_nettype none

module acs_stream_ram #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             in_valid_i,
  output      logic             in_ready_o,
  input  wire logic [Width-1:0] in_data_i,
  output      logic             out_valid_o,
  input  wire logic             out_ready_i,
  output      logic [Width-1:0] out_data_o
);
  localparam int unsigned AW = $clog2(Depth);

  logic [AW:0] head_q, head, tail_q;

  if (Depth != 2 ** AW) begin : gen_bad_depth
    $error("Depth must be a power of two");
  end

  assign in_ready_o = (tail_q - head_q) != (AW + 1)'(Depth);
  assign head       = head_q + (AW + 1)'(out_valid_o && out_ready_i);

  acs_ram #(
    .Width(Width),
    .Depth(Depth)
  ) u_ram (
    .clk_i,
    .write_i     (in_valid_i && in_ready_o),
    .write_addr_i(tail_q[AW-1:0]),
    .write_data_i(in_data_i),
    .read_addr_i (head[AW-1:0]),
    .read_data_o (out_data_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_q      <= '0;
      tail_q      <= '0;
      out_valid_o <= 1'b0;
    end else begin
      if (in_valid_i && in_ready_o) tail_q <= tail_q + 1'b1;
      head_q <= head;
      // What is being written now is read in the next cycle.
      out_valid_o <= head != tail_q;
    end
  end

  acs_stream_check #(.Width(Width)) u_in (
    .clk_i,
    .rst_ni,
    .valid_i  (in_valid_i),
    .ready_i  (in_ready_o),
    .payload_i(in_data_i)
  );
  acs_stream_check #(.Width(Width)) u_out (
    .clk_i,
    .rst_ni,
    .valid_i  (out_valid_o),
    .ready_i  (out_ready_i),
    .payload_i(out_data_o)
  );

endmodule

`default_nettype wire
