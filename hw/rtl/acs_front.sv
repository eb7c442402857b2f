// Works ahead of the sequencer: fetches instructions, has them judged, and asks memory for the
// words that they read.  Those words wait in the read master's buffer, weights in the free set of
// banks, until their instruction runs; judged instructions wait in a queue.
//
// Requests go out in the order of the program.  A convolution with an output mask knows which rows
// of weights it needs only when it runs, and a LOAD asks for its words as they are stored: until
// they have asked for them, this module asks for nothing that belongs to a later instruction.  But
// a convolution that may follow the rows of a LOAD has its weights asked for at once, if a set of
// banks holds all of them: then they are taken without any word of the image.
`default_nettype none

module acs_front
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024
) (
  input  wire logic               clk_i,
  input  wire logic               rst_ni,
  input  wire logic               start_i,      // a run begins
  input  wire logic               stop_i,       // there is none, or it ends
  input  wire buffers_t           buffers_i,
  input  wire logic               trace_i,
  // Read master.
  output      logic  [FRONT_READERS-1:0] req_valid_o,
  input  wire logic  [FRONT_READERS-1:0] req_ready_i,
  output      span_t [FRONT_READERS-1:0] req_o,
  input  wire logic               data_valid_i, // words of the program
  input  wire logic [63:0]        data_i,
  input  wire logic               data_error_i,
  // Weights of a CONV without output mask: all rows of all groups.
  output      logic               load_o,
  output      instruction_t       load_op_o,
  output      channels_t          load_rows_o,
  output      logic [28:0]        load_index_o, // number of the instruction
  input  wire logic               loader_busy_i,
  input  wire logic               loader_asks_i, // it has not asked for all of its rows
  input  wire logic               loader_free_i, // it may ask for those of another CONV
  input  wire logic               quiet_i,      // a CONV with output mask has asked for its rows
  input  wire logic               gate_done_i,  // a mask is there
  input  wire logic               image_asked_i, // a LOAD has asked for its words
  // Channels of the table that memory was asked for, over all groups.
  output      logic               table_job_valid_o,
  output      table_job_t         table_job_o,
  // The words that memory was asked for, for a LINEAR.
  output      logic               linear_job_valid_o,
  output      linear_job_t        linear_job_o,
  input  wire logic               linear_fits_i, // there is a place for all of them
  // The next instruction.
  output      logic [1:0]         valid_o,      // copies, for whatever depends on it
  output      judged_t            next_o,
  output      logic               no_more_o,    // the program ended without END
  output      logic               waits_o,      // for the rows of a CONV with output mask
  input  wire logic [1:0]         take_i        // likewise
);
  // A copy of it, a cycle later: no run starts near a reset, whose first cycle others see, too.
  (* keep *) logic rst_n_q;
  (* keep *) always_ff @(posedge clk_i) rst_n_q <= rst_ni;

  logic fetched, fetch_error, fetch_done, no_more, checked, check_start, judged, valid_fields;
  instruction_words_t words;
  instruction_t op;
  logic [7:0] verdict;
  amounts_t amounts;
  judged_t instruction;
  logic image_q, behind_q;  // a LOAD has not asked for its words; the instruction is the next one

  acs_fetch u_fetch (
    .clk_i,
    .rst_ni      (rst_n_q),
    .start_i,
    .stop_i,
    .program_i   (buffers_i.instructions),
    .req_valid_o (req_valid_o[READER_PROGRAM]),
    .req_ready_i (req_ready_i[READER_PROGRAM]),
    .req_o       (req_o[READER_PROGRAM]),
    .data_valid_i,
    .data_i,
    .data_error_i,
    .valid_o     (fetched),
    .words_o     (words),
    .error_o     (fetch_error),
    .no_more_o   (no_more),
    .take_i      (fetch_done),
    .hold_i      (image_q && !behind_q)
  );
  // The instruction is decoded in the cycle in which it is there; judging begins in the next one.
  always_ff @(posedge clk_i) op <= traced_decode(words, trace_i);

  acs_check #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_check (
    .clk_i,
    .rst_ni   (rst_n_q),
    .start_i  (check_start),
    .words_i  (words),
    .op_i     (op),
    .buffers_i,
    .valid_o  (checked),
    .status_o (verdict),
    .good_o   (valid_fields),
    .amounts_o(amounts)
  );

  // From fetched to judged.
  logic checking_q;
  assign check_start = fetched && !checking_q;
  assign judged      = checking_q && checked;

  // A judged instruction enters the queue at once, before all requests for its words are out.
  // What it is has long been known when it is judged.
  logic is_array_q, scans_q, streams_q;
  logic is_end_q, is_load_q, is_conv_q, is_linear_q, is_gate_q, is_listed_q, has_table_q;
  logic reads_q, skips_q, held;
  logic waits_q;  // a CONV with output mask has not asked for its rows yet
  logic queued_q, queue, room, queue_valid;
  assign instruction = '{
    words: words,
    amounts: amounts,
    status: fetch_error ? STATUS_BUS_ERROR : verdict,
    joins: valid_fields && !fetch_error && is_array_q,
    scans: valid_fields && !fetch_error && scans_q,
    streams: valid_fields && !fetch_error && streams_q
  };
  assign queue = judged && !queued_q && room && !held;
  // Two buffers side by side, so that fewer registers depend on what lets an instruction go.
  localparam int unsigned HalfBits = ($bits(judged_t) + 1) / 2;
  logic [1:0] rooms;
  logic [1:0][HalfBits-1:0] instruction_halves, next_halves;
  assign instruction_halves = (2 * HalfBits)'(instruction);
  assign next_o             = judged_t'(next_halves);
  for (genvar half = 0; half < 2; half++) begin : gen_queue
    acs_fifo #(
      .Width(HalfBits),
      .Depth(16),
      .OutputRegister(1'b1)
    ) u_queue (
      .clk_i,
      .rst_ni     (rst_n_q && !stop_i),
      .in_valid_i (queue),
      .in_ready_o (rooms[half]),
      .in_data_i  (instruction_halves[half]),
      .out_valid_o(valid_o[half]),
      .out_ready_i(take_i[half]),
      .out_data_o (next_halves[half])
    );
  end
  assign room        = rooms[0];
  assign queue_valid = valid_o[0];
`ifndef SYNTHESIS
  halves_go_together :
  assert property (@(posedge clk_i) disable iff (!rst_n_q)
                   rooms[1] == room && valid_o[1] == queue_valid)
  else $error("halves of two instructions");
