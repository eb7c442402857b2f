// Works ahead of the sequencer: fetches instructions, has them judged, and asks for what they read
// from memory.  Words wait in the read master's buffer, weights in the free set of banks, until
// their instruction runs; judged instructions wait in a queue.
//
// Everything is asked for in the order of the program.  A convolution with an output mask knows its
// rows only when it runs; nothing that comes after it is asked for before its rows are.
`default_nettype none

module acs_front
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024,
  parameter int unsigned Users         = 4      // program, image, vectors, table
) (
  input  wire logic               clk_i,
  input  wire logic               rst_ni,
  input  wire logic               start_i,      // a run begins
  input  wire logic               stop_i,       // there is none, or it ends
  input  wire logic [3:0][63:0]   pointers_i,
  input  wire logic [3:0][31:0]   sizes_i,
  input  wire logic               trace_i,
  // Read master.
  output      logic [Users-1:0]       req_valid_o,
  input  wire logic [Users-1:0]       req_ready_i,
  output      logic [Users-1:0][63:0] req_addr_o,
  output      logic [Users-1:0][31:0] req_words_o,
  input  wire logic               data_valid_i, // words of the program
  input  wire logic [63:0]        data_i,
  input  wire logic               data_error_i,
  // Weights of a CONV without output mask: all rows of all groups.
  output      logic               load_o,
  output      instruction_t       load_op_o,
  output      logic [28:0]        load_index_o, // number of the instruction
  input  wire logic               loader_busy_i,
  input  wire logic               quiet_i,      // a CONV with output mask has asked for its rows
  input  wire logic               gate_done_i,  // a mask is there
  // What was asked for a LINEAR.
  output      logic               linear_job_valid_o,
  output      linear_job_t        linear_job_o,
  // The next instruction.
  output      logic               valid_o,
  output      judged_t            next_o,
  output      logic               no_more_o,    // the program ended without END
  input  wire logic               take_i
);
  localparam int unsigned UserImage = 1, UserVectors = 2, UserTable = 3;

  logic               fetched, fetch_error, fetch_done, no_more, checked, check_start, judged;
  instruction_words_t words;
  instruction_t       op;
  logic [7:0]         verdict;
  amounts_t           amounts;
  judged_t            instruction;

  acs_fetch u_fetch (
    .clk_i,
    .rst_ni,
    .start_i,
    .stop_i,
    .program_i   (pointers_i[0]),
    .size_i      (sizes_i[0]),
    .req_valid_o (req_valid_o[0]),
    .req_ready_i (req_ready_i[0]),
    .req_addr_o  (req_addr_o[0]),
    .req_words_o (req_words_o[0]),
    .data_valid_i,
    .data_i,
    .data_error_i,
    .valid_o     (fetched),
    .words_o     (words),
    .error_o     (fetch_error),
    .no_more_o   (no_more),
    .take_i      (fetch_done)
  );
  assign op = traced_decode(words, trace_i);

  acs_check #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_check (
    .clk_i,
    .rst_ni,
    .start_i  (check_start),
    .words_i  (words),
    .op_i     (op),
    .sizes_i  (sizes_i),
    .valid_o  (checked),
    .status_o (verdict),
    .amounts_o(amounts)
  );

  // From fetched to judged.
  logic checking_q;
  assign check_start = fetched && !checking_q;
  assign judged      = fetched && checking_q && checked;

  // Judged instructions go on at once; what they read is asked for meanwhile.
  logic        is_load, is_conv, is_linear, is_gate, is_listed, held;
  logic        waits_q;       // a CONV with output mask has not asked for its rows yet
  logic        queued_q, queue, room, queue_valid;
  assign instruction = '{
    words: words,
    amounts: amounts,
    status: fetch_error ? STATUS_BUS_ERROR : verdict
  };
  assign queue = judged && !queued_q && room && !held;
  acs_fifo #(
    .Width($bits(judged_t)),
    .Depth(4)
  ) u_queue (
    .clk_i,
    .rst_ni     (rst_ni && !stop_i),
    .in_valid_i (queue),
    .in_ready_o (room),
    .in_data_i  (instruction),
    .out_valid_o(queue_valid),
    .out_ready_i(take_i),
    .out_data_o (next_o)
  );
  assign valid_o   = queue_valid;
  assign no_more_o = no_more && !queue_valid;

  // What an instruction reads: first thresholds, a table or the image; then rows.
  typedef enum logic [1:0] {StFirst, StSecond, StDone} step_e;
  step_e       step_q;
  logic [3:0]  gates_q;       // gates that were queued and have not decided
  logic        good, reads, allowed, masks_there, first_asked, second_asked;
  logic [28:0] index_q;

  assign is_load   = op.opcode == OP_LOAD;
  assign is_conv   = op.opcode == OP_CONV;
  assign is_linear = op.opcode == OP_LINEAR;
  assign is_gate   = writes_mask(op);
  assign is_listed = is_conv && op.mask_out != 8'(MASK_NONE);
  assign held      = is_listed && waits_q;    // one at a time
  assign good      = judged && verdict == STATUS_OK && !fetch_error;
  assign reads     = good && (is_load || is_linear || (is_conv && (!is_listed || op.has_table)));
  assign allowed   = reads && !waits_q && !loader_busy_i && !stop_i;

  assign req_valid_o[UserImage]   = allowed && step_q == StFirst && is_load;
  assign req_valid_o[UserTable]   = allowed && step_q == StFirst && is_conv && op.has_table;
  assign req_valid_o[UserVectors] = allowed && (step_q == StFirst ? is_gate
                                                                  : step_q == StSecond && is_linear);
  // Words that a mask makes needless can be left out once the mask is there.
  assign masks_there  = gates_q == 0 || !skips_words(op);
  assign load_o       = allowed && step_q == StSecond && is_conv && !is_listed && masks_there;
  assign load_op_o    = op;
  assign load_index_o = index_q;

  assign first_asked  = (req_valid_o & req_ready_i) >> UserImage != '0 ||
                        !(is_load || is_gate || (is_conv && op.has_table));
  assign second_asked = req_valid_o[UserVectors] ? req_ready_i[UserVectors] : !is_conv || load_o ||
                                                                              is_listed;

  // Known before the first of its words can come.
  assign linear_job_valid_o = req_valid_o[UserVectors] && req_ready_i[UserVectors] &&
                              is_gate == (step_q == StFirst);
  assign linear_job_o       = '{gate: is_gate, channels: op.channels, row_words: op.row_words};

  always_comb begin
    req_addr_o[UserImage]     = pointers_i[2];
    req_words_o[UserImage]    = 32'(amounts.image_words);
    req_addr_o[UserTable]     = pointers_i[1] + {29'b0, op.table_addr, 3'b0};
    req_words_o[UserTable]    = (32'(amounts.inputs) + 32'(amounts.outputs) + 32'd3) >> 2;
    req_addr_o[UserVectors]   = pointers_i[1] + {29'b0, op.weight_addr, 3'b0};
    req_words_o[UserVectors]  = 32'(amounts.linear_words);
    if (step_q == StFirst) begin
      req_addr_o[UserVectors]  = pointers_i[1] + {29'b0, op.threshold_addr, 3'b0};
      req_words_o[UserVectors] = (32'(op.channels) + 32'd1) >> 1;
    end
  end

  // Behind an instruction that ends the run nothing is looked at.
  assign fetch_done = good && op.opcode != OP_END && (queued_q || queue) &&
                      (!reads || step_q == StDone);

  always_ff @(posedge clk_i) begin
    if (!rst_ni || stop_i || start_i) begin
      checking_q <= 1'b0;
      queued_q   <= 1'b0;
      step_q     <= StFirst;
      waits_q    <= 1'b0;
      gates_q    <= '0;
      index_q    <= '0;
    end else begin
      gates_q <= gates_q + 4'(queue && good && is_gate) - 4'(gate_done_i);
      if (check_start) checking_q <= 1'b1;
      if (queue) queued_q <= 1'b1;
      if (allowed) begin
        if (step_q == StFirst && first_asked) step_q <= StSecond;
        if (step_q == StSecond && second_asked) step_q <= StDone;
      end
      if (fetch_done && is_listed) waits_q <= 1'b1;
      else if (quiet_i) waits_q <= 1'b0;
      if (fetch_done) begin
        checking_q <= 1'b0;
        queued_q   <= 1'b0;
        step_q     <= StFirst;
        index_q    <= index_q + 29'd1;
      end
    end
  end

  logic unused;
  assign unused = ^{op, amounts, pointers_i};

endmodule

`default_nettype wire
