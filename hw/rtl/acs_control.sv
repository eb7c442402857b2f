// The sequencer: takes instructions that were fetched and judged ahead, runs, traces and counts
// them; at the end the result header.
`default_nettype none

module acs_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             start_i,
  output      logic             done_o,
  input  wire buffers_t         buffers_i,
  input  wire logic             trace_i,
  output      logic [7:0]       status_o,
  output      logic [31:0]      fault_index_o,
  output      logic [31:0]      index_o,       // instruction that runs
  // Units.
  output      instruction_t     op_o,
  output      instruction_t     array_op_o,    // for the array; ahead of op_o behind a gate or LOAD
  output      kind_t            kind_o,        // of array_op_o
  output      logic             clear_o,       // a new instruction is about to start
  output      logic             ahead_o,       // array_op_o began, and is still to be taken
  output      logic             array_start_o,
  output      logic             load_start_o,
  output      logic             linear_start_o,
  output      logic             copy_start_o,
  output      copy_t            copy_o,
  input  wire logic             array_done_i,
  input  wire logic             array_loose_i,  // only its last items are not stored
  input  wire logic             bad_table_i,
  input  wire logic             load_done_i,
  input  wire logic             image_asked_i,  // all words of a LOAD were asked for
  input  wire logic             linear_done_i,
  input  wire logic             gate_done_i,    // a mask is there
  input  wire logic             copy_done_i,
  input  wire mask_write_t      mask_write_i,
  // Events to count.
  input  wire events_t          events_i,
  input  wire channel_counts_t  active_i,      // of the group
  input  wire channel_counts_t  masked_i,
  input  wire logic             linear_stall_i,
  input  wire logic             array_quiet_i,  // a listed convolution starts no more weight loads
  input  wire logic             array_load_i,   // the array starts one
  input  wire logic [15:0]      row_read_i,     // words read of every weight row of a group
  input  wire logic             loader_busy_i,
  input  wire logic             loader_asks_i,
  input  wire logic             loader_free_i,
  input  wire logic [28:0]      load_index_i,  // number of the instruction whose weights arrive
  input  wire logic         image_error_i, // a word with an error answer is taken
  input  wire logic         load_error_i,  // one of weights, of the instruction load_index_i
  input  wire logic             linear_error_i, // likewise, by acs_linear, which takes them late
  input  wire logic             table_error_i,  // likewise, in the table that is used now
  // Read master: requests for the program, and of acs_front for words of later instructions.
  output      logic  [FRONT_READERS-1:0] req_valid_o,
  input  wire logic  [FRONT_READERS-1:0] req_ready_i,
  output      span_t [FRONT_READERS-1:0] req_o,
  input  wire logic             data_valid_i,   // words of the program
  output      logic             data_ready_o,
  input  wire logic [63:0]      data_i,
  input  wire logic             data_error_i,
  output      logic             discard_o,      // words under way are not wanted any more
  input  wire logic             read_idle_i,
  // Weights of all rows.
  output      logic             load_o,
  output      instruction_t     load_op_o,
  output      logic             table_job_valid_o,
  output      table_job_t       table_job_o,
  output      channels_t        load_rows_o,
  output      logic [28:0]      load_index_o,  // of the load that starts, also by the array
  output      logic             linear_job_valid_o,
  output      linear_job_t      linear_job_o,
  input  wire logic             linear_fits_i,
  // Write master.
  output      logic             clear_error_o,
  output      logic             wreq_valid_o,
  input  wire logic             wreq_ready_i,
  output      span_t            wreq_o,
  output      word_t            header_o,
  input  wire logic             header_ready_i,
  input  wire logic             write_idle_i,
  input  wire logic             write_error_i,
  output      logic             header_next_o, // words to come are the header's
  input  wire logic             written_i      // a word is written
);
`ifdef ACS_PROFILE
  // For simulators: an instruction is done, so many cycles after the start of the program.
  import "DPI-C" function void acs_instruction_ended(
    input int unsigned index,
    input longint unsigned cycles
  );