`endif
  assign waits_o   = waits_q;
  assign no_more_o = no_more && !queue_valid;

  // Requests of an instruction: first for thresholds or a table; then for rows.
  typedef enum logic [1:0] {
    StFirst,
    StSecond,
    StDone
  } step_e;
  step_e step_q;
  logic [3:0] gates_q;  // gates that were queued and have not decided
  logic good, reads, may_ask, placed, follows, allowed, first_asked, second_asked;
  logic first_allowed_q, second_allowed_q, masks_there_q;
  logic [28:0] index_q;

  logic is_conv, is_listed, streams;
  assign is_conv   = op.opcode == OP_CONV;
  assign is_listed = is_conv && op.mask_out != 8'(MASK_NONE);
  assign streams   = is_conv && !is_listed && op.mask_in == 8'(MASK_NONE) && !op.has_table &&
                     op.groups == channels_t'(1) && !op.res_enable &&
                     op.channels <= channels_t'(op.chunk);
  always_ff @(posedge clk_i) begin
    is_array_q  <= reads_pixels(op);
    scans_q     <= is_listed && op.mask_in == 8'(MASK_NONE) && !op.has_table &&
                   op.groups == channels_t'(1);
    streams_q   <= streams;
    is_end_q    <= op.opcode == OP_END;
    is_load_q   <= op.opcode == OP_LOAD;
    is_linear_q <= op.opcode == OP_LINEAR;
    is_gate_q   <= writes_mask(op);
    is_conv_q   <= is_conv;
    is_listed_q <= is_listed;
    has_table_q <= is_conv && op.has_table;
    skips_q     <= skips_words(op);
    reads_q     <= op.opcode == OP_LINEAR || (is_conv && (!is_listed || op.has_table));
  end
  assign held      = (is_listed_q && waits_q) || (is_load_q && image_q);  // one at a time
  assign good      = judged && valid_fields && !fetch_error;
  assign reads     = good && reads_q;
  // Rows that the loader has asked for may wait until its banks are free, and no word behind them
  // comes before.  Words of a LINEAR that have their place keep nobody from going on, and come
  // behind those rows.  Whether an instruction may ask is seen a cycle ahead: nobody but this
  // instruction gives the loader a job or takes a place meanwhile.
  assign may_ask   = reads && !waits_q && (!image_q || (behind_q && streams_q));
  assign placed    = is_linear_q && !loader_asks_i;
  assign follows   = is_conv_q && loader_free_i;
  always_ff @(posedge clk_i) begin
    first_allowed_q  <= may_ask && !fetch_done &&
                        (!loader_busy_i || (placed && linear_fits_i) || follows);
    second_allowed_q <= may_ask && !fetch_done &&
                        (!loader_busy_i || (placed && (linear_fits_i || is_gate_q)) || follows);
  end
  assign allowed   = step_q == StFirst ? first_allowed_q : second_allowed_q;

  assign req_valid_o[READER_TABLE]   = first_allowed_q && step_q == StFirst && has_table_q;
  assign req_valid_o[READER_VECTORS] = step_q == StFirst ? first_allowed_q && is_gate_q :
                                       second_allowed_q && step_q == StSecond && is_linear_q;
  // Words that a mask makes needless can be left out once the mask is there.
  always_ff @(posedge clk_i) masks_there_q <= gates_q == 0 || !skips_q;
  assign load_o       = second_allowed_q && step_q == StSecond && is_conv_q && !is_listed_q &&
                        masks_there_q;
  assign load_op_o    = op;
  assign load_rows_o  = channels_t'(amounts.outputs);
  assign load_index_o = index_q;

  assign first_asked  = (req_valid_o & req_ready_i) >> READER_VECTORS != '0 ||
                        !(is_gate_q || has_table_q);
  assign second_asked = req_valid_o[READER_VECTORS] ? req_ready_i[READER_VECTORS] :
                        !is_conv_q || load_o || is_listed_q;

  // A job is known before the first of its words can come.
  assign table_job_valid_o  = req_valid_o[READER_TABLE] && req_ready_i[READER_TABLE];
  assign table_job_o        = '{
      outputs: channels_t'(amounts.outputs),
      inputs: channels_t'(amounts.inputs),
      of_group: op.channels_in
    };
  assign linear_job_valid_o = req_valid_o[READER_VECTORS] && req_ready_i[READER_VECTORS] &&
                              is_gate_q == (step_q == StFirst);
  assign linear_job_o       = '{
      gate: is_gate_q,
      channels: op.channels,
      row_words: op.row_words,
      weights: amounts.linear_words - 28'(op.channels) * 28'(RECORD_WORDS)
    };

  always_comb begin
    req_o[READER_TABLE].address     = buffers_i.params.address + {29'b0, op.table_addr, 3'b0};
    req_o[READER_TABLE].words    = (32'(amounts.inputs) + 32'(amounts.outputs) + 32'd3) >> 2;
    req_o[READER_VECTORS].address   = buffers_i.params.address + {29'b0, op.weight_addr, 3'b0};
    req_o[READER_VECTORS].words  = 32'(amounts.linear_words);
    if (step_q == StFirst) begin
      req_o[READER_VECTORS].address  = buffers_i.params.address + {29'b0, op.threshold_addr, 3'b0};
      req_o[READER_VECTORS].words = (32'(op.channels) + 32'd1) >> 1;
    end
  end

  // No instruction behind one that ends the run is looked at.
  assign fetch_done = good && !is_end_q && (queued_q || queue) && (!reads || step_q == StDone);

  always_ff @(posedge clk_i) begin
    if (!rst_n_q || stop_i || start_i) begin
      checking_q <= 1'b0;
      queued_q   <= 1'b0;
      step_q     <= StFirst;
      waits_q    <= 1'b0;
      image_q    <= 1'b0;
      behind_q   <= 1'b0;
      gates_q    <= '0;
      index_q    <= '0;
    end else begin
      gates_q <= gates_q + 4'(queue && good && is_gate_q) - 4'(gate_done_i);
      if (check_start) checking_q <= 1'b1;
      if (queue) queued_q <= 1'b1;
      if (allowed) begin
        if (step_q == StFirst && first_asked) step_q <= StSecond;
        if (step_q == StSecond && second_asked) step_q <= StDone;
      end
      if (fetch_done && is_listed_q) waits_q <= 1'b1;
      else if (quiet_i) waits_q <= 1'b0;
      if (fetch_done) behind_q <= is_load_q;
      if (fetch_done && is_load_q) image_q <= 1'b1;
      else if (image_asked_i) image_q <= 1'b0;
      if (fetch_done) begin
        checking_q <= 1'b0;
        queued_q   <= 1'b0;
        step_q     <= StFirst;
        index_q    <= index_q + 29'd1;
      end
    end
  end

endmodule

`default_nettype wire
