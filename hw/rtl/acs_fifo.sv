// A first-in, first-out buffer.  In registers or distributed RAM, the word at its head is visible
// without delay; in block RAM, two cycles after it came.
`default_nettype none

module acs_fifo #(
  parameter int unsigned Width    = 64,
  parameter int unsigned Depth    = 16,
  parameter bit          BlockRam = 1'b0
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

  logic push, pop;
  logic [AW:0] head_q, head, tail_q;  // `head` is head_q in the next cycle

  if (Depth != 2 ** AW) begin : gen_bad_depth
    $error("Depth must be a power of two");
  end

  assign in_ready_o = (tail_q - head_q) != (AW + 1)'(Depth);
  assign push       = in_valid_i && in_ready_o;
  assign pop        = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
    end else begin
      head_q <= head;
      if (push) tail_q <= tail_q + 1'b1;
    end
  end

  if (BlockRam) begin : gen_block_ram
    assign head = head_q + (AW + 1)'(pop);

    // A word that is being written now is read in the next cycle.
    always_ff @(posedge clk_i) out_valid_o <= rst_ni && head != tail_q;

    acs_ram #(
      .Width(Width),
      .Depth(Depth)
    ) u_ram (
      .clk_i,
      .write_i     (push),
      .write_addr_i(tail_q[AW-1:0]),
      .write_data_i(in_data_i),
      .read_addr_i (head[AW-1:0]),
      .read_data_o (out_data_o)
    );
  end else begin : gen_registers
    logic [Width-1:0] mem_q[Depth];

    assign head        = pop ? head_q + 1'b1 : head_q;
    assign out_valid_o = tail_q != head_q;
    assign out_data_o  = mem_q[head_q[AW-1:0]];

    always_ff @(posedge clk_i) if (push) mem_q[tail_q[AW-1:0]] <= in_data_i;
  end

  acs_stream_check #(
    .Width(Width)
  ) u_in (
    .clk_i,
    .rst_ni,
    .valid_i  (in_valid_i),
    .ready_i  (in_ready_o),
    .payload_i(in_data_i)
  );
  acs_stream_check #(
    .Width(Width)
  ) u_out (
    .clk_i,
    .rst_ni,
    .valid_i  (out_valid_o),
    .ready_i  (out_ready_i),
    .payload_i(out_data_o)
  );

endmodule

`default_nettype wire