`endif

  // The fetch unit has room for the words that it asked for.
  assign data_ready_o = 1'b1;

  typedef enum logic [3:0] {
    StIdle,
    StNext,
    StLaunch,
    StRun,
    StTraceAsk,
    StTrace,
    StFlush,
    StHeaderAsk,
    StHeader,
    StFinish
  } state_e;

  state_e state_q;
  amounts_t amounts;  // of the instruction
  judged_t next;
  // The instruction is decoded while it is taken: its fields are registers.
  instruction_t op, next_op;
  logic is_array_q, is_load_q, is_linear_q, is_copy_q, traced_q;
  logic no_more, take, take_amounts;
  logic [1:0] next_valid;
  logic [28:0] index_q;
  logic [7:0] code_q;
  logic [3:0] header_q;
  logic next_writes, ran, fails, ended, traces;
  logic ask_result_q;  // the write request of a LINEAR is not yet accepted
  logic error_q;  // an error answer among words of this instruction
  logic load_error_q, load_fails_q;  // among weights: of a later one, too; of this one
  logic [28:0] load_index, load_error_index_q;
  logic stopping;
  logic has_rows_q, is_exit_q, decision_q, leaves_q, leaves;
  // What units say counts a cycle later, and then the next instruction is taken at once.
  logic unit_done, unit_done_q;  // it stays until the instruction has run
  logic finishes_q;  // so does that it ended well, and that no trace is wanted
  logic bad_table_q;
  (* keep *) logic [1:0] taken_q;
  logic running_q, any_error_q;
  logic ends_well, finished;  // the instruction that runs is over, and no trace of it is wanted
  logic write_idle_q, read_idle_q;
  logic [1:0] flushes_q;  // requests of the last cycle are seen

  // Counters of the result header.
  logic [63:0]
    instructions_q, iterations_q, executed_q, skipped_q, read_q, written_q, cycles_q, stalls_q;
  logic [63:0] macs_executed, macs_skipped;
  logic [22:0] pairs_q;  // of active inputs and outputs, over all groups
  logic add_macs, macs_busy, skips_busy;
  logic [31:0] trace_words, trace_words_q, result_words;

  assign next_op = traced_decode(next.words, trace_i);
  assign op_o    = op;

  logic front_waits;  // for the rows of a CONV with output mask
  logic counts_q;  // MACs are still multiplied
  acs_front #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_front (
    .clk_i,
    .rst_ni,
    .start_i,
    .stop_i       (discard_o),
    .buffers_i,
    .trace_i,
    .req_valid_o,
    .req_ready_i,
    .req_o,
    .data_valid_i,
    .data_i,
    .data_error_i,
    .load_o,
    .load_op_o,
    .load_rows_o,
    .load_index_o (load_index),
    .loader_busy_i,
    .loader_asks_i,
    .loader_free_i,
    .quiet_i      (array_quiet_i),
    .gate_done_i,
    .image_asked_i,
    .table_job_valid_o,
    .table_job_o,
    .linear_job_valid_o,
    .linear_job_o,
    .linear_fits_i,
    .valid_o      (next_valid),
    .next_o       (next),
    .no_more_o    (no_more),
    .waits_o      (front_waits),
    .take_i       (taken_q)  // no other one is taken, nor looked at, in the cycle after
  );

  // An instruction of the array may be taken while the last items of the one before are stored.
  logic loose_q, joined;
  always_ff @(posedge clk_i) begin
    loose_q <= array_loose_i && state_q == StRun && is_array_q && !traced_q && !take;
  end
  logic may_join;
  assign may_join = loose_q && running_q && next.joins && !any_error_q && !counts_q;
  assign joined   = next_valid[0] && may_join;
  assign take     = next_valid[0] && (state_q == StNext || finished || may_join);
  // The same, by the copy.
  assign take_amounts = next_valid[1] && (state_q == StNext || finished || may_join);
  // A CONV whose outputs a gate decides begins while the gate does: its list grows with the mask,
  // its first rows are asked for, and its first rounds begin.  Words of the
  // gate, which the loader might otherwise keep from coming, were asked for before.
  // A CONV that reads the map of a LOAD begins as well: it follows the rows that are stored.  Both
  // must say the same of the map, so that they mean the same rows.
  logic is_gate_q, ahead_ready_q, ahead, ahead_start_q, ahead_q, begins_gated, begins_loaded_q;
  logic same_map_q, same_rows_q, same_planes_q;
  logic [3:0] seen_q;  // both instructions are there so long, and what follows from them
  logic [1:0] half_log2_q;
  logic [15:0] half_plane_q;
  assign ahead = ahead_ready_q && running_q;
  assign ahead_o = ahead_q;
  assign begins_gated = is_gate_q && next.scans && next_op.mask_out == op.mask_out &&
                        front_waits && !loader_busy_i;
  always_ff @(posedge clk_i) begin
    half_log2_q     <= phase_row_log2(op.row_log2);
    half_plane_q    <= 16'(plane_blocks(phase_size(op.dst_height, 1'b0), half_log2_q));
    same_map_q      <= next_op.src_base == op.dst_base && next_op.src_step == op.dst_step;
    same_rows_q     <= next_op.src_height == op.dst_height && next_op.src_width == op.dst_width &&
                       next_op.channels_in <= op.channels;
    same_planes_q   <= op.dst_split ? next_op.stride == 2'd2 && next_op.row_log2 == half_log2_q &&
                                      next_op.src_plane == half_plane_q
                                    : next_op.stride == 2'd1 && next_op.row_log2 == op.row_log2;
    seen_q          <= {seen_q[2:0], state_q == StRun && next_valid[0] && !take};
    begins_loaded_q <= is_load_q && &seen_q && next.streams && next.amounts.beside &&
                       same_map_q && same_rows_q && same_planes_q;
    ahead_ready_q   <= state_q == StRun && next_valid[0] && (begins_gated || begins_loaded_q) &&
                       !traced_q && !ahead && !ahead_q;
    ahead_start_q <= rst_ni && ahead;
    ahead_q       <= rst_ni && (ahead || (ahead_q && state_q == StRun));
    if (take_amounts || ahead) begin
      array_op_o <= next_op;
      kind_o     <= kind_of(next_op, next.amounts);
    end
    if (take) is_gate_q <= writes_mask(next_op);
  end

  assign load_index_o = array_load_i ? index_q + 29'(ahead_q && state_q == StRun) : load_index;

  assign stopping = state_q inside {StIdle, StFlush, StHeaderAsk, StHeader, StFinish};

  always_comb begin
    if (writes_map(op)) trace_words = 32'(amounts.trace_blocks) << 3;
    else if (copies_map(op)) trace_words = 32'(amounts.flat_blocks) << 3;
    else trace_words = (32'(op.channels) + 32'd7) >> 3;
  end
  // They are wanted when the instruction has run.
  logic trace_empty_q;  // a map may have no blocks
  always_ff @(posedge clk_i) begin
    trace_words_q <= trace_words;
    trace_empty_q <= trace_words_q == 0;
  end

  assign next_writes      = writes_result(next_op);
  assign result_words = op.linear_mode == LINEAR_WIDE ? (32'(op.channels) + 32'd1) >> 1
                                                      : (32'(op.channels) + 32'd63) >> 6;
  assign traces       = state_q == StTraceAsk && !trace_empty_q;
  assign wreq_valid_o = ask_result_q || traces || state_q == StHeaderAsk;
  always_comb begin
    wreq_o.address = buffers_i.result.address;
    wreq_o.words   = 32'(HEADER_WORDS);
    if (ask_result_q) begin
      wreq_o.address = buffers_i.result.address + {37'b0, op.result_addr, 3'b0};
      wreq_o.words   = result_words;
    end else if (state_q == StTraceAsk) begin
      wreq_o.address = buffers_i.result.address + {37'b0, op.trace_addr, 3'b0};
      wreq_o.words   = trace_words_q;
    end
  end

  logic launch, to_vector, traces_q, copies_q;
  assign launch         = state_q == StLaunch;
  assign array_start_o  = (launch && is_array_q && !ahead_q) || ahead_start_q;
  assign load_start_o   = launch && is_load_q;
  assign linear_start_o = launch && is_linear_q;
  assign copy_start_o   = copies_q || traces_q;
  always_ff @(posedge clk_i) begin
    copies_q <= rst_ni && launch && is_copy_q;
    traces_q <= rst_ni && traces && wreq_ready_i;
  end
  // What is copied is there with its start, by a register.
  assign to_vector = state_q == StLaunch || state_q == StRun;
  always_ff @(posedge clk_i) begin
    copy_o <= '{
      from_vector: state_q inside {StTraceAsk, StTrace} && !writes_map(op),
      to_vector: to_vector,
      block: to_vector ? op.src_base : op.dst_base,
      vector_addr: op.vec_dst,
      words: to_vector ? 20'(amounts.flat_blocks) << 3 : trace_words_q[19:0]
    };
  end
  // An EXIT waits for the products of the instruction before it, and is judged a cycle later.
  assign leaves = running_q && leaves_q && ran && !fails;
  always_ff @(posedge clk_i) begin
    if (start_i) decision_q <= 1'b0;
    else if (mask_write_i.valid && mask_write_i.address[MASK_WORD_BITS-1:0] == '0) begin
      decision_q <= mask_write_i.data[0];
    end
    leaves_q <= is_exit_q &&
                ((op.exit_on_gate && decision_q) || macs_executed > 64'(op.macs_limit) ||
                 cycles_q > 64'(op.cycles_limit));
  end

  assign unit_done = array_done_i || load_done_i || linear_done_i || copy_done_i ||
                     (state_q == StRun && is_exit_q && !macs_busy);
  always_ff @(posedge clk_i) begin
    unit_done_q  <= rst_ni && (unit_done || (state_q == StRun && unit_done_q && !ran));
    // MACs of the instruction before may still be multiplied: what ended this one stays meanwhile.
    finishes_q   <= rst_ni && !traced_q && ((unit_done && !bad_table_i) ||
                                            (state_q == StRun && finishes_q && !ran));
    bad_table_q  <= rst_ni && (bad_table_i || (state_q == StRun && bad_table_q && !ran));
    // A request that is accepted now is under way from the next cycle on.
    write_idle_q <= write_idle_i && !wreq_valid_o;
    read_idle_q  <= read_idle_i;
    flushes_q    <= {flushes_q[0], state_q == StFlush};
  end
  // Products of MACs are not worked out side by side.
  always_ff @(posedge clk_i) counts_q <= macs_busy || skips_busy;
  assign ran = unit_done_q && !ask_result_q && !counts_q;
  // The last of its weights came long before the instruction ends.
  always_ff @(posedge clk_i) load_fails_q <= load_error_q && load_error_index_q == index_q;
  // Errors come before the end of their instruction, and stay; but for a table, which ends it.
  always_ff @(posedge clk_i) any_error_q <= error_q || load_fails_q || write_error_i;
  assign fails = any_error_q || bad_table_q;
  assign clear_o        = take;
  assign clear_error_o  = state_q == StIdle;
  // Everybody depends on it.
  always_ff @(posedge clk_i) discard_o <= stopping && !start_i;
  // The instruction is done: its results are on their way, before those of all later instructions.
  // Whether an error or a trace keeps the next one waiting goes with the register that says so.
  assign ends_well = running_q && finishes_q && !ask_result_q && !counts_q && !any_error_q;
  assign finished  = ends_well && !leaves_q;
  // The state is StRun.
  always_ff @(posedge clk_i) begin
    running_q <= rst_ni && (state_q == StLaunch || (running_q && !ran && !joined));
  end
  assign ended = finished || joined ||
                 (state_q == StTraceAsk && trace_empty_q) ||
                 (state_q == StTrace && copy_done_i);

  logic ends_run;  // the next instruction
  assign ends_run = next.status == STATUS_OK && next_op.opcode == OP_END;

  // What happens is counted a cycle later, so that its causes and sums of 64 bits do not add up.
  // Products are worked out all the time, and used a cycle later where a group has ended.
  logic [1:0] iterations_done_q;  // of two groups at once
  logic stall_q, word_written_q, table_q, group_q;
  logic [1:0] counted_q;  // instructions
  channels_t active_q, masked_q;
  logic [22:0] group_pairs_q;
  logic [27:0] group_rows_q;
  always_ff @(posedge clk_i) begin
    iterations_done_q <= 2'(events_i.iteration) + 2'(events_i.second_iteration);
    stall_q        <= events_i.stall || linear_stall_i;
    word_written_q <= written_i && !header_next_o;
    counted_q      <= 2'(ended || leaves) + 2'(take && ends_run);
    table_q        <= events_i.channel_table;
    group_q        <= events_i.group;
    active_q       <= active_i.outputs;
    masked_q       <= masked_i.outputs;
    group_pairs_q  <= 23'(active_i.inputs) * 23'(active_i.outputs);
    group_rows_q   <= 28'(active_i.outputs) * 28'(row_read_i);
  end

  for (genvar copy = 0; copy < 2; copy++) begin : gen_taken
    (* keep *) always_ff @(posedge clk_i) taken_q[copy] <= take;
  end

  // Verdicts are told a cycle later: nobody asks for them before everything is written.
  logic failed_q, bad_field_q;
  logic [7:0] next_status_q;
  always_ff @(posedge clk_i) begin
    failed_q      <= rst_ni && state_q == StRun && ran && fails;
    bad_field_q   <= !any_error_q && !load_error_q;
    next_status_q <= next.status;
  end

  // Words read, by reader.
  logic [31:0] words_read, words_read_q;
  logic [27:0] rows_read_q;
  always_comb begin
    words_read = '0;
    if (table_q) words_read = (32'(amounts.inputs) + 32'(amounts.outputs) + 32'd3) >> 2;
    else if (group_q) words_read = op.masked_zero ? '0 : 32'(masked_q) * 32'(RECORD_WORDS);
    else if (op.opcode == OP_LOAD) words_read = 32'(amounts.image_words);
    else if (op.opcode == OP_LINEAR) begin
      words_read = 32'(amounts.linear_words) +
                   (op.linear_mode == LINEAR_GATE ? (32'(op.channels) + 32'd1) >> 1 : '0);
    end
  end

  // Nothing happens in the first cycle of a run, which is cleared too.
  logic clears_q;
  always_ff @(posedge clk_i) begin
    clears_q <= !rst_ni || state_q == StIdle;
    if (clears_q) begin
      instructions_q <= '0;
      iterations_q   <= '0;
      executed_q     <= '0;
      skipped_q      <= '0;
      read_q         <= '0;
      written_q      <= '0;
      stalls_q       <= '0;
    end else begin
      instructions_q <= instructions_q + 64'(counted_q);
      iterations_q   <= iterations_q + 64'(iterations_done_q);
      if (group_q) begin
        executed_q <= executed_q + 64'(active_q);
        skipped_q  <= skipped_q + 64'(masked_q);
      end
      read_q         <= read_q + 64'(words_read_q) + 64'(rows_read_q);
      written_q      <= written_q + 64'(word_written_q);
      stalls_q       <= stalls_q + 64'(stall_q);
    end
  end

  // The last group of a CONV ended cycles ago, so its pairs are counted.
  // An EXIT, which alone may leave, has none.
  assign add_macs = (ends_well || joined || (state_q == StTraceAsk && trace_empty_q) ||
                     (state_q == StTrace && copy_done_i)) && has_rows_q;
  acs_mac_counter u_executed (
    .clk_i,
    .rst_ni,
    .clear_i (start_i),
    .add_i   (add_macs),
    .count_i (op.opcode == OP_CONV ? pairs_q : 23'(op.channels)),
    .factor_i(op.opcode == OP_CONV ? amounts.per_pair
                                   : {1'b0, op.row_words - 16'(RECORD_WORDS), 3'b0}),
    .busy_o  (macs_busy),
    .total_o (macs_executed)
  );
  acs_mac_counter u_skipped (
    .clk_i,
    .rst_ni,
    .clear_i (start_i),
    .add_i   (add_macs && op.opcode == OP_CONV),
    .count_i (amounts.dense - pairs_q),
    .factor_i(amounts.per_pair),
    .busy_o  (skips_busy),
    .total_o (macs_skipped)
  );

  always_comb begin
    unique case (32'(header_q))
      HEADER_SPEC_HASH:         header_o.data = 64'(SPEC_HASH);
      HEADER_STATUS:            header_o.data = 64'(code_q);
      HEADER_FAULT_INDEX:       header_o.data = 64'(index_q);
      HEADER_INSTRUCTIONS:      header_o.data = instructions_q;
      HEADER_ARRAY_ITERATIONS:  header_o.data = iterations_q;
      HEADER_MACS_EXECUTED:     header_o.data = macs_executed;
      HEADER_MACS_SKIPPED:      header_o.data = macs_skipped;
      HEADER_CHANNELS_EXECUTED: header_o.data = executed_q;
      HEADER_CHANNELS_SKIPPED:  header_o.data = skipped_q;
      HEADER_READ_WORDS:        header_o.data = read_q;
      HEADER_WRITTEN_WORDS:     header_o.data = written_q;
      HEADER_CYCLES:            header_o.data = cycles_q;
      HEADER_STALL_CYCLES:      header_o.data = stalls_q;
      default:                  header_o.data = '0;
    endcase
  end
  assign header_o.valid = state_q == StHeader;
  assign header_next_o  = state_q inside {StHeaderAsk, StHeader, StFinish};
  assign index_o        = 32'(index_q);

  always_ff @(posedge clk_i) begin
    if (take_amounts) amounts <= next.amounts;
    if (take) begin
      op          <= next_op;
      is_array_q  <= reads_pixels(next_op);
      is_load_q   <= next_op.opcode == OP_LOAD;
      is_linear_q <= next_op.opcode == OP_LINEAR;
      is_copy_q   <= copies_map(next_op);
      has_rows_q  <= reads_rows(next_op);
      is_exit_q     <= next_op.opcode == OP_EXIT;
      traced_q    <= next_op.trace_addr != 0;
    end
  end

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!rst_ni) begin
      state_q       <= StIdle;
      index_q       <= '0;
      code_q        <= '0;
      header_q      <= '0;
      status_o      <= '0;
      fault_index_o <= '0;
      pairs_q       <= '0;
      ask_result_q  <= 1'b0;
      error_q       <= 1'b0;
      load_error_q  <= 1'b0;
      load_error_index_q <= '0;
      words_read_q  <= '0;
      rows_read_q   <= '0;
      cycles_q      <= '0;
    end else begin
      // The header carries the cycles up to its own first word.
      if (state_q != StHeader && state_q != StHeaderAsk) cycles_q <= cycles_q + 64'd1;
      if (group_q) pairs_q <= pairs_q + group_pairs_q;
      words_read_q   <= table_q || group_q || ended ? words_read : '0;
      rows_read_q    <= group_q ? group_rows_q : taken_q[0] ? 28'(INSTRUCTION_WORDS) : '0;

      // Weights may arrive before their instruction runs, so an error among them is kept with the
      // number of its instruction.  The other readers take words of the running instruction only.
      if (load_error_i && !load_error_q) begin
        load_error_q       <= 1'b1;
        load_error_index_q <= load_index_i;
      end
      if (image_error_i || table_error_i || linear_error_i) error_q <= 1'b1;

      if (wreq_ready_i) ask_result_q <= 1'b0;
      if (ended) begin
        index_q <= index_q + 29'd1;
`ifdef ACS_PROFILE
        acs_instruction_ended(32'(index_q), cycles_q);
`endif
      end

      unique case (state_q)
        StIdle: begin
          index_q  <= '0;
          header_q <= '0;
          if (start_i) begin
            state_q        <= StNext;
            code_q         <= STATUS_OK;
            error_q        <= 1'b0;
            load_error_q   <= 1'b0;
            cycles_q       <= '0;
          end
        end
        StNext: begin
          if (no_more) begin
            code_q  <= STATUS_NO_END;
            state_q <= StFlush;
          end
        end
        StLaunch: state_q <= StRun;
        StRun: begin
          if (ran) begin
            state_q <= leaves ? StFlush : traced_q ? StTraceAsk : StNext;
            if (fails) state_q <= StFlush;
          end
        end
        StTraceAsk: begin
          if (trace_empty_q) state_q <= StNext;
          else if (wreq_ready_i) state_q <= StTrace;
        end
        StTrace: if (copy_done_i) state_q <= StNext;
        StFlush: begin
          // Every write is answered before the verdict is final.
          if (flushes_q == '1 && write_idle_q && read_idle_q && !counts_q) begin
            if (code_q == STATUS_OK && write_error_i) code_q <= STATUS_BUS_ERROR;
            if (buffers_i.result.words >= 32'(HEADER_WORDS)) begin
              state_q <= StHeaderAsk;
            end else begin
              if (code_q == STATUS_OK) code_q <= STATUS_RESULT_RANGE;
              state_q <= StFinish;
            end
          end
        end
        StHeaderAsk: if (wreq_ready_i) state_q <= StHeader;
        StHeader: begin
          if (header_ready_i) begin
            header_q <= header_q + 4'd1;
            if (header_q == 4'(HEADER_WORDS - 1)) state_q <= StFinish;
          end
        end
        StFinish: begin
          if (write_idle_q) begin
            status_o      <= write_error_i ? STATUS_BUS_ERROR : code_q;
            fault_index_o <= 32'(index_q);
            done_o        <= 1'b1;
            state_q       <= StIdle;
          end
        end
        default: state_q <= StIdle;
      endcase

      if (take) begin
        pairs_q      <= '0;
        error_q      <= 1'b0;
        ask_result_q <= next.status == STATUS_OK && next_writes;
        state_q      <= StLaunch;
        if (next.status != STATUS_OK || ends_run) state_q <= StFlush;
      end
      if (failed_q) code_q <= bad_field_q ? STATUS_BAD_FIELD : STATUS_BUS_ERROR;
      if (taken_q[0] && next_status_q != STATUS_OK) code_q <= next_status_q;
    end
  end

  logic unused_next_fields, unused_masked_inputs, unused_amounts;
  assign unused_amounts       = ^amounts;
  assign unused_next_fields   = ^next_op;
  assign unused_masked_inputs = ^masked_i.inputs;

endmodule

`default_nettype wire
