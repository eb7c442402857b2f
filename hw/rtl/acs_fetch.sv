// Reads the program ahead of its execution, an instruction a request, and stops behind END: a run
// that gets there has read nothing that it did not execute.  It is far ahead, since words of the
// program come behind those of weights that were asked for before.
`default_nettype none

module acs_fetch
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned Ahead = 16  // instructions in the buffer
) (
  input  wire logic               clk_i,
  input  wire logic               rst_ni,
  input  wire logic               start_i,       // a run begins
  input  wire logic               stop_i,        // it ends
  input  wire span_t              program_i,
  // Read master.
  output      logic               req_valid_o,
  input  wire logic               req_ready_i,
  output      span_t              req_o,
  input  wire logic               data_valid_i,
  input  wire logic [63:0]        data_i,
  input  wire logic               data_error_i,
  // The next instruction, until it is taken.
  output      logic               valid_o,
  output      instruction_words_t words_o,
  output      logic               error_o,       // the bus answered with an error
  output      logic               no_more_o,     // the buffer ended here, without END
  input  wire logic               take_i,
  input  wire logic               hold_i         // words of others are more urgent
);
  localparam int unsigned SW = $clog2(Ahead + 1);
  localparam int unsigned IW = $clog2(INSTRUCTION_WORDS);
  localparam logic [IW-1:0] LastWord = IW'(INSTRUCTION_WORDS - 1);

  logic running_q, waiting_q;  // a request is under way
  logic [63:0] address_q;  // of the instruction to ask for
  logic [31:0] left_q;  // words from there on
  logic [SW-1:0] buffered_q;  // asked for and not yet taken out of the buffer
  logic [IW-1:0] arriving_q, leaving_q;
  logic ends_q, more_q, accepted;  // another whole instruction is left
  logic word_valid, word_ready, word_error;
  logic [63:0] word;
  logic last_arrives, last_leaves;

  // That it wants to ask is a register: the request goes far.
  logic asks_q;
  always_ff @(posedge clk_i) begin
    asks_q <= rst_ni && !stop_i && !start_i && !hold_i && running_q && !ends_q && !waiting_q &&
              more_q && buffered_q != SW'(Ahead) && !accepted;
  end
  assign req_valid_o  = asks_q;
  assign req_o        = '{address: address_q, words: 32'(INSTRUCTION_WORDS)};
  assign accepted     = req_valid_o && req_ready_i;
  assign last_arrives = data_valid_i && arriving_q == LastWord;
  assign last_leaves  = word_ready && word_valid && leaving_q == LastWord;
  always_ff @(posedge clk_i) begin
    no_more_o <= rst_ni && !start_i && running_q && !ends_q && !more_q && !waiting_q &&
                 buffered_q == 0 && !valid_o;
  end

  // The word that holds the opcode tells whether another instruction follows.
  instruction_words_t probe;
  instruction_t probed;
  logic is_end;
  always_comb begin
    probe             = '0;
    probe[arriving_q] = data_i;
  end
  assign probed = decode(probe);
  assign is_end = arriving_q == IW'(OPCODE_WORD) && probed.opcode == OP_END;

  logic fifo_ready;
  acs_fifo #(
    .Width(65),
    .Depth(2 ** $clog2(Ahead * INSTRUCTION_WORDS)),
    .BlockRam(1'b1)
  ) u_words (
    .clk_i,
    .rst_ni     (rst_ni && !start_i),
    .in_valid_i (data_valid_i),
    .in_ready_o (fifo_ready),
    .in_data_i  ({data_error_i, data_i}),
    .out_valid_o(word_valid),
    .out_ready_i(word_ready),
    .out_data_o ({word_error, word})
  );

  assign word_ready = !valid_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      running_q  <= 1'b0;
      waiting_q  <= 1'b0;
      ends_q     <= 1'b0;
      address_q  <= '0;
      left_q     <= '0;
      more_q     <= 1'b0;
      buffered_q <= '0;
      arriving_q <= '0;
      leaving_q  <= '0;
      valid_o    <= 1'b0;
      error_o    <= 1'b0;
    end else begin
      buffered_q <= buffered_q + SW'(accepted) - SW'(last_leaves);
      if (accepted) begin
        address_q <= address_q + 64'(INSTRUCTION_WORDS * WORD_BYTES);
        left_q    <= left_q - 32'(INSTRUCTION_WORDS);
        more_q    <= left_q >= 32'(2 * INSTRUCTION_WORDS);
        waiting_q <= 1'b1;
      end
      if (data_valid_i) begin
        arriving_q <= last_arrives ? '0 : arriving_q + 1'b1;
        if (is_end) ends_q <= 1'b1;
        if (last_arrives) waiting_q <= 1'b0;
      end
      if (word_valid && word_ready) begin
        leaving_q <= last_leaves ? '0 : leaving_q + 1'b1;
        error_o   <= word_error || (leaving_q != 0 && error_o);
        if (last_leaves) valid_o <= 1'b1;
      end
      if (take_i) valid_o <= 1'b0;
      if (stop_i) running_q <= 1'b0;
      if (start_i) begin
        running_q  <= 1'b1;
        waiting_q  <= 1'b0;
        ends_q     <= 1'b0;
        address_q  <= program_i.address;
        left_q     <= program_i.words;
        more_q     <= program_i.words >= 32'(INSTRUCTION_WORDS);
        buffered_q <= '0;
        arriving_q <= '0;
        leaving_q  <= '0;
        valid_o    <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (word_valid && word_ready) words_o[leaving_q] <= word;
  end

  logic unused_probed_fields;
  assign unused_probed_fields = ^probed;

`ifndef SYNTHESIS
  word_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) data_valid_i |-> fifo_ready)
  else $error("a word of the program without a place");
`endif

endmodule

`default_nettype wire
