// The rounds of a CONV: channel table, groups, passes over a group's outputs, chunks of a pass,
// rounds of a chunk, and inside a round the active input channels with their taps.
`default_nettype none

module acs_conv_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned BankWords  = 1024
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,        // a run begins or ends
  input  wire logic         leave_i,        // the next instruction is taken
  input  wire logic         start_i,
  input  wire logic         ahead_i,        // no group ends before the instruction is taken
  input  wire instruction_t op_i,
  input  wire logic         settled_i,      // nothing is under way behind the array
  input  wire logic         loose_i,        // only items of the last round are, with all they need
  output      logic         drains_o,       // all iterations were issued
  output      logic         quiet_o,        // one cycle: starts no more loads of listed rows
  output      logic         done_o,         // one cycle
  output      logic         bad_table_o,    // with done_o: an entry was too large
  output      events_t      events_o,       // to be counted
  // Table.
  input  wire logic         table_there_i,
  input  wire logic         table_bad_i,
  input  wire logic         table_error_i,
  output      logic         table_error_o,  // its words came with an error answer
  output      logic         table_release_o,
  // Lists of channels.
  output      logic         scan_o,
  output      channel_counts_t first_o,     // channel of the group
  input  wire sides_t       scan_busy_i,
  input  wire sides_t       listed_i,       // a mask decides
  input  wire channel_counts_t found_i,     // channels in the lists by now
  input  wire channels_t    passed_outputs_i, // masked channels by now
  input  wire channel_counts_t active_i,    // of the group
  input  wire channels_t    masked_outputs_i,
  output      channel_t     in_addr_o,      // of the next cycle's iteration
  input  wire channel_t     in_channel_i,
  input  wire channel_t     next_channel_i, // the same of the next group
  input  wire listed_t      in_index_i,
  // Masked channels of exact zeros are cleared meanwhile.
  output      logic         clear_start_o,
  output      logic [15:0]  clear_blocks_o,
  // Weights of listed rows.
  output      logic         load_o,
  output      row_list_t    load_list_o,
  input  wire logic [1:0][7:0] rows_i,      // rows there, by set
  input  wire logic [1:0]   complete_i,     // all rows of the chunk are
  input  wire early_words_t early_i,        // those of the first round, which are not complete
  input  wire logic         chunk_done_i,
  input  wire logic         rows_known_i,   // how many words of a row are read
  // The source is the map of a LOAD that is not done.
  input  wire logic         loading_i,
  input  wire logic [7:0]   loaded_rows_i,  // rows that are there
  // Iterations, and the rounds that they belong to.
  input  wire logic         post_idle_i,
  output      logic         valid_o,
  input  wire logic         issued_i,
  input  wire logic [15:0]  step_i,         // iterations of the round that were issued
  input  wire logic         last_tap_i,
  output      iteration_t   iteration_o,    // except its tap
  output      round_t       round_o
);
  typedef enum logic [2:0] {
    StIdle,
    StTable,
    StScan,
    StScanWait,
    StPass,
    StRounds,
    StGroupEnd,
    StDrain
  } state_e;

  // A pass over a group's outputs: constants of masked channels, active channels, and records of
  // masked channels.
  typedef enum logic [1:0] {
    PassConstant,
    PassActive,
    PassRecords,
    PassEnd
  } pass_e;

  state_e state_q;
  pass_e pass_q;
  channels_t group_q;
  logic pairs_q;  // two groups at a time
  logic [1:0] owed_q;  // groups that ended together with another, still to be told
  channel_counts_t first_q, step_q;  // of the group; from one or two groups to the next
  logic table_seen_q;
  // Rounds.
  logic plan_valid, begin_rounds;
  plan_t plan;
  logic set_q;
  logic [1:0] open_chunks_q;  // whose last round was issued, and whose records are in use
  logic weights_there, early_there, next_word, source_there_q;
  source_rows_t loaded_rows, next_rows;
  logic [10:0] blocks;
  // Iterations.
  channel_t input_q;
  channels_t input_next_q, input_after_q;  // one more, two more
  channel_t place, place_q;  // of the input in its list, or in the order of all inputs
  logic input_there_q;  // the list shows it, and whether it is the last one is known
  logic last_input_q;
  logic inputs_known, empty_q;
  logic constant_q;  // no weights are needed
  channel_t first_place, next_place;  // of the group, and of the next one
  logic last, steps, ends;
  // Passes and groups.
  logic clears, clear_owed_q;  // masked channels
  logic begins_early_q;
  logic [10:0] half_plane;
  channels_t pass_rows, active_rows_q, masked_rows_q;
  logic listed_there_q;
  logic active_there_q, masked_there_q, pass_wanted;
  logic begin_pass, records_needed, pass_ends, next_group, listed_there, lists_free;
  logic pass_follows_q, group_follows_q;
  channels_t group_next, last_number_q;  // of groups
  logic last_group_q;
  logic quiet_q;  // quiet_o has been given
  logic drained;

  assign blocks = plane_blocks(op_i.dst_height, op_i.row_log2);

  // Table.  An error among its words counts a cycle before the instruction may end by it.
  always_ff @(posedge clk_i) begin
    table_seen_q <= rst_ni && state_q == StTable && table_there_i && !table_seen_q;
  end
  assign table_error_o   = state_q == StTable && table_there_i && table_error_i;
  assign table_release_o = state_q == StDrain && (drained || leave_i) && op_i.has_table;
  assign events_o.channel_table = table_seen_q && !table_bad_i;
  assign bad_table_o     = table_seen_q && table_bad_i;

  // Lists.  The list of inputs may be walked while it grows.
  assign scan_o       = state_q == StScan;
  assign first_o      = first_q;
  assign listed_there = !scan_busy_i.outputs;

  // Chunks and rounds.
  acs_rounds #(
    .LaneGroups(LaneGroups),
    .BankWords(BankWords)
  ) u_rounds (
    .clk_i,
    .rst_ni,
    .clear_i,
    .op_i,
    .start_i(begin_rounds),
    .rows_i (state_q == StIdle ? op_i.channels : pass_rows),
    .complete_i(state_q == StIdle || !listed_i.outputs || listed_there_q),
    .whole_i(state_q != StIdle && pass_q == PassConstant),
    .times_i(listed_i == '0 ? op_i.groups : channels_t'(1)),
    .valid_o(plan_valid),
    .plan_o (plan),
    .next_rows_o(next_rows),
    .take_i (ends)
  );

  // Rows of this round are there; in a constant pass none are needed.  No third chunk begins while
  // the records of the first are in use.  While a chunk is still loading, its rows are compared a
  // cycle ahead, so not in the first cycle of a round.  A round with a second block waits for the
  // whole chunk, because it reads through the port that loads the set; one of two groups does not.
  logic arrived_q;
  always_ff @(posedge clk_i) begin
    arrived_q <= plan_valid && !ends && open_chunks_q != 2'd2 && (early_there ||
                 (channels_t'(rows_i[set_q]) >= plan.need && (!plan.use_b || plan.paired)));
  end
  assign weights_there = constant_q ||
                         (open_chunks_q != 2'd2 && (complete_i[set_q] || arrived_q));
  // So are the rows of the source.  They are compared a cycle ahead, where a round ends for the one
  // behind it.
  assign loaded_rows = source_rows_t'({3'b0, loaded_rows_i});
  always_ff @(posedge clk_i) begin
    source_there_q <= !loading_i || (ends ? loaded_rows >= next_rows :
                                            plan_valid && loaded_rows >= plan.rows);
  end
  // All inputs are walked in the order of the weights: the first round can follow their arrival.
  // What is there is seen a cycle later, for the step behind the one of that cycle.  Where even
  // columns of a row come before odd ones, a tap is up to three places ahead of its step.
  assign next_word     = op_i.stride == 2'd2 ? step_i[2] : step_i[2:0] == 3'd7;
  assign early_there   = pass_q == PassActive && !listed_i.inputs && plan.first && !plan.use_b &&
                         early_i.bank_set == set_q &&
                         early_i.words > 16'(step_i[15:3]) + 16'(next_word);
  // The list of inputs may still grow: the last one is known when it is complete.  What holds for
  // the input of the next cycle is worked out for each that it may be.
  assign inputs_known  = !listed_i.inputs || !scan_busy_i.inputs;
  always_ff @(posedge clk_i) begin
    // With a list, as far as it was known when what is there was.  A pass begins cycles before its
    // first iteration.
    empty_q       <= pass_q != PassActive || active_i.inputs == 0;
    constant_q    <= pass_q == PassConstant;
    input_there_q <= inputs_known || input_next_q < found_i.inputs;
    last_input_q  <= input_next_q == active_i.inputs;
    if (steps) begin
      input_there_q <= inputs_known || input_after_q < found_i.inputs;
      last_input_q  <= input_after_q == active_i.inputs;
    end
    if (ends) begin
      input_there_q <= inputs_known || found_i.inputs > 1;
      last_input_q  <= active_i.inputs == 1;
    end
  end
  assign events_o.stall = (plan_valid && !(weights_there && source_there_q)) ||
                   (state_q == StTable && !table_there_i);

  // Iterations.
  assign last       = empty_q || (last_tap_i && last_input_q);
  assign in_addr_o  = place;
  assign first_place = listed_i.inputs ? '0 : channel_t'(first_q.inputs);
  assign next_place  = listed_i.inputs ? '0 : channel_t'(first_q.inputs + step_q.inputs);
  assign valid_o    = plan_valid && weights_there && source_there_q && input_there_q;
  assign steps      = issued_i && last_tap_i;
  assign ends       = issued_i && last;
  assign events_o.iteration = issued_i && !empty_q;
  assign events_o.second_iteration = issued_i && !empty_q && plan.paired;

  // The place is told a cycle ahead.
  always_comb begin
    place = place_q;
    if (state_q == StIdle) place = '0;
    if (state_q == StGroupEnd) place = next_place;
    if (steps) place = place_q + 1'b1;
    if (ends) place = plan.pass_ends && group_follows_q ? next_place : first_place;
  end
  always_ff @(posedge clk_i) place_q <= place;

  always_comb begin
    iteration_o          = '0;
    iteration_o.last     = last;
    iteration_o.zero     = empty_q;
    iteration_o.use_b    = plan.use_b && !empty_q;
    iteration_o.block    = plan.block;
    iteration_o.channel  = in_channel_i;
    iteration_o.b_channel = pairs_q ? next_channel_i : in_channel_i;
    iteration_o.column   = listed_i.inputs ? channel_t'(in_index_i) : input_q;
    iteration_o.count_a  = plan.count_a;
    iteration_o.bank     = plan.bank;
    iteration_o.row_base = plan.row_base;
    iteration_o.first_base = plan.first_base;
    iteration_o.bank_set = set_q;
  end

  always_comb begin
    round_o            = '0;
    round_o.count_a    = plan.count_a;
    round_o.count      = plan.count;
    round_o.block      = plan.block;
    round_o.paired     = plan.paired;
    round_o.first      = channel_t'(plan.position);
    round_o.restart    = channel_t'(plan.restart);
    // Without lists the chunks of all groups are counted; otherwise those of this one are.
    round_o.list_first = channel_t'(plan.chunk_first);
    if (listed_i.inputs && !listed_i.outputs) begin
      round_o.list_first = channel_t'(first_q.outputs + plan.chunk_first);
    end
    round_o.masked     = pass_q != PassActive;
    round_o.bank_set   = set_q;
    round_o.chunk_end  = plan.chunk_ends && pass_q != PassConstant;
  end

  // Masked channels hold zeros, and their records are not read.
  assign clears = op_i.masked_zero && !op_i.res_enable;
  // Whether there are channels of a kind is known a cycle after the lists, as a pass begins.
  always_ff @(posedge clk_i) begin
    active_there_q <= active_i.outputs != 0;
    // So are their numbers, and whether they are final, to acs_rounds.
    active_rows_q  <= active_i.outputs;
    masked_rows_q  <= masked_outputs_i;
    listed_there_q <= listed_there;
    masked_there_q <= masked_outputs_i != 0;
  end
  assign half_plane     = plane_blocks(phase_size(op_i.dst_height, 1'b0),
                                       phase_row_log2(op_i.row_log2));
  assign clear_blocks_o = op_i.dst_split ? {3'b0, half_plane, 2'b0} : 16'(blocks);
  assign clear_start_o  = clear_owed_q && listed_there && !ahead_i;
  always_ff @(posedge clk_i) begin
    clear_owed_q <= rst_ni && !clear_i && ((scan_o && listed_i.outputs && clears) ||
                                           (clear_owed_q && !clear_start_o));
  end
  // Where nothing but active channels has rounds, these begin while their list grows.
  always_ff @(posedge clk_i) begin
    begins_early_q <= state_q == StScanWait && clears && !listed_i.inputs && last_group_q &&
                      found_i.outputs > channels_t'(LaneGroups);
  end

  // A pass begins, and takes so many rows.
  assign records_needed = !op_i.masked_zero;
  assign pass_rows      = pass_q == PassActive ? active_rows_q : masked_rows_q;
  always_comb begin
    unique case (pass_q)
      PassConstant: pass_wanted = masked_there_q && !records_needed && !clears;
      PassActive:   pass_wanted = active_there_q;
      PassRecords:  pass_wanted = masked_there_q && records_needed;
      default:      pass_wanted = 1'b0;
    endcase
  end
  assign begin_pass    = state_q == StPass && pass_wanted;
  assign begin_rounds  = begin_pass ? pass_q != PassRecords || post_idle_i
                                    : state_q == StIdle && start_i && !op_i.has_table &&
                                      listed_i == '0;
  // Rows of active channels load while they are listed; all rows of an instruction without output
  // mask were asked for ahead.
  always_ff @(posedge clk_i) begin
    load_o <= rst_ni && !clear_i && ((scan_o && listed_i.outputs) ||
                                     (begin_pass && pass_q == PassRecords && post_idle_i));
  end
  assign load_list_o.masked = pass_q == PassRecords;
  assign load_list_o.complete = !scan_busy_i.outputs;
  assign load_list_o.rows   = pass_q == PassRecords ? passed_outputs_i : found_i.outputs;
  assign group_next    = group_q + (pairs_q ? channels_t'(2) : channels_t'(1));
  always_ff @(posedge clk_i) begin
    pairs_q        <= pairs_groups(op_i, LaneGroups);
    step_q.inputs  <= pairs_q ? op_i.channels_in << 1 : op_i.channels_in;
    step_q.outputs <= pairs_q ? op_i.channels << 1 : op_i.channels;
    last_number_q  <= op_i.groups - 1'b1;
    if (pairs_q) last_number_q[0] <= 1'b0;
    last_group_q <= group_q == last_number_q;
    if (next_group || state_q == StGroupEnd) last_group_q <= group_next == last_number_q;
    if (state_q == StIdle) last_group_q <= op_i.groups == 1;
  end
  assign pass_ends = ends && plan.pass_ends;
  // Without lists nothing keeps the next group from following at once.  Where all outputs are
  // masked, their rounds may end before the loader has counted how many words of a row it reads;
  // the group then ends in StPass, which waits for that number.
  // A pass does not end in the cycles in which it begins, nor while that number is forgotten, and
  // rounds take three cycles each: what lets a group follow is from two cycles before.
  always_ff @(posedge clk_i) begin
    group_follows_q <= (last_group_q || listed_i == '0) && pass_follows_q;
    pass_follows_q  <= pass_q != PassConstant && rows_known_i && !ahead_i &&
                      !(pass_q == PassActive && records_needed && masked_there_q);
  end
  assign next_group    = pass_ends && group_follows_q;
  // The lists of a group without successor are free when its last item is known.
  assign lists_free    = state_q == StPass && pass_q == PassEnd && (settled_i || loose_i) &&
                         rows_known_i && !ahead_i;
  assign events_o.group  = lists_free || next_group || owed_q != 0;

  // Writes that the feature memory has accepted come before all reads that follow.
  assign drains_o = state_q == StDrain;
  assign drained  = state_q == StDrain && settled_i;
  assign done_o   = drained || bad_table_o;

  always_ff @(posedge clk_i) begin
    quiet_o <= 1'b0;
    if (!rst_ni || clear_i) begin
      state_q       <= StIdle;
      pass_q        <= PassConstant;
      group_q       <= '0;
      first_q       <= '0;
      set_q         <= 1'b0;
      open_chunks_q <= '0;
      quiet_q       <= 1'b0;
      owed_q        <= '0;
      input_q       <= '0;
      input_next_q  <= channels_t'(1);
      input_after_q <= channels_t'(2);
    end else begin
      owed_q        <= owed_q + 2'(next_group && plan.paired) - 2'(!next_group && owed_q != 0);
      open_chunks_q <= open_chunks_q + 2'(ends && round_o.chunk_end) - 2'(chunk_done_i);
      if (steps) begin
        input_q       <= channel_t'(input_next_q);
        input_next_q  <= input_after_q;
        input_after_q <= input_after_q + 1'b1;
      end
      if (ends) begin
        input_q       <= '0;
        input_next_q  <= channels_t'(1);
        input_after_q <= channels_t'(2);
      end

      unique case (state_q)
        StIdle: begin
          // Other instructions scan their lists from the first channel on.
          first_q <= '0;
          if (start_i) begin
            group_q      <= '0;
            quiet_q      <= 1'b0;
            // Without lists there is nothing to wait for.
            pass_q       <= PassActive;
            state_q      <= op_i.has_table ? StTable : listed_i != '0 ? StScan : StRounds;
          end
        end
        StTable: if (table_seen_q) state_q <= table_bad_i ? StIdle : StScan;
        StScan: begin
          pass_q <= listed_i.outputs ? PassConstant : PassActive;
          if (listed_i.outputs && last_group_q && op_i.masked_zero) begin
            quiet_o <= 1'b1;
            quiet_q <= 1'b1;
          end
          state_q <= listed_i.outputs ? StScanWait : StPass;
        end
        // What the instruction before waits for, the write master say, may take long.
        StScanWait: begin
          if (listed_there && !ahead_i) begin
            state_q <= StPass;
          end else if (begins_early_q) begin
            pass_q  <= PassActive;
            state_q <= StPass;
          end
        end
        StPass: begin
          if (pass_q == PassEnd) begin
            if (lists_free) state_q <= StGroupEnd;
          end else if (!pass_wanted) begin
            pass_q <= pass_e'(pass_q + 2'd1);
          end else if (pass_q != PassRecords || post_idle_i) begin
            state_q <= StRounds;
          end
        end
        StRounds: begin
          if (ends && plan.chunk_ends && pass_q != PassConstant) set_q <= !set_q;
          if (pass_ends) begin
            pass_q  <= pass_e'(pass_q + 2'd1);
            state_q <= StPass;
          end
          if (next_group) begin
            pass_q          <= PassActive;
            group_q         <= group_next;
            first_q.inputs  <= first_q.inputs + step_q.inputs;
            first_q.outputs <= first_q.outputs + step_q.outputs;
            state_q         <= last_group_q ? StDrain : StRounds;
          end
        end
        StGroupEnd: begin
          group_q         <= group_next;
          first_q.inputs  <= first_q.inputs + step_q.inputs;
          first_q.outputs <= first_q.outputs + step_q.outputs;
          state_q         <= last_group_q ? StDrain : StScan;
        end
        StDrain: begin
          if (drained || leave_i) begin
            quiet_o <= listed_i.outputs && !quiet_q;
            state_q <= StIdle;
          end
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  pass_is_known :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   issued_i && pass_q != PassActive |-> empty_q)
  else $error("an iteration of another pass");
  pass_was_known :
  assert property (@(posedge clk_i) disable iff (!rst_ni) issued_i |-> $stable(pass_q))
  else $error("an iteration as its pass begins");
`endif

endmodule

`default_nettype wire
