// Streams the weight rows of a convolution, chunk by chunk, into the set of weight banks and
// channel records that does not compute.  Requests run ahead of the data, and both run ahead of the
// array, into the first chunk of the next instruction.
//
// A job is one of: all rows of all groups, in order; the rows of a group's active channels, whose
// list may still grow; the records of its masked channels.  Where a mask turns inputs off,
// acs_weight_runs tells which words of a row are needed, and the loader leaves the others out.
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
  // or those rows of the instruction that runs which are in a list.
  input  wire logic         list_start_i,
  input  wire logic         list_masked_i,// of the masked channels, and only their records
  input  wire logic [10:0]  list_rows_i,  // rows in the list by now
  input  wire logic         list_done_i,  // all of them
  output      logic         busy_o,
  // Masks, 64 bits a word.
  input  wire mask_write_t  mask_write_i,
  // Words read of every row of the instruction that runs; known late where some are skipped.
  output      logic         row_read_valid_o,
  output      logic [15:0]  row_read_o,
  input  wire logic         group_done_i, // all rows of a group were used
  // Sets of banks, used in turn.
  input  wire logic         chunk_done_i, // the older one is free again
  output      logic [1:0][7:0] rows_o,    // rows that each holds
  output      logic         early_set_o,  // words of weights that the first rows of this set hold,
  output      logic [15:0]  early_words_o,// as many as a round takes, before they are complete
  // List of channels.
  output      logic [9:0]   row_addr_o,
  input  wire logic [9:0]   row_index_i,
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

  // The job.
  logic start, listed, masked;
  instruction_t job;
  assign start  = all_start_i || list_start_i;
  assign job    = all_start_i ? all_op_i : op_i;
  assign listed = !all_start_i;
  assign masked = listed && list_masked_i;

  logic runs_busy;
  logic busy_q, listed_q, masked_q;
  logic [31:0] weight_addr_q;
  logic [15:0] row_words_q;  // in memory
  logic skips_q;  // words of rows; then runs must be known first
  logic [10:0] channels_q, groups_q;
  logic [7:0] chunk_q;
  logic [10:0] rows;  // of a group, as far as known
  logic rows_known;
  assign rows       = listed_q ? list_rows_i : channels_q;
  assign rows_known = !listed_q || list_done_i;
  // A job with no rows may be over before its runs are found.
  assign busy_o     = busy_q || runs_busy;

  // Runs of wanted words in every row.
  logic runs_there, runs_start;
  logic [6:0] run_count;
  logic [5:0] ask_run_q, run_q;
  run_t ask_run, run, whole_row, listed_ask, listed_run, band_ask, band_run;
  logic last_ask, last_run;
  // Rows of the group that were asked for; the place in the chunk of the one that arrives.
  logic [10:0] asked_q;
  logic [7:0] position_q;
  // The band of rows that are read side by side.
  logic ask_band_q, band_q;
  logic [15:0] ask_first_q, first_q;  // word of the rows where the band's turn begins
  logic skips, counted;
  logic [15:0] counted_words;
  assign skips            = skips_words(op_i);
  assign row_read_valid_o = !skips || counted;
  assign row_read_o       = skips ? counted_words : op_i.row_words;
  assign runs_start       = start && skips_words(job) && !masked;
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
    .b_run_i     (run_q),
    .b_run_o     (listed_run),
    .words_valid_o(counted),
    .words_o     (counted_words),
    .words_take_i(group_done_i && skips)
  );
  assign whole_row = '{first: '0, last: masked_q ? 16'(RECORD_WORDS - 1) : row_words_q - 16'd1};
  assign ask_run   = skips_q ? listed_ask : ask_band_q ? band_ask : whole_row;
  assign run       = skips_q ? listed_run : band_q ? band_run : whole_row;
  assign last_ask  = skips_q ? 7'(ask_run_q) == run_count - 7'd1 :
                     !ask_band_q || ask_run.last == row_words_q - 16'd1;
  assign last_run  = skips_q ? 7'(run_q) == run_count - 7'd1 :
                     !band_q || run.last == row_words_q - 16'd1;

  // The band: how far a turn goes, and which row ends it.
  logic [7:0] band_rows;  // at most
  logic ask_turns, turns, turn_known;
  assign band_rows = chunk_q < 8'(LaneGroups) ? chunk_q : 8'(LaneGroups);
  function automatic run_t band(input logic [15:0] first, input logic [15:0] row_words);
    logic [15:0] words;
    words = row_words - first;
    return
    '{first: first, last: first + (words < 16'(BandWords) ? words : 16'(BandWords)) - 16'd1}
    ;
  endfunction
  assign band_ask   = band(ask_first_q, row_words_q);
  assign band_run   = band(first_q, row_words_q);
  assign ask_turns  = asked_q == 11'(band_rows) - 11'd1 || (rows_known && asked_q == rows - 11'd1);
  assign turns      = position_q == band_rows - 8'd1 ||
                      (rows_known && 11'(position_q) == rows - 11'd1);
  assign turn_known = turns || rows_known || rows > 11'(position_q) + 11'd1;

  // Requests: a run each where words are skipped, a row each from a list, a chunk each otherwise.
  logic [10:0] asked_groups_q;
  logic address_valid_q;
  logic [31:0] address_q, run_addr_q;
  logic [23:0] request_words_q;
  logic ask;
  logic [10:0] rows_left;
  logic [7:0] run_rows;  // rows asked for together
  logic [25:0] rows_words;  // of them, or of the rows before one from a list
  assign rows_left   = channels_q - asked_q;
  assign run_rows    = skips_q ? 8'd1 : rows_left < 11'(chunk_q) ? rows_left[7:0] : chunk_q;
  assign rows_words  = (listed_q ? 26'(row_index_i) : 26'(run_rows)) * 26'(row_words_q);
  assign row_addr_o  = masked_q ? ~asked_q[9:0] : asked_q[9:0];
  assign ask         = busy_q && (!skips_q || runs_there) && (!address_valid_q || req_ready_i) &&
                       (listed_q ? asked_q < rows : asked_groups_q != groups_q);
  assign req_valid_o = address_valid_q;
  assign req_o       = '{
    address: params_i + {29'b0, address_q, 3'b0},
    words: 32'(request_words_q)
  };

  // Data.
  logic [10:0] loaded_q;  // rows of the group
  logic [10:0] loaded_groups_q;
  logic [3:0] bank_q;
  logic [BW-1:0] row_base_q;
  logic [15:0] offset_q;  // in the run
  logic [15:0] word;  // in the row
  logic set_q, free_set_q;
  logic begun_q;  // a chunk is partly there
  logic [1:0] sets_used_q;  // by chunks that began to arrive and are not given back
  logic [63:0] head_q;
  logic take, last_word, last_row, chunk_complete;
  record_t record;

  assign word           = run.first + offset_q;
  assign last_word      = word == run.last && last_run;
  assign last_row       = loaded_q == rows - 11'd1;
  // A chunk begins when a set is free for it.  When a row is complete, the loader must know whether
  // it is the last one.
  assign data_ready_o   = busy_q && (begun_q || sets_used_q != 2'd2) &&
                          !(last_word && last_row && !rows_known) &&
                       !(band_q && word == run.last && !turn_known);
  assign take           = data_valid_i && data_ready_o;
  assign chunk_complete = position_q == chunk_q - 8'd1 || last_row;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      busy_q           <= 1'b0;
      listed_q         <= 1'b0;
      masked_q         <= 1'b0;
      weight_addr_q    <= '0;
      row_words_q      <= '0;
      channels_q       <= '0;
      groups_q         <= '0;
      chunk_q          <= '0;
      asked_q          <= '0;
      asked_groups_q   <= '0;
      address_valid_q  <= 1'b0;
      address_q        <= '0;
      run_addr_q       <= '0;
      request_words_q  <= '0;
      loaded_q         <= '0;
      loaded_groups_q  <= '0;
      position_q       <= '0;
      bank_q           <= '0;
      row_base_q       <= '0;
      offset_q         <= '0;
      skips_q          <= 1'b0;
      ask_run_q        <= '0;
      run_q            <= '0;
      set_q            <= 1'b0;
      free_set_q       <= 1'b0;
      sets_used_q      <= '0;
      begun_q          <= 1'b0;
      rows_o           <= '0;
      ask_band_q       <= 1'b0;
      band_q           <= 1'b0;
      ask_first_q      <= '0;
      first_q          <= '0;
      early_set_o      <= 1'b0;
      early_words_o    <= '0;
    end else begin
      sets_used_q <= sets_used_q + 2'(take && !begun_q) - 2'(chunk_done_i);
      if (req_ready_i) address_valid_q <= 1'b0;
      if (ask) begin
        address_valid_q <= 1'b1;
        ask_run_q       <= last_ask ? '0 : ask_run_q + 6'd1;
        request_words_q <= 24'(ask_run.last) - 24'(ask_run.first) + 24'd1;
        if (listed_q) begin
          address_q <= weight_addr_q + 32'(rows_words) + 32'(ask_run.first);
          if (last_ask || ask_band_q) asked_q <= asked_q + 11'd1;
        end else begin
          address_q <= run_addr_q + 32'(ask_run.first);
          if (!skips_q) request_words_q <= rows_words[23:0];
          if (last_ask) begin
            run_addr_q <= run_addr_q + 32'(rows_words);
            asked_q    <= asked_q + 11'(run_rows);
            if (rows_left == 11'(run_rows)) begin
              asked_q        <= '0;
              asked_groups_q <= asked_groups_q + 11'd1;
            end
          end
        end
      end
      // The band takes turns.  That a row was the last one in the list may be known only later.
      if (ask_band_q && ((ask && ask_turns) || (rows_known && asked_q == rows))) begin
        ask_first_q <= ask_run.last + 16'd1;
        if (last_ask) ask_band_q <= 1'b0;
        else asked_q <= '0;
      end
      if (take) begin
        begun_q <= !(last_word && chunk_complete);
        offset_q <= offset_q + 16'd1;
        if (word == run.last) begin
          run_q    <= run_q + 6'd1;
          offset_q <= '0;
          if (band_q) begin
            position_q <= turns ? '0 : position_q + 8'd1;
            bank_q     <= turns ? '0 : bank_q + 4'd1;
            if (turns) begin
              first_q       <= run.last + 16'd1;
              early_set_o   <= set_q;
              early_words_o <= last_run ? '0 : run.last - 16'(RECORD_WORDS - 1);
              if (last_run) band_q <= 1'b0;
            end
          end
        end
        if (last_word) begin
          run_q         <= '0;
          offset_q      <= '0;
          loaded_q      <= loaded_q + 11'd1;
          position_q    <= position_q + 8'd1;
          rows_o[set_q] <= position_q + 8'd1;
          bank_q        <= bank_q + 4'd1;
          if (bank_q == 4'(LaneGroups - 1)) begin
            bank_q     <= '0;
            row_base_q <= row_base_q + BW'(row_words_q - 16'(RECORD_WORDS));
          end
          if (chunk_complete) begin
            position_q <= '0;
            bank_q     <= '0;
            row_base_q <= '0;
            set_q      <= !set_q;
          end
          if (last_row) begin
            loaded_q        <= '0;
            loaded_groups_q <= loaded_groups_q + 11'd1;
            if (listed_q || loaded_groups_q == groups_q - 11'd1) busy_q <= 1'b0;
          end
        end
      end
      // An empty list has no words that the job could wait for.
      if (busy_q && listed_q && list_done_i && list_rows_i == 0) busy_q <= 1'b0;
      if (chunk_done_i) begin
        rows_o[free_set_q] <= '0;
        free_set_q         <= !free_set_q;
      end
      if (start) begin
        busy_q           <= 1'b1;
        listed_q         <= listed;
        masked_q         <= masked;
        skips_q          <= runs_start;
        weight_addr_q    <= job.weight_addr;
        run_addr_q       <= job.weight_addr;
        row_words_q      <= job.row_words;
        channels_q       <= job.channels;
        groups_q         <= job.groups;
        chunk_q          <= job.chunk;
        asked_q          <= '0;
        asked_groups_q   <= '0;
        loaded_q         <= '0;
        ask_band_q       <= listed && !masked && !runs_start;
        band_q           <= listed && !masked && !runs_start;
        ask_first_q      <= '0;
        first_q          <= '0;
        early_words_o    <= '0;
        loaded_groups_q  <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) if (take && word == 0) head_q <= data_i;

  assign record         = decode_record({data_i, head_q});
  assign record_write_o = take && word == 16'(RECORD_WORDS - 1);
  assign record_addr_o  = {set_q, position_q[6:0]};
  assign record_o       = '{
    bias: masked_q ? record.masked_bias : record.bias,
    mult: record.mult,
    shift: bounded_shift(record.shift)
  };

  always_comb begin
    for (int bank = 0; bank < LaneGroups; bank++) begin
      weight_write_o[bank] = bank_q == 4'(bank) && take && word >= 16'(RECORD_WORDS);
    end
  end
  assign weight_set_o  = set_q;
  assign weight_addr_o = row_base_q + BW'(word - 16'(RECORD_WORDS));
  assign weight_data_o = data_i;

`ifndef SYNTHESIS
  one_job_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start |-> !busy_q)
  else $error("a job before the end of the last one");
`endif

endmodule

`default_nettype wire
