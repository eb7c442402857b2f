// A first-in, first-out buffer.  In registers or distributed RAM, the word at its head is visible
// in the cycle after it came, with OutputRegister in a register; in block RAM, two cycles after.
`default_nettype none

module acs_fifo #(
  parameter int unsigned Width    = 64,
  parameter int unsigned Depth    = 16,
  parameter bit          BlockRam = 1'b0,
  parameter bit          OutputRegister = 1'b0  // of a buffer outside block RAM
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
  logic full_q;

  if (Depth != 2 ** AW) begin : gen_bad_depth
    $error("Depth must be a power of two");
  end

  // That there is room is a register, so that no sum stands between a word and its place.
  assign in_ready_o = !full_q;
  assign push       = in_valid_i && in_ready_o;
  assign pop        = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
      full_q <= 1'b0;
    end else begin
      head_q <= head;
      if (push) tail_q <= tail_q + 1'b1;
      full_q <= !pop && (full_q || (push && (tail_q - head_q) == (AW + 1)'(Depth - 1)));
    end
  end

  if (BlockRam) begin : gen_block_ram
    // The place of the word that follows is known before it is wanted: whether a word leaves may be
    // known late.
    logic [AW:0] after_q;
    assign head = pop ? after_q : head_q;
    always_ff @(posedge clk_i) after_q <= rst_ni ? head + 1'b1 : (AW + 1)'(1);

    // A word that is being written now is read in the next cycle.
    always_ff @(posedge clk_i) begin
      out_valid_o <= rst_ni && (pop ? after_q != tail_q : head_q != tail_q);
    end

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
  end else if (OutputRegister) begin : gen_output_register
    logic [Width-1:0] mem_q[Depth];
    // The place of the word that follows.  It is a sum, not a register: Yosys would move a register
    // behind the memory, whose look-up would then follow the choice of the place.
    logic [AW:0] after;
    logic follows_q;  // there is one
    logic [AW:0] count;

    assign after = head_q + 1'b1;
    assign head  = pop ? after : head_q;
    assign count = tail_q - head_q;

    always_ff @(posedge clk_i) begin
      out_valid_o <= rst_ni && (push || (out_valid_o && (!pop || follows_q)));
      follows_q   <= rst_ni && (pop ? count > (AW + 1)'(2) || (push && count == (AW + 1)'(2))
                                    : count > (AW + 1)'(1) || (push && count == (AW + 1)'(1)));
      // A word that finds the buffer empty, or whose forerunner leaves now, goes to the output.
      if (pop || !out_valid_o) begin
        out_data_o <= out_valid_o && follows_q ? mem_q[after[AW-1:0]] : in_data_i;
      end
      if (push) mem_q[tail_q[AW-1:0]] <= in_data_i;
    end

`ifndef SYNTHESIS
    follows_is_told :
    assert property (@(posedge clk_i) disable iff (!rst_ni)
                     out_valid_o == (count != 0) && follows_q == (count > (AW + 1)'(1)))
    else $error("words of a buffer are miscounted");
`endif
  end else begin : gen_registers
    logic [Width-1:0] mem_q[Depth];

    // That there is a word is a register: whether it is taken follows.
    logic [AW:0] count;
    assign head       = pop ? head_q + 1'b1 : head_q;
    assign count      = tail_q - head_q;
    assign out_data_o = mem_q[head_q[AW-1:0]];

    always_ff @(posedge clk_i) begin
      out_valid_o <= rst_ni && (push || (out_valid_o && !(pop && count == (AW + 1)'(1))));
      if (push) mem_q[tail_q[AW-1:0]] <= in_data_i;
    end

`ifndef SYNTHESIS
    valid_is_told :
    assert property (@(posedge clk_i) disable iff (!rst_ni) out_valid_o == (count != 0))
    else $error("words of a buffer are miscounted");
`endif
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
