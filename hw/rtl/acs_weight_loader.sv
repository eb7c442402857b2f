// Streams the weight rows of a convolution, chunk by chunk, into the set of weight banks and
// channel records that does not compute.  Requests run ahead of the data, and both run ahead of the
// array, into the first chunk of the next instruction.
//
// A job is one of: all rows of all groups, in order; the rows of a group's active channels, whose
// list may still grow; the masked records of its masked channels.  Words of a row are counted from
// its record on: where rows begin with a masked record, those of active channels are read behind
// it.  The rows of further jobs are asked for while those of one still arrive; only one of them has
// runs.
// Where a mask turns inputs off, acs_weight_runs tells which words of a row are needed, and the
// loader leaves the others out.  Of groups that no mask cuts, a set takes as many as fit, one
// behind the other, each of them from the first bank on.
//
// The array waits for the first rows of a list.  The loader therefore reads them side by side, a
// few words of each row at a time, and the first round may begin with the words that are there.
`default_nettype none

module acs_weight_loader
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned BankWords  = 1024,
  parameter int unsigned BandWords  = 8     // of a row at a time, of those read side by side
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,      // a run begins or ends: sets are free, no job
  input  wire logic [63:0]  params_i,     // address of the parameter buffer
  input  wire instruction_t op_i,         // the instruction that runs
  // A job: all rows of an instruction that will run,
  input  wire logic         all_start_i,
  input  wire instruction_t all_op_i,
  input  wire channels_t    all_rows_i,   // over all groups; only where the loader is free
  // or those rows of the instruction that runs which are in a list.
  input  wire logic         list_start_i,
  input  wire row_list_t    list_i,
  input  wire logic [28:0]  index_i,      // number of the job's instruction
  output      logic         busy_o,       // there is a job; known a cycle late
  output      logic         asks_o,       // rows of it are still to be asked for
  output      logic         free_o,       // it may get another one; known a cycle late
  output      logic [28:0]  index_o,      // number of the instruction whose words arrive
  // Masks, 64 bits a word.
  input  wire mask_write_t  mask_write_i,
  // Words read of every row of the instruction that runs; known late where some are skipped.
  output      logic         row_read_valid_o,
  output      logic [15:0]  row_read_o,
  input  wire logic         group_done_i, // all rows of a group were used
  // Sets of banks, used in turn.
  input  wire logic         chunk_done_i, // the older one is free again
  output      logic [1:0][7:0] rows_o,    // rows that each holds
  output      logic [1:0]   complete_o,   // each holds all rows of its chunk
  output      early_words_t early_o,      // words of the first rows, before they are complete
  // List of channels.
  output      listed_t      row_addr_o,
  input  wire listed_t      row_index_i,  // a cycle later
  // Read master.
  output      logic         req_valid_o,
  input  wire logic         req_ready_i,
  output      span_t        req_o,
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  input  wire logic         data_error_i,   // the word came with an error answer
  output      logic         error_o,        // such a word was taken, of the job that index_o tells
  // Weight banks.
  output      logic [LaneGroups-1:0]        weight_write_o,
  output      logic                         weight_set_o,
  output      logic [$clog2(BankWords)-1:0] weight_addr_o,
  output      logic [63:0]                  weight_data_o,
  // Records.
  output      logic         record_write_o,
  output      logic [7:0]   record_addr_o,  // set, position in the chunk
  output      constants_t   record_o
);
  // A copy of both, a cycle later: no job begins near the begin or the end of a run.
  (* keep *) logic clear_q;
  (* keep *) always_ff @(posedge clk_i) clear_q <= !rst_ni || clear_i;

  localparam int unsigned BW = $clog2(BankWords);
  localparam int unsigned JoinedRows = 32;  // of small groups, asked for at once

  // The job.
  logic start, listed, masked;
  instruction_t job;
  assign start  = all_start_i || list_start_i;
  assign job    = all_start_i ? all_op_i : op_i;
  assign listed = !all_start_i;
  assign masked = listed && list_i.masked;

  typedef struct packed {
    logic listed;
    logic masked;
    logic skips;  // words of rows; then runs must be known first
    logic joins;  // a chunk takes several groups
    logic [15:0] whole_last;  // last word of a row, as far as it is read
    channels_t channels;  // of a group, or of two that are taken at a time
    logic [7:0] chunk;
    logic [7:0] band_rows;  // read side by side, at most
    logic [28:0] index;
  } load_job_t;

  // The job whose rows are asked for, or were asked for last; the one whose words arrive; and those
  // between them, whose words come behind.
  localparam int unsigned Jobs = 4;
  typedef struct packed {
    load_job_t job;
    channels_t all_rows;
  } waiting_job_t;
  load_job_t new_job, ask_job_q, job_q;
  waiting_job_t waiting;
  logic ask_q;  // rows are to be asked for:
  logic [31:0] weight_addr_q;
  channels_t all_rows_q;
  logic [15:0] row_step_q;  // words from a row to the next one in memory
  logic [7:0] together_q;  // rows asked for at once, at most
  logic waits;  // words of a job come behind those that arrive
  logic busy_q;  // words of a job arrive
  logic skips_there_q, skipping_q;  // a job with runs is not over; it was the one that arrived
  logic begins, jobs_room, many_q;
  logic [2:0] jobs_q;  // that wait
  assign begins = waits && !busy_q;
  // A job takes a register on its way to those that wait: it comes from afar, and so do its fields.
  logic joins_q;
  waiting_job_t joining_q;
  always_ff @(posedge clk_i) begin
    joins_q   <= !clear_q && start;
    joining_q <= '{job: new_job, all_rows: all_rows_i};
  end
  acs_fifo #(
    .Width($bits(waiting_job_t)),
    .Depth(Jobs),
    .OutputRegister(1'b1)
  ) u_jobs (
    .clk_i,
    .rst_ni     (!clear_q),
    .in_valid_i (joins_q),
    .in_ready_o (jobs_room),
    .in_data_i  (joining_q),
    .out_valid_o(waits),
    .out_ready_i(begins),
    .out_data_o (waiting)
  );

  // Rows of a group, as far as known; as numbers of rows and of the last one.  What is known of an
  // earlier list does not hold for the next one.
  channels_t ask_rows, rows, ask_rows_q, rows_q, last_ask_number_q, last_row_number_q;
  logic ask_rows_known_q, rows_known_q;
  assign ask_rows = ask_job_q.listed ? list_i.rows : ask_job_q.channels;
  assign rows     = job_q.listed ? list_i.rows : job_q.channels;
  always_ff @(posedge clk_i) begin
    ask_rows_q        <= ask_rows;
    last_ask_number_q <= ask_rows - 1'b1;
    ask_rows_known_q  <= (!ask_job_q.listed || list_i.complete) && !start;
    rows_q            <= rows;
    last_row_number_q <= rows - 1'b1;
    rows_known_q      <= (!job_q.listed || list_i.complete) && !begins;
  end

  // A job with no rows may be over before its runs are found.  Runs are kept until the words that
  // they name are here.
  logic runs_busy, runs_start_q, all_skips_q;
  always_ff @(posedge clk_i) begin
    busy_o <= rst_ni && (start || joins_q || ask_q || waits || busy_q || runs_start_q || runs_busy);
    free_o <= rst_ni && !(start || ask_q || many_q || runs_start_q || runs_busy ||
                          (skips_there_q && all_skips_q));
  end
  assign asks_o  = ask_q;
  assign index_o = job_q.index;

  // Runs of wanted words in every row.
  logic runs_there, ask_there_q, next_there, runs_start;
  logic [6:0] run_count;
  logic [5:0] ask_run_q, next_run_q;
  run_t listed_ask, listed_run;
  logic op_skips_q, all_joins_q, all_pairs_q, counted, counts_taken_q;
  logic [15:0] counted_words;
  // Of the instruction that runs: where the first active row's record is, and words from there on.
  logic [31:0] op_record_q;
  logic [15:0] op_last_q, op_words_q;
  // Both instructions are there a cycle before their job.  Words are skipped only where there is
  // one group, so that the count of its words is done with a cycle later.
  always_ff @(posedge clk_i) begin
    op_skips_q     <= skips_words(op_i);
    all_skips_q    <= skips_words(all_op_i);
    all_joins_q    <= joins_groups(all_op_i);
    all_pairs_q    <= pairs_groups(all_op_i, LaneGroups);
    counts_taken_q <= group_done_i && op_skips_q;
    op_record_q    <= op_i.weight_addr + (has_masked_records(op_i) ? 32'(RECORD_WORDS) : '0);
    op_last_q      <= op_i.row_words - 16'(record_words(op_i));
    op_words_q     <= op_i.row_words - (has_masked_records(op_i) ? 16'(RECORD_WORDS) : '0);
  end
  assign row_read_valid_o = !op_skips_q || counted;
  assign row_read_o       = op_skips_q ? counted_words : op_words_q;
  assign runs_start       = all_start_i ? all_skips_q
                                        : list_start_i && op_skips_q && !list_i.masked;
  // A run is complete when the next one has begun.  The last one of a row is when all are.
  // A search begins a cycle after its job; until then nothing is there.
  instruction_t runs_op_q;
  always_ff @(posedge clk_i) begin
    runs_start_q <= !clear_q && runs_start;
    runs_op_q    <= job;
  end
  assign next_there = !runs_start_q && (runs_there || 7'(next_run_q) + 7'd1 < run_count);
  always_ff @(posedge clk_i) begin
    ask_there_q <= !runs_start_q && (runs_there || 7'(ask_run_q) + 7'd1 < run_count);
  end
  acs_weight_runs u_runs (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i     (runs_start_q),
    .op_i        (runs_op_q),
    .mask_write_i,
    .busy_o      (runs_busy),
    .there_o     (runs_there),
    .count_o     (run_count),
    .a_run_i     (ask_run_q),
    .a_run_o     (listed_ask),
    .b_run_i     (next_run_q),
    .b_run_o     (listed_run),
    .words_valid_o(counted),
    .words_o     (counted_words),
    .words_take_i(counts_taken_q)
  );

  // The band of rows that are read side by side takes turns, so many words of each row: few at
  // first, for which the array waits.
  function automatic logic [15:0] more(input logic [15:0] first);  // words behind the first one
    return first < 16'(BandWords) ? 16'(BandWords / 2 - 1) : 16'(BandWords - 1);
  endfunction
  function automatic logic band_ends(input logic [15:0] first, input logic [15:0] last);
    return last - first <= more(first);
  endfunction
  function automatic run_t band(input logic [15:0] first, input logic [15:0] last);
    return '{first: first, last: band_ends(first, last) ? last : first + more(first)};
  endfunction

  // Requests: a run each where words are skipped, a row each from a list, a chunk each otherwise.
  // What the next one is gets worked out in one cycle; the next cycle picks it, so that there is a
  // request every other cycle.  Two more cycles give its address.
  logic ask_band_q;
  channels_t asked_q;  // rows that were asked for
  logic [15:0] ask_first_q;  // word of the rows where the band's turn begins
  logic fresh_q;  // the following registers belong to those above
  run_t run_q;
  logic final_run_q;  // the last one of its row
  logic more_q, all_q, turns_q;
  logic [7:0] run_rows, run_rows_q;  // rows asked for together
  channels_t rows_left;
  logic pick, band_turns;
  assign rows_left  = all_rows_q - asked_q;
  assign run_rows   = rows_left < channels_t'(together_q) ? rows_left[7:0] : together_q;
  assign row_addr_o = ask_job_q.masked ? ~listed_t'(asked_q) : listed_t'(asked_q);
  always_ff @(posedge clk_i) begin
    if (ask_job_q.skips) begin
      run_q       <= listed_ask;
      final_run_q <= runs_there && 7'(ask_run_q) == run_count - 7'd1;
    end else if (ask_band_q) begin
      run_q       <= band(ask_first_q, ask_job_q.whole_last);
      final_run_q <= band_ends(ask_first_q, ask_job_q.whole_last);
    end else begin
      run_q       <= '{first: '0, last: ask_job_q.whole_last};
      final_run_q <= 1'b1;
    end
    more_q       <= ask_job_q.listed ? asked_q < ask_rows : rows_left != 0;
    all_q        <= ask_rows_known_q && asked_q == ask_rows_q;
    turns_q      <= asked_q == channels_t'(ask_job_q.band_rows) - 1'b1 ||
                    (ask_rows_known_q && asked_q == last_ask_number_q);
    run_rows_q   <= run_rows;
  end

  logic product_valid_q, address_valid_q, ask_ends_q;
  logic product_moves, address_moves;
  channels_t product_rows;
  logic [15:0] product_first_q, product_words_q;
  logic product_final_q;
  // The number of rows comes from block RAM, and takes a register before it is multiplied.
  channels_t product_rows_q;
  logic [27:0] product;  // words of the rows, or of those before the one from a list
  logic [31:0] product_base_q, address_q, run_addr_q;
  logic [23:0] request_words_q;
  assign product       = 28'(product_rows_q) * 28'(row_step_q);
  assign product_rows  = ask_job_q.listed ? channels_t'(row_index_i) : channels_t'(run_rows_q);
  assign address_moves = !address_valid_q || req_ready_i;
  assign product_moves = !product_valid_q || address_moves;
  assign pick          = ask_q && fresh_q && more_q && (!ask_job_q.skips || ask_there_q) &&
                         product_moves;
  // That a row was the last one in the list may be known only later.
  assign band_turns    = ask_q && fresh_q && ask_band_q && ((pick && turns_q) || all_q);
  // All rows are asked for, but for those on their way.
  always_ff @(posedge clk_i) begin
    ask_ends_q <= ask_q && !start && !pick && !ask_band_q &&
                  (ask_job_q.listed ? ask_rows_known_q && asked_q == ask_rows_q :
                                      asked_q == all_rows_q);
  end
  assign req_valid_o   = address_valid_q;
  assign req_o         = '{
    address: params_i + {29'b0, address_q, 3'b0},
    words: 32'(request_words_q)
  };
  always_ff @(posedge clk_i) begin
    if (product_moves) begin
      product_rows_q  <= product_rows;
      product_base_q  <= weight_addr_q + 32'(run_q.first);
      product_first_q <= run_q.first;
      product_words_q <= run_q.last - run_q.first + 16'd1;
      product_final_q <= final_run_q;
    end
    if (address_moves) begin
      address_q       <= (ask_job_q.listed ? product_base_q : run_addr_q) +
                         (ask_job_q.listed ? 32'(product) : 32'(product_first_q));
      request_words_q <= ask_job_q.listed || ask_job_q.skips ? 24'(product_words_q)
                                                             : product[23:0];
    end
  end

  // Data.  The run that arrives is in registers; the next one of those that are listed is, too.
  logic band_q;
  logic known_q, settles_q;
  logic [15:0] word_q, last_q;  // in the row
  logic end_q, final_q;  // the word is the last one of its run; the run is the last one of its row
  run_t next_q;
  logic next_valid_q, next_final_q;
  run_t band_run_q;
  logic band_final_q, band_single_q;  // the last one of its row; a word by itself
  logic [15:0] first_q;  // word of the rows where the band's turn begins
  channels_t loaded_q;  // rows of the group
  channels_t left_q;  // rows of all groups
  logic [7:0] position_q;  // in the chunk, of the row that arrives
  logic [3:0] bank_q;
  logic [BW-1:0] row_base_q;
  logic [15:0] group_base_q, next_base_q;  // where the group begins, and where another one would
  logic another_fits_q;
  logic [7:0] rows_room_q;  // rows of a set before another group no longer fits
  logic [16:0] base_limit_q;
  logic set_q, free_set_q;
  logic begun_q;  // a chunk is partly there
  logic [1:0] sets_used_q;  // by chunks that began to arrive and are not given back
  logic take, last_word, ends, loads, from_list;
  record_t record;
  // What follows a row is worked out while its words arrive, what follows a turn before the next.
  // The last word of a row waits where that takes longer: a cycle for whether it is the last row,
  // two for whether another group fits behind it.
  logic last_row_q, last_of_all_q, decides, chunk_full_q, chunk_complete, row_ended_q;
  logic band_turns_q, turn_known;
  assign decides    = !(row_ended_q && job_q.joins) &&
                      (rows_known_q || (rows_q != 0 && last_row_number_q > loaded_q));
  assign turn_known = position_q == job_q.band_rows - 8'd1 || rows_known_q ||
                      (rows_q != 0 && last_row_number_q > channels_t'(position_q));
  always_ff @(posedge clk_i) begin
    last_row_q   <= (rows_known_q && loaded_q == last_row_number_q) ||
                    (!job_q.listed && left_q == 1);
    row_ended_q  <= take && last_word;
    last_of_all_q <= left_q == 1;
    chunk_full_q <= !job_q.joins && position_q == job_q.chunk - 8'd1;
    // The words behind the record are the row's weights.
    next_base_q    <= 16'(row_base_q) + job_q.whole_last;
    // What stays for a whole group is worked out before.
    rows_room_q    <= job_q.channels < channels_t'(MAX_CHUNK) ? 8'(MAX_CHUNK) - job_q.channels[7:0]
                                                              : '0;
    base_limit_q   <= 17'(BankWords) + 17'(group_base_q);
    another_fits_q <= job_q.joins && left_q != 1 && position_q < rows_room_q &&
                      {next_base_q, 1'b0} <= base_limit_q;
    band_turns_q <= position_q == job_q.band_rows - 8'd1 ||
                    (rows_known_q && channels_t'(position_q) == last_row_number_q);
    band_run_q    <= band(first_q, job_q.whole_last);
    band_final_q  <= band_ends(first_q, job_q.whole_last);
    band_single_q <= first_q == job_q.whole_last;
  end

  assign last_word = end_q && final_q;
  // A chunk begins when a set is free for it.  When a row is complete, the loader must know whether
  // it is the last one.
  // Words come from afar, and so a register tells whether one may: how it will be in the next cycle
  // follows from what this one brings, a word, a run or nothing.
  logic ready_q, ready_behind, ready_with_run, ready_again, row_follows, next_single;
  assign next_single    = next_q.first == next_q.last;
  assign row_follows    = !(last_row_q && (job_q.listed || last_of_all_q)) &&
                          (!chunk_complete || chunk_done_i ||
                           !(sets_used_q == 2'd2 || (sets_used_q == 2'd1 && !begun_q)));
  always_comb begin
    // Behind a word: in its run; of the next run of a list, where that is known; of the next row
    // in the band, unless that turns; of the next row.  Of a row of one word too little is known.
    if (!end_q) ready_behind = !(ends && ((final_q && !decides) || (band_q && !turn_known)));
    else if (job_q.skips) begin
      ready_behind = next_valid_q && !(next_single && next_final_q && (final_q || !decides)) &&
                     (!final_q || row_follows);
    end else if (band_q) begin
      ready_behind = !band_turns_q && !band_single_q && (!final_q || row_follows);
    end else ready_behind = !job_q.masked && row_follows;
    // The first word of a run that was not known until now.
    if (job_q.skips) ready_with_run = !(next_single && next_final_q && !decides);
    else if (band_q) ready_with_run = !(band_single_q && !(decides && turn_known));
    else ready_with_run = !(job_q.masked && !decides);
    // The word that waits.
    ready_again = known_q && !(last_word && !decides) && !(band_q && end_q && !turn_known);
  end
  always_ff @(posedge clk_i) begin
    ready_q <= !clear_q && busy_q && !(job_q.listed && rows_known_q && rows_q == 0) &&
               (take ? ready_behind
                     : (loads ? ready_with_run : ready_again) &&
                       (begun_q || sets_used_q != 2'd2 || chunk_done_i));
  end
  assign data_ready_o   = ready_q;
  assign take           = data_valid_i && data_ready_o;
  assign chunk_complete = chunk_full_q || (last_row_q && !another_fits_q);
  assign from_list      = job_q.skips && next_valid_q;
  // The run changes: at once where the next one is known.
  assign loads          = busy_q && !known_q && !settles_q && (!job_q.skips || next_valid_q);

  assign ends = word_q + 16'd1 == last_q;
  always_ff @(posedge clk_i) begin
    if (take && !end_q) begin
      word_q <= word_q + 16'd1;
      end_q  <= ends;
    end
    if (take && end_q && !job_q.skips) begin
      word_q <= band_q ? band_run_q.first : '0;  // of the next row, or the next masked record
      end_q  <= job_q.masked;
    end
    if (loads && !job_q.skips) begin
      word_q  <= band_q ? band_run_q.first : '0;
      last_q  <= band_q ? band_run_q.last : job_q.whole_last;
      end_q   <= band_q ? band_single_q : job_q.masked;
      final_q <= !band_q || band_final_q;
    end
    if (from_list && (loads || (take && end_q))) begin
      word_q  <= next_q.first;
      last_q  <= next_q.last;
      end_q   <= next_single;
      final_q <= next_final_q;
    end
    if (!next_valid_q) begin
      next_q       <= listed_run;
      next_final_q <= runs_there && 7'(next_run_q) == run_count - 7'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (clear_q) begin
      ask_job_q        <= '0;
      job_q            <= '0;
      ask_q            <= 1'b0;
      busy_q           <= 1'b0;
      jobs_q           <= '0;
      many_q           <= 1'b0;
      skips_there_q    <= 1'b0;
      skipping_q       <= 1'b0;
      asked_q          <= '0;
      fresh_q          <= 1'b0;
      product_valid_q  <= 1'b0;
      address_valid_q  <= 1'b0;
      weight_addr_q    <= '0;
      run_addr_q       <= '0;
      row_step_q       <= '0;
      all_rows_q       <= '0;
      together_q       <= '0;
      loaded_q         <= '0;
      left_q           <= '0;
      position_q       <= '0;
      bank_q           <= '0;
      row_base_q       <= '0;
      group_base_q     <= '0;
      ask_run_q        <= '0;
      next_run_q       <= '0;
      next_valid_q     <= 1'b0;
      known_q          <= 1'b0;
      settles_q        <= 1'b0;
      set_q            <= 1'b0;
      free_set_q       <= 1'b0;
      sets_used_q      <= '0;
      begun_q          <= 1'b0;
      rows_o           <= '0;
      complete_o       <= '0;
      ask_band_q       <= 1'b0;
      band_q           <= 1'b0;
      ask_first_q      <= '0;
      first_q          <= '0;
      early_o.bank_set      <= 1'b0;
      early_o.words    <= '0;
    end else begin
      sets_used_q <= sets_used_q + 2'(take && !begun_q) - 2'(chunk_done_i);

      // Requests.
      fresh_q         <= ask_q && !pick && !band_turns;
      product_valid_q <= pick || !product_moves;
      address_valid_q <= address_moves ? product_valid_q : address_valid_q;
      if (address_moves && product_valid_q && product_final_q) begin
        run_addr_q <= run_addr_q + 32'(product);
      end
      if (pick) begin
        ask_run_q <= final_run_q ? '0 : ask_run_q + 6'd1;
        if (ask_job_q.listed) begin
          if (final_run_q || ask_band_q) asked_q <= asked_q + 1'b1;
        end else if (final_run_q) begin
          asked_q <= asked_q + channels_t'(run_rows_q);
        end
      end
      if (ask_ends_q && !product_valid_q && !address_valid_q) ask_q <= 1'b0;
      if (band_turns) begin
        ask_first_q <= run_q.last + 16'd1;
        if (final_run_q) ask_band_q <= 1'b0;
        else asked_q <= '0;
      end

      // The next run of a list, and the one that arrives.
      if (!next_valid_q && busy_q && job_q.skips && next_there) begin
        next_valid_q <= 1'b1;
        next_run_q   <= runs_there && 7'(next_run_q) == run_count - 7'd1 ? '0 : next_run_q + 6'd1;
      end
      settles_q <= 1'b0;
      if (loads) known_q <= 1'b1;
      if (take && end_q) begin
        if (job_q.skips) known_q <= next_valid_q;
        // What comes when the band turns is worked out first, and so is, of a word by itself,
        // whether the band turns there.
        if (band_q) known_q <= !band_turns_q && !band_single_q;
        settles_q <= band_q && band_turns_q;
      end
      if (from_list && (loads || (take && end_q))) next_valid_q <= 1'b0;

      if (take) begin
        begun_q <= !(last_word && chunk_complete);
        if (end_q && band_q) begin
          position_q <= band_turns_q ? '0 : position_q + 8'd1;
          bank_q     <= band_turns_q ? '0 : bank_q + 4'd1;
          if (band_turns_q) begin
            first_q       <= word_q + 16'd1;
            early_o.bank_set   <= set_q;
            early_o.words <= final_q ? '0 : word_q;
            if (final_q) band_q <= 1'b0;
          end
        end
        if (last_word) begin
          loaded_q      <= loaded_q + 1'b1;
          left_q        <= left_q - 1'b1;
          position_q    <= position_q + 8'd1;
          rows_o[set_q] <= position_q + 8'd1;
          bank_q        <= bank_q + 4'd1;
          if (bank_q == 4'(LaneGroups - 1) || last_row_q) begin
            bank_q     <= '0;
            row_base_q <= BW'(next_base_q);
          end
          if (last_row_q) group_base_q <= next_base_q;
          if (chunk_complete) begin
            complete_o[set_q] <= 1'b1;
            position_q   <= '0;
            bank_q       <= '0;
            row_base_q   <= '0;
            group_base_q <= '0;
            set_q        <= !set_q;
          end
          if (last_row_q) begin
            loaded_q <= '0;
            if (job_q.listed || last_of_all_q) busy_q <= 1'b0;
          end
        end
      end
      // An empty list has no words that the job could wait for.
      if (job_q.listed && rows_known_q && rows_q == 0) busy_q <= 1'b0;
      if (skipping_q && !busy_q) skips_there_q <= 1'b0;
      skipping_q <= busy_q && job_q.skips;
      if (ask_job_q.listed && ask_rows_known_q && ask_rows_q == 0) ask_q <= 1'b0;
      if (chunk_done_i) begin
        rows_o[free_set_q] <= '0;
        complete_o[free_set_q] <= 1'b0;
        free_set_q         <= !free_set_q;
      end
      jobs_q <= jobs_q + 3'(start) - 3'(begins);
      many_q <= jobs_q >= 3'(Jobs - 1);
      if (begins) begin
        busy_q       <= 1'b1;
        job_q        <= waiting.job;
        next_run_q   <= '0;
        next_valid_q <= 1'b0;
        known_q      <= 1'b0;
        settles_q    <= 1'b1;
        loaded_q     <= '0;
        band_q       <= waiting.job.listed && !waiting.job.masked && !waiting.job.skips;
        first_q      <= '0;
        early_o.words <= '0;
        left_q       <= waiting.all_rows;
      end
      if (start) begin
        if (runs_start) skips_there_q <= 1'b1;
        ask_q       <= 1'b1;
        ask_job_q   <= new_job;
        weight_addr_q <= listed && !masked ? op_record_q : job.weight_addr;
        run_addr_q  <= job.weight_addr;
        row_step_q  <= job.row_words;
        all_rows_q  <= all_rows_i;
        together_q  <= runs_start ? 8'd1 : all_joins_q && job.chunk < 8'(JoinedRows)
                                           ? 8'(JoinedRows) : job.chunk;
        asked_q     <= '0;
        ask_run_q   <= '0;
        ask_band_q  <= listed && !masked && !runs_start;
        ask_first_q <= '0;
      end
    end
  end

  always_comb begin
    new_job             = '0;
    new_job.listed      = listed;
    new_job.masked      = masked;
    new_job.skips       = runs_start;
    new_job.joins       = all_start_i && all_joins_q;
    new_job.whole_last  = masked ? '0 : listed ? op_last_q : job.row_words - 16'(RECORD_WORDS);
    new_job.channels    = all_start_i && all_pairs_q ? job.channels << 1 : job.channels;
    new_job.chunk       = job.chunk;
    new_job.band_rows   = job.chunk < 8'(LaneGroups) ? job.chunk : 8'(LaneGroups);
    new_job.index       = index_i;
  end

  // A record takes a register on its way to block RAM.  Its row is told to be there a cycle later
  // at the earliest, and an item looks it up cycles after that.  Nor is there another job in the
  // cycle in which an error is told.
  assign record = decode_record(data_i);
  always_ff @(posedge clk_i) begin
    record_write_o <= !clear_q && take && word_q == 0;
    record_addr_o  <= {set_q, position_q[6:0]};
    record_o       <= '{
      bias: record.bias,
      mult: record.mult,
      shift: bounded_shift(record.shift)
    };
    error_o        <= !clear_q && take && data_error_i;
  end

  always_comb begin
    for (int bank = 0; bank < LaneGroups; bank++) begin
      weight_write_o[bank] = bank_q == 4'(bank) && take && word_q != 0;
    end
  end
  // What only matters when words arrive waits in u_jobs.
  logic unused_ask_fields;
  assign unused_ask_fields = ^ask_job_q;

  assign weight_set_o  = set_q;
  assign weight_addr_o = row_base_q + BW'(word_q - 16'(RECORD_WORDS));
  assign weight_data_o = data_i;

`ifndef SYNTHESIS
  logic decided_q, turn_known_q;
  always_ff @(posedge clk_i) begin
    decided_q    <= !(take && last_word) && decides;
    turn_known_q <= turn_known;
  end
  ready_in_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   data_ready_o == (busy_q && known_q && (begun_q || sets_used_q != 2'd2) &&
                                    !(last_word && !decided_q) &&
                                    !(band_q && end_q && !turn_known_q)))
  else $error("a word is taken too early, or waits");
  single_band :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   loads && !job_q.skips && band_q |->
                   band_single_q == (band_run_q.first == band_run_q.last))
  else $error("a band of one word is not told");
  one_job_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   start |-> !ask_q && !product_valid_q && !address_valid_q &&
                             (all_start_i || (!busy_q && !waits && !joins_q)))
  else $error("a job before the end of the last one");
  a_job_has_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) joins_q |-> jobs_room)
  else $error("a job is lost");
  groups_as_in_rounds :
  assert property (@(posedge clk_i) disable iff (!rst_ni || clear_q)
                   take && last_word && last_row_q && job_q.joins |->
                   another_fits_q == (left_q != 1 && another_fits(
    channels_t'(position_q) + 1'b1,
    job_q.channels,
    group_base_q,
    16'(row_base_q) + job_q.whole_last,
    17'(BankWords)
  )))
  else $error("a set takes other groups than acs_rounds counts on");
  runs_of_one_job :
  assert property (@(posedge clk_i) disable iff (!rst_ni) runs_start |-> !skips_there_q)
  else $error("runs of a job whose words arrive are lost");
`endif

endmodule

`default_nettype wire
