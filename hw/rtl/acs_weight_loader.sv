// Streams the weight rows of a convolution, chunk by chunk, into the set of weight banks and
// channel records that does not compute.  Requests run ahead of the data, and both run ahead of the
// array, into the first chunk of the next instruction.
//
// A job is one of: all rows of all groups, in order; the rows of a group's active channels, whose
// list may still grow; the records of its masked channels.  Where a mask turns inputs off,
// acs_weight_runs tells which words of a row are needed, and the loader leaves the others out.
// Of groups that no mask cuts, a set takes as many as fit, one behind the other, each of them from
// the first bank on.
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
  input  wire channels_t    all_rows_i,   // over all groups
  // or those rows of the instruction that runs which are in a list.
  input  wire logic         list_start_i,
  input  wire row_list_t    list_i,
  output      logic         busy_o,
  output      logic         asks_o,       // rows of the job are still to be asked for
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
  localparam int unsigned BW = $clog2(BankWords);
  localparam int unsigned JoinedRows = 32;  // of small groups, asked for at once

  // The job.
  logic start, listed, masked;
  instruction_t job;
  assign start  = all_start_i || list_start_i;
  assign job    = all_start_i ? all_op_i : op_i;
  assign listed = !all_start_i;
  assign masked = listed && list_i.masked;

  logic runs_busy;
  logic busy_q, listed_q, masked_q;
  logic [31:0] weight_addr_q;
  logic [15:0] row_words_q;  // in memory
  logic [15:0] whole_last_q;  // last word of a row, as far as it is read
  logic skips_q;  // words of rows; then runs must be known first
  logic joins_q;  // a chunk takes several groups
  channels_t channels_q, all_rows_q;  // of a group, or of two that are taken at a time; of all
  logic [7:0] chunk_q;
  logic [7:0] ask_rows_q;  // asked for at once, at most
  logic [7:0] band_rows_q;  // read side by side, at most
  // Rows of a group, as far as known; as numbers of rows and of the last one.
  channels_t rows, rows_q, last_row_number_q;
  logic rows_known, rows_known_q;
  assign rows       = listed_q ? list_i.rows : channels_q;
  assign rows_known = !listed_q || list_i.complete;
  // A job with no rows may be over before its runs are found.
  assign busy_o     = busy_q || runs_busy;
  // What is known of an earlier list does not hold for the next one.
  always_ff @(posedge clk_i) begin
    rows_q            <= rows;
    last_row_number_q <= rows - 1'b1;
    rows_known_q      <= rows_known && !start;
  end

  // Runs of wanted words in every row.
  logic runs_there, ask_there_q, next_there, runs_start;
  logic [6:0] run_count;
  logic [5:0] ask_run_q, next_run_q;
  run_t listed_ask, listed_run;
  logic op_skips_q, all_skips_q, all_joins_q, all_pairs_q, counted, counts_taken_q;
  logic [15:0] counted_words;
  // Both instructions are there a cycle before their job.  Words are skipped only where there is
  // one group, so that the count of its words is done with a cycle later.
  always_ff @(posedge clk_i) begin
    op_skips_q     <= skips_words(op_i);
    all_skips_q    <= skips_words(all_op_i);
    all_joins_q    <= joins_groups(all_op_i);
    all_pairs_q    <= pairs_groups(all_op_i, LaneGroups);
    counts_taken_q <= group_done_i && op_skips_q;
  end
  assign row_read_valid_o = !op_skips_q || counted;
  assign row_read_o       = op_skips_q ? counted_words : op_i.row_words;
  assign runs_start       = all_start_i ? all_skips_q
                                        : list_start_i && op_skips_q && !list_i.masked;
  // A run is complete when the next one has begun.  The last one of a row is when all are.
  assign next_there = runs_there || 7'(next_run_q) + 7'd1 < run_count;
  always_ff @(posedge clk_i) ask_there_q <= runs_there || 7'(ask_run_q) + 7'd1 < run_count;
  acs_weight_runs u_runs (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i     (runs_start),
    .op_i        (job),
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

  // The band of rows that are read side by side takes turns, so many words of each row.
  function automatic run_t band(input logic [15:0] first, input logic [15:0] row_words);
    logic [15:0] words;
    words = row_words - first;
    return
    '{first: first, last: first + (words < 16'(BandWords) ? words : 16'(BandWords)) - 16'd1}
    ;
  endfunction
  function automatic logic band_ends(input logic [15:0] first, input logic [15:0] row_words);
    return row_words - first <= 16'(BandWords);
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
  assign run_rows   = rows_left < channels_t'(ask_rows_q) ? rows_left[7:0] : ask_rows_q;
  assign row_addr_o = masked_q ? ~listed_t'(asked_q) : listed_t'(asked_q);
  always_ff @(posedge clk_i) begin
    run_q        <= skips_q ? listed_ask : ask_band_q ? band(ask_first_q, row_words_q)
                                                      : '{first: '0, last: whole_last_q};
    final_run_q  <= skips_q ? runs_there && 7'(ask_run_q) == run_count - 7'd1
                            : !ask_band_q || band_ends(ask_first_q, row_words_q);
    more_q       <= listed_q ? asked_q < rows : rows_left != 0;
    all_q        <= rows_known_q && asked_q == rows_q;
    turns_q      <= asked_q == channels_t'(band_rows_q) - 1'b1 ||
                    (rows_known_q && asked_q == last_row_number_q);
    run_rows_q   <= run_rows;
  end

  logic product_valid_q, address_valid_q, asks_q;
  logic product_moves, address_moves;
  channels_t product_rows;
  logic [15:0] product_first_q, product_words_q;
  logic product_final_q;
  logic [27:0] product_q;  // words of the rows, or of those before the one from a list
  logic [31:0] product_base_q, address_q, run_addr_q;
  logic [23:0] request_words_q;
  assign product_rows  = listed_q ? channels_t'(row_index_i) : channels_t'(run_rows_q);
  assign address_moves = !address_valid_q || req_ready_i;
  assign product_moves = !product_valid_q || address_moves;
  assign pick          = busy_q && fresh_q && more_q && (!skips_q || ask_there_q) && product_moves;
  // That a row was the last one in the list may be known only later.
  assign band_turns    = busy_q && fresh_q && ask_band_q && ((pick && turns_q) || all_q);
  // How many rows a list will have is known late.
  always_ff @(posedge clk_i) begin
    asks_q <= busy_q && (listed_q || asked_q != all_rows_q || product_valid_q || address_valid_q);
  end
  assign asks_o        = asks_q;
  assign req_valid_o   = address_valid_q;
  assign req_o         = '{
    address: params_i + {29'b0, address_q, 3'b0},
    words: 32'(request_words_q)
  };
  always_ff @(posedge clk_i) begin
    if (product_moves) begin
      product_q       <= 28'(product_rows) * 28'(row_words_q);
      product_base_q  <= weight_addr_q + 32'(run_q.first);
      product_first_q <= run_q.first;
      product_words_q <= run_q.last - run_q.first + 16'd1;
      product_final_q <= final_run_q;
    end
    if (address_moves) begin
      address_q       <= (listed_q ? product_base_q : run_addr_q) +
                         (listed_q ? 32'(product_q) : 32'(product_first_q));
      request_words_q <= listed_q || skips_q ? 24'(product_words_q) : product_q[23:0];
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
  logic band_final_q;
  logic [15:0] first_q;  // word of the rows where the band's turn begins
  channels_t loaded_q;  // rows of the group
  channels_t left_q;  // rows of all groups
  logic [7:0] position_q;  // in the chunk, of the row that arrives
  logic [3:0] bank_q;
  logic [BW-1:0] row_base_q;
  logic [15:0] group_base_q, next_base_q;  // where the group begins, and where another one would
  logic another_fits_q;
  logic set_q, free_set_q;
  logic begun_q;  // a chunk is partly there
  logic [1:0] sets_used_q;  // by chunks that began to arrive and are not given back
  logic [63:0] head_q;
  logic take, last_word, loads, from_list;
  record_t record;
  // What follows a row is worked out while its words arrive, what follows a turn before the next.
  logic last_row_q, last_of_all_q, decided_q, chunk_full_q, chunk_complete;
  logic band_turns_q, turn_known_q;
  always_ff @(posedge clk_i) begin
    last_row_q   <= (rows_known_q && loaded_q == last_row_number_q) || (!listed_q && left_q == 1);
    decided_q    <= rows_known_q || (rows_q != 0 && last_row_number_q > loaded_q);
    last_of_all_q <= left_q == 1;
    chunk_full_q <= !joins_q && position_q == chunk_q - 8'd1;
    // Three cycles, of the three words at least that a row has.
    next_base_q    <= 16'(row_base_q) + row_words_q - 16'(RECORD_WORDS);
    another_fits_q <= joins_q && left_q != 1 &&
                      another_fits(channels_t'(position_q) + 1'b1, channels_q, group_base_q,
                                   next_base_q, 17'(BankWords));
    band_turns_q <= position_q == band_rows_q - 8'd1 ||
                    (rows_known_q && channels_t'(position_q) == last_row_number_q);
    turn_known_q <= position_q == band_rows_q - 8'd1 || rows_known_q ||
                    (rows_q != 0 && last_row_number_q > channels_t'(position_q));
    band_run_q   <= band(first_q, row_words_q);
    band_final_q <= band_ends(first_q, row_words_q);
  end

  assign last_word      = end_q && final_q;
  // A chunk begins when a set is free for it.  When a row is complete, the loader must know whether
  // it is the last one.
  assign data_ready_o   = busy_q && known_q && (begun_q || sets_used_q != 2'd2) &&
                          !(last_word && !decided_q) && !(band_q && end_q && !turn_known_q);
  assign take           = data_valid_i && data_ready_o;
  assign chunk_complete = chunk_full_q || (last_row_q && !another_fits_q);
  assign from_list      = skips_q && next_valid_q;
  // The run changes: at once where the next one is known.
  assign loads          = busy_q && !known_q && !settles_q && (!skips_q || next_valid_q);

  always_ff @(posedge clk_i) begin
    if (take && !end_q) begin
      word_q <= word_q + 16'd1;
      end_q  <= word_q + 16'd1 == last_q;
    end
    if (take && end_q && !skips_q) begin
      word_q <= '0;  // of the next whole row, which has more than one
      end_q  <= 1'b0;
    end
    if (loads && !skips_q) begin
      word_q  <= band_q ? band_run_q.first : '0;
      last_q  <= band_q ? band_run_q.last : whole_last_q;
      end_q   <= band_q && band_run_q.first == band_run_q.last;
      final_q <= !band_q || band_final_q;
    end
    if (from_list && (loads || (take && end_q))) begin
      word_q  <= next_q.first;
      last_q  <= next_q.last;
      end_q   <= next_q.first == next_q.last;
      final_q <= next_final_q;
    end
    if (!next_valid_q) begin
      next_q       <= listed_run;
      next_final_q <= runs_there && 7'(next_run_q) == run_count - 7'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      busy_q           <= 1'b0;
      listed_q         <= 1'b0;
      masked_q         <= 1'b0;
      weight_addr_q    <= '0;
      row_words_q      <= '0;
      whole_last_q     <= '0;
      joins_q          <= 1'b0;
      channels_q       <= '0;
      all_rows_q       <= '0;
      chunk_q          <= '0;
      ask_rows_q       <= '0;
      band_rows_q      <= '0;
      asked_q          <= '0;
      fresh_q          <= 1'b0;
      product_valid_q  <= 1'b0;
      address_valid_q  <= 1'b0;
      run_addr_q       <= '0;
      loaded_q         <= '0;
      left_q           <= '0;
      position_q       <= '0;
      bank_q           <= '0;
      row_base_q       <= '0;
      group_base_q     <= '0;
      skips_q          <= 1'b0;
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
      fresh_q         <= busy_q && !pick && !band_turns;
      product_valid_q <= pick || !product_moves;
      address_valid_q <= address_moves ? product_valid_q : address_valid_q;
      if (address_moves && product_valid_q && product_final_q) begin
        run_addr_q <= run_addr_q + 32'(product_q);
      end
      if (pick) begin
        ask_run_q <= final_run_q ? '0 : ask_run_q + 6'd1;
        if (listed_q) begin
          if (final_run_q || ask_band_q) asked_q <= asked_q + 1'b1;
        end else if (final_run_q) begin
          asked_q <= asked_q + channels_t'(run_rows_q);
        end
      end
      if (band_turns) begin
        ask_first_q <= run_q.last + 16'd1;
        if (final_run_q) ask_band_q <= 1'b0;
        else asked_q <= '0;
      end

      // The next run of a list, and the one that arrives.
      if (!next_valid_q && busy_q && skips_q && next_there) begin
        next_valid_q <= 1'b1;
        next_run_q   <= runs_there && 7'(next_run_q) == run_count - 7'd1 ? '0 : next_run_q + 6'd1;
      end
      settles_q <= 1'b0;
      if (loads) known_q <= 1'b1;
      if (take && end_q) begin
        if (skips_q) known_q <= next_valid_q;
        // The band's next run, and whether it turns there, are worked out first.
        if (band_q) known_q <= 1'b0;
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
            early_o.words <= final_q ? '0 : word_q - 16'(RECORD_WORDS - 1);
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
            if (listed_q || last_of_all_q) busy_q <= 1'b0;
          end
        end
      end
      // An empty list has no words that the job could wait for.
      if (busy_q && listed_q && rows_known_q && rows_q == 0) busy_q <= 1'b0;
      if (chunk_done_i) begin
        rows_o[free_set_q] <= '0;
        complete_o[free_set_q] <= 1'b0;
        free_set_q         <= !free_set_q;
      end
      if (start) begin
        busy_q          <= 1'b1;
        listed_q        <= listed;
        masked_q        <= masked;
        skips_q         <= runs_start;
        weight_addr_q   <= job.weight_addr;
        run_addr_q      <= job.weight_addr;
        row_words_q     <= job.row_words;
        whole_last_q    <= masked ? 16'(RECORD_WORDS - 1) : job.row_words - 16'd1;
        joins_q         <= all_start_i && all_joins_q;
        channels_q      <= all_start_i && all_pairs_q ? job.channels << 1 : job.channels;
        all_rows_q      <= all_rows_i;
        chunk_q         <= job.chunk;
        ask_rows_q      <= runs_start ? 8'd1 : all_joins_q && job.chunk < 8'(JoinedRows)
                                             ? 8'(JoinedRows) : job.chunk;
        band_rows_q     <= job.chunk < 8'(LaneGroups) ? job.chunk : 8'(LaneGroups);
        asked_q         <= '0;
        ask_run_q       <= '0;
        next_run_q      <= '0;
        next_valid_q    <= 1'b0;
        known_q         <= 1'b0;
        settles_q       <= 1'b1;
        loaded_q        <= '0;
        ask_band_q      <= listed && !masked && !runs_start;
        band_q          <= listed && !masked && !runs_start;
        ask_first_q     <= '0;
        first_q         <= '0;
        early_o.words   <= '0;
        left_q          <= all_rows_i;
      end
    end
  end

  always_ff @(posedge clk_i) if (take && word_q == 0) head_q <= data_i;

  assign record         = decode_record({data_i, head_q});
  assign record_write_o = take && word_q == 16'(RECORD_WORDS - 1);
  assign record_addr_o  = {set_q, position_q[6:0]};
  assign record_o       = '{
    bias: masked_q ? record.masked_bias : record.bias,
    mult: record.mult,
    shift: bounded_shift(record.shift)
  };

  always_comb begin
    for (int bank = 0; bank < LaneGroups; bank++) begin
      weight_write_o[bank] = bank_q == 4'(bank) && take && word_q >= 16'(RECORD_WORDS);
    end
  end
  assign weight_set_o  = set_q;
  assign weight_addr_o = row_base_q + BW'(word_q - 16'(RECORD_WORDS));
  assign weight_data_o = data_i;

`ifndef SYNTHESIS
  one_job_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   start |-> !busy_q && !product_valid_q && !address_valid_q)
  else $error("a job before the end of the last one");
`endif

endmodule

`default_nettype wire
