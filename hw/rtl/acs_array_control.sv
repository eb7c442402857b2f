// Walks CONV, ELTWISE, POOL, GAVG and SCALE: one iteration a cycle, whose sums leave with the last
// iteration of a round.  acs_conv_control knows the rounds of a CONV, acs_map_control those of the
// others.  This module holds the state that both need: the place in a round, the rounds under way,
// the iteration on offer, and which lists decide.
`default_nettype none

module acs_array_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned BankWords  = 1024
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,       // a run begins or ends
  input  wire logic         leave_i,       // the next instruction, of whatever unit, is taken
  input  wire logic         start_i,
  input  wire logic         ahead_i,       // the instruction began, and is still to be taken
  input  wire instruction_t op_i,
  input  wire kind_t        kind_i,
  output      instruction_t stored_op_o,   // whose results are requantized and stored
  output      logic         tail_o,        // it is the one before
  output      logic         quiet_o,       // one cycle: starts no more loads of listed rows
  output      logic         loose_o,       // only the items of the last round are not stored
  output      logic         done_o,        // one cycle
  output      logic         bad_table_o,   // with done_o: an entry was too large
  output      events_t      events_o,      // to be counted
  // Tables.
  input  wire logic         table_job_valid_i, // memory was asked for one
  input  wire table_job_t   table_job_i,
  output      logic         table_error_o, // the one that is used now came with an error answer
  output      logic         table_half_o,
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  input  wire logic         data_error_i,
  // Channels.
  output      table_write_t table_write_o,
  output      sides_t       scan_o,
  output      channel_counts_t first_o,     // where a scan begins
  output      channels_t    in_count_o,
  input  wire sides_t       scan_busy_i,
  input  wire channel_counts_t found_i,     // active channels in the lists by now
  input  wire channel_counts_t passed_i,    // masked channels by now
  output      channel_counts_t active_o,    // of the group
  output      channel_counts_t masked_o,
  output      channel_t     in_addr_o,
  input  wire channel_t     in_channel_i,
  input  wire channel_t     next_channel_i, // the same of the next group
  input  wire listed_t      in_index_i,
  output      listed_t      flag_addr_o,
  input  wire sides_t       flag_i,         // the channel is active
  // Masked channels of exact zeros are cleared meanwhile.
  output      logic         clear_start_o,
  output      logic [15:0]  clear_blocks_o,
  input  wire logic         clear_busy_i,
  // Weights of listed rows.
  output      logic         load_o,
  output      row_list_t    load_list_o,
  input  wire logic [1:0][7:0] rows_i,      // rows there, by set
  input  wire logic [1:0]   complete_i,     // all rows of the chunk are
  input  wire early_words_t early_i,        // those of the first round, which are not complete
  input  wire logic         chunk_done_i,
  input  wire logic         rows_known_i,   // how many words of a row are read
  // The map of a LOAD that is not done: rows that are there.
  input  wire logic         loading_i,
  input  wire logic [7:0]   loaded_rows_i,
  // Factors of SCALE.
  output      logic [15:0]  factor_addr_o,
  input  wire logic [63:0]  factor_word_i,
  // Array.
  output      logic         valid_o,
  input  wire logic         ready_i,
  output      iteration_t   iteration_o,
  // Rounds on their way to requantization.
  output      logic         round_valid_o,
  output      round_t       round_o,
  input  wire logic         release_i,      // the sums of a round have left
  input  wire logic         post_idle_i,
  input  wire logic         last_round_i,  // the last round's items are under way
  input  wire logic         totals_done_i   // those of GAVG are in the vector memory
);
  sides_t listed;  // a mask decides
  logic is_conv;
  logic scan, conv_scan, map_scan, conv_done, map_done, conv_valid, map_valid;
  iteration_t chosen, conv_iteration, map_iteration, iteration;
  round_t conv_round, map_round;
  // The place in a round.
  logic [15:0] step_q;
  logic [2:0] ky_q, kx_q, kx_after;
  logic [2:0] most, last_ky_q, last_even_q, last_kx_q;  // last row, last even column, last to come
  logic [5:0]
    tap_q, tap_after, row_tap_q, next_row_tap_q;  // the first one of this row, of the next
  logic split_q, single_q, last_column, last_tap_q, next, taken, issued, ends;
  // Iterations on offer to the array, with their rounds: the one that it takes next, and a spare.
  typedef struct packed {
    iteration_t iteration;
    round_t     round;
    logic       ends_round;  // it is the last one of its round
  } offer_t;
  logic offered_q, spare_valid_q;
  offer_t offer, offer_q, spare_q;
  // Rounds under way.
  group_count_t in_flight_q, most_in_flight;
  logic room, settled, loose, conv_drains, map_drains;
  // The tail of the instruction before.
  localparam logic [2:0] Young = 3'(STORE_DELAY - 2);
  logic tail, tail_q, held_q, takes, offer_free, spare_free, fresh_free, next_free, same_q;
  logic stored_apart_q, leaves, again_q;
  logic [2:0] young_q;
  channel_t tail_first_q, before_first_q;  // of the last round, of the one before
  channel_t limit_q;  // channels before it may be read

  assign is_conv = kind_i.conv;

  // Lists, where masks decide; otherwise the order itself serves.
  assign listed           = kind_i.listed;
  assign scan             = conv_scan || map_scan;
  assign scan_o           = scan ? listed : '0;
  assign in_count_o       = is_conv ? op_i.channels_in : op_i.channels;
  assign active_o.inputs  = listed.inputs ? found_i.inputs : in_count_o;
  assign active_o.outputs = listed.outputs ? found_i.outputs : op_i.channels;
  assign masked_o.inputs  = listed.inputs ? passed_i.inputs : '0;
  assign masked_o.outputs = listed.outputs ? passed_i.outputs : '0;

  // Rounds whose sums are on their way or in their lane groups' shadow registers: a round of a CONV
  // takes all lane groups, an item of a map one.  Maxima are taken by the first group alone.
  assign most_in_flight = is_conv || kind_i.maximum ? 5'd1 : group_count_t'(LaneGroups);
  assign room           = in_flight_q < most_in_flight ||
                          (in_flight_q == most_in_flight && release_i);
  assign settled        = post_idle_i && in_flight_q == 0 && !offered_q && totals_done_i &&
                          scan_busy_i == '0 && !clear_busy_i;
  assign done_o         = conv_done || map_done;

  // Tail.  The next instruction begins while the items of the last round are requantized: they know
  // all that they need, but for what stored_op_o tells.  An iteration waits until the tail is
  // stored, except where it reads the same map, of a channel before those of the tail; in a list
  // without table, a channel is not before its place.  The last one of a round always waits, so
  // that only items of one instruction are under way.  Items of the round before may be on their
  // way for STORE_DELAY cycles: so long, channels are read that come before those, too.
  assign loose   = last_round_i && !offered_q && scan_busy_i == '0 && !clear_busy_i && !kind_i.gavg;
  assign loose_o = loose && (conv_drains || map_drains);
  assign leaves  = leave_i && !ahead_i;
  assign tail    = tail_q && !post_idle_i;
  assign tail_o  = tail_q;
  assign takes   = taken || !offered_q;
  // Whether an iteration is free is worked out where it waits: its channel comes from block RAM.
  assign offer_free = !offer_q.ends_round && offer_q.iteration.channel < limit_q &&
                      offer_q.iteration.b_channel < limit_q;
  assign spare_free = !spare_q.ends_round && spare_q.iteration.channel < limit_q &&
                      spare_q.iteration.b_channel < limit_q;
  // Channels of GAVG are registers, so that what is just issued is judged as well.
  assign fresh_free = kind_i.gavg && map_iteration.channel < limit_q;
  assign next_free  = same_q && (!takes ? offer_free : spare_valid_q ? spare_free : fresh_free);
  always_ff @(posedge clk_i) begin
    if (!tail_q) begin
      stored_op_o    <= op_i;
      stored_apart_q <= kind_i.result_apart;
    end
    same_q <= kind_i.source_apart && stored_apart_q &&
              op_i.src_base == stored_op_o.dst_base && op_i.src_step == stored_op_o.dst_step;
    limit_q <= tail_first_q;
    if ((leaves || young_q > 3'd1) && before_first_q < tail_first_q) limit_q <= before_first_q;
    if (round_valid_o) begin
      before_first_q <= tail_first_q;
      // Items of a second block begin with the first row of their group again.
      tail_first_q <= round_o.list_first + round_o.restart;
      if (round_o.count == round_o.count_a || round_o.paired) begin
        tail_first_q <= round_o.list_first + round_o.first;
      end
      if (round_o.masked || op_i.has_table) tail_first_q <= '0;
    end
    if (leaves) young_q <= Young;
    else if (young_q != 0) young_q <= young_q - 3'd1;
    tail_q <= rst_ni && (leaves ? !post_idle_i : tail);
    held_q <= tail && !next_free;
  end

  // Taps, then input channels or blocks.  Columns of a row that read the same segments follow each
  // other: where phase planes hold the columns, even ones come before odd ones.  The instruction is
  // there two cycles before its first iteration, and whether a tap is the last one is known as it
  // begins.
  assign last_column = kx_q == last_kx_q;
  always_comb begin
    if (last_column) kx_after = '0;
    else if (!split_q) kx_after = kx_q + 3'd1;
    else kx_after = kx_q == last_even_q ? 3'd1 : kx_q + 3'd2;
  end
  assign most      = 3'(op_i.kernel - 4'd1);
  assign tap_after = (last_column ? next_row_tap_q : row_tap_q) + 6'(kx_after);
  always_ff @(posedge clk_i) begin
    again_q        <= !op_i.res_enable;
    single_q       <= op_i.kernel == 4'd1;
    split_q        <= op_i.stride == 2'd2 && op_i.kernel != 4'd1;
    last_ky_q      <= most;
    last_even_q    <= {most[2:1], 1'b0};
    last_kx_q      <= op_i.stride == 2'd2 && most != 0 && !most[0] ? most - 3'd1 : most;
    next_row_tap_q <= row_tap_q + 6'(op_i.kernel);
    last_tap_q     <= ky_q == last_ky_q && last_column;
    if (issued) begin
      last_tap_q <= ends || last_tap_q ? single_q :
                    ky_q == last_ky_q && !last_column && kx_after == last_kx_q;
    end
  end
  assign chosen = is_conv ? conv_iteration : map_iteration;
  always_comb begin
    iteration       = chosen;
    iteration.first = step_q == 0;
    iteration.ky    = ky_q;
    iteration.kx    = kx_q;
    iteration.tap   = tap_q;
    // Residuals come through the register that holds the segments.
    iteration.again = is_conv && again_q && kx_q != '0 && !(split_q && kx_q == 3'd1);
  end
  assign offer = '{
      iteration: iteration,
      round: is_conv ? conv_round : map_round,
      ends_round: chosen.last && !kind_i.gavg
    };
  // An iteration is issued to a register, from which the array takes it when there is room for the
  // sums of its round.  Behind it is room for a second one, so that nothing of what the array
  // decides, nor of who has port B, reaches the round's counters before the next cycle.
  assign next          = !spare_valid_q;
  assign issued        = (conv_valid || map_valid) && next;
  assign ends          = issued && chosen.last;
  assign valid_o       = offered_q && !held_q && (!offer_q.ends_round || room);
  assign taken         = valid_o && ready_i;
  assign round_valid_o = taken && offer_q.ends_round;
  assign round_o       = offer_q.round;
  // Whether it wants port B is told without knowing whether there is room for its sums.
  always_comb begin
    iteration_o       = offer_q.iteration;
    iteration_o.use_b = offered_q && offer_q.iteration.use_b;
  end

  always_ff @(posedge clk_i) begin
    if (takes) offer_q <= spare_valid_q ? spare_q : offer;
    if (next) spare_q <= offer;
    if (!rst_ni || clear_i) begin
      offered_q     <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      offered_q     <= issued || spare_valid_q || (offered_q && !taken);
      spare_valid_q <= (issued || spare_valid_q) && offered_q && !taken;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      step_q      <= '0;
      ky_q        <= '0;
      kx_q        <= '0;
      tap_q       <= '0;
      row_tap_q   <= '0;
      in_flight_q <= '0;
    end else begin
      in_flight_q <= in_flight_q + group_count_t'(round_valid_o) - group_count_t'(release_i);
      if (issued) begin
        step_q <= step_q + 16'd1;
        kx_q   <= kx_after;
        tap_q  <= tap_after;
        if (last_column) begin
          ky_q      <= ky_q + 3'd1;
          row_tap_q <= next_row_tap_q;
        end
        if (last_tap_q) begin
          ky_q      <= '0;
          tap_q     <= '0;
          row_tap_q <= '0;
        end
      end
      if (ends) begin
        step_q <= '0;
        kx_q   <= '0;
        ky_q   <= '0;
        tap_q  <= '0;
        row_tap_q <= '0;
      end
    end
  end

  logic table_there, table_bad, table_error, table_release;
  acs_table u_table (
    .clk_i,
    .rst_ni,
    .clear_i,
    .job_valid_i(table_job_valid_i),
    .job_i      (table_job_i),
    .data_valid_i,
    .data_ready_o,
    .data_i,
    .data_error_i,
    .write_o    (table_write_o),
    .there_o    (table_there),
    .bad_o      (table_bad),
    .error_o    (table_error),
    .half_o     (table_half_o),
    .release_i  (table_release)
  );

  acs_conv_control #(
    .LaneGroups(LaneGroups),
    .BankWords(BankWords)
  ) u_conv (
    .clk_i,
    .rst_ni,
    .clear_i,
    .leave_i,
    .start_i      (start_i && is_conv),
    .ahead_i,
    .op_i,
    .settled_i    (settled),
    .loose_i      (loose),
    .drains_o     (conv_drains),
    .quiet_o,
    .done_o       (conv_done),
    .bad_table_o,
    .events_o,
    .table_there_i(table_there),
    .table_bad_i  (table_bad),
    .table_error_i(table_error),
    .table_error_o,
    .table_release_o(table_release),
    .scan_o       (conv_scan),
    .first_o,
    .scan_busy_i,
    .listed_i     (listed),
    .found_i,
    .passed_outputs_i(passed_i.outputs),
    .active_i     (active_o),
    .masked_outputs_i(masked_o.outputs),
    .in_addr_o,
    .in_channel_i,
    .next_channel_i,
    .in_index_i,
    .clear_start_o,
    .clear_blocks_o,
    .load_o,
    .load_list_o,
    .rows_i,
    .complete_i,
    .early_i,
    .chunk_done_i,
    .rows_known_i,
    .loading_i,
    .loaded_rows_i,
    .post_idle_i,
    .valid_o      (conv_valid),
    .issued_i     (issued && conv_valid),
    .step_i       (step_q),
    .last_tap_i   (last_tap_q),
    .iteration_o  (conv_iteration),
    .round_o      (conv_round)
  );

  acs_map_control #(
    .LaneGroups(LaneGroups)
  ) u_map (
    .clk_i,
    .rst_ni,
    .clear_i,
    .leave_i,
    .start_i      (start_i && !is_conv),
    .op_i,
    .kind_i,
    .settled_i    (settled),
    .drains_o     (map_drains),
    .done_o       (map_done),
    .scan_o       (map_scan),
    .scan_busy_i,
    .flag_addr_o,
    .flag_i,
    .factor_addr_o,
    .factor_word_i,
    .valid_o      (map_valid),
    .issued_i     (issued && map_valid),
    .step_i       (step_q),
    .last_tap_i   (last_tap_q),
    .iteration_o  (map_iteration),
    .round_o      (map_round)
  );

`ifndef SYNTHESIS
  one_walks :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                              !(conv_valid && !is_conv) && !(map_valid && is_conv))
  else $error("an iteration of another instruction than the one that runs");
`endif

endmodule

`default_nettype wire
