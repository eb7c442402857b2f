// The rounds of a CONV's pass, one after the other: chunks of rows, blocks of the plane two at a
// time, and as many rows of a block as there are lane groups.  A chunk may take several groups:
// then each of them is dealt as a chunk of its own would be, behind the rows of those before it.
// Where there is one block, two small groups may share a round.
//
// A round takes three cycles to work out and waits in a register, while the array computes the one
// before.  Requantization takes longer for every round, so nothing waits for this module but the
// first round of a pass.
`default_nettype none

module acs_rounds
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned BankWords  = 1024
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,    // a run begins or ends
  input  wire instruction_t op_i,       // stable from start_i on
  // A pass.
  input  wire logic         start_i,
  input  wire channels_t    rows_i,     // at least one; of a list that grows, by now
  input  wire logic         complete_i, // it does not grow any more
  input  wire logic         whole_i,    // in a single chunk
  input  wire channels_t    times_i,    // the same again for so many groups, without lists
  // The next round.
  output      logic         valid_o,
  output      plan_t        plan_o,
  output      source_rows_t next_rows_o,  // of the round behind it, if that is known
  input  wire logic         take_i
);
  localparam channels_t Groups = channels_t'(LaneGroups);

  typedef enum logic [1:0] {
    StIdle,
    StPlace,  // what is left of the chunk and of the plane
    StCount,  // items of both blocks
    StOffer
  } state_e;

  state_e state_q;
  logic whole_q;
  logic joins_q;  // it takes several
  logic pairs_q, paired_q;  // two at a time; there are two
  channels_t rows_q, times_q;
  channels_t rows_left_q;  // of the pass, this chunk included, as far as known
  channels_t used_q;  // rows of the chunks before it
  logic grows_q, known_q, placed_q;  // it may be more; all that a round must know is known
  channels_t chunk_first_q, chunk_count_q;
  logic [10:0] block_q;
  channels_t position_q;
  group_count_t bank_q;
  logic [15:0] row_base_q, row_words_q;
  channels_t restart_q;  // of a group in the chunk: its first row,
  logic [15:0] first_base_q, next_base_q;  // where its banks begin, and where they end
  logic [10:0] blocks, blocks_q;
  // StPlace.
  channels_t chunk_size, chunk_count, left;
  channels_t left_q;  // rows of the chunk for this block
  logic more_q, third_q;  // blocks follow: one, a second one
  // StCount.
  logic fits, covers;
  channels_t free;
  channels_t count_a_q, count_b_q;
  logic fits_q, covers_q;  // the first block ends here; so does the second
  channels_t need_q, taken, taken_q;  // rows of this group, or of both
  logic another_fits_q;
  // Rows of the source: before those of the first block, for one block and for two of them beyond
  // that, and up to the last one that the round reads.
  logic [2:0] rows_log2_q;  // of the source's rows for those of a block
  source_rows_t reach_q, reach_one_q, reach_two_q, block_rows_q, reads_q;
  // StOffer.
  logic offers, part_ends, chunk_ends, pass_ends, last_time;

  assign blocks      = plane_blocks(op_i.dst_height, op_i.row_log2);
  assign chunk_size  = whole_q ? rows_left_q : channels_t'(op_i.chunk);
  assign chunk_count = rows_left_q < chunk_size ? rows_left_q : chunk_size;
  assign left        = chunk_count - position_q;

  assign fits   = left_q <= Groups;
  assign free   = fits ? Groups - left_q : '0;
  assign covers = more_q && free >= chunk_count_q;

  assign taken  = paired_q ? chunk_count_q << 1 : chunk_count_q;

  assign next_rows_o = reads_q;
  assign offers     = state_q == StOffer && (!valid_o || take_i);
  assign part_ends  = fits_q && (!more_q || (covers_q && !third_q));
  assign pass_ends  = part_ends && rows_left_q == chunk_count_q;
  assign last_time  = times_q == 1 || (pairs_q && times_q == 2);
  assign chunk_ends = part_ends && (last_time || !another_fits_q);

  always_ff @(posedge clk_i) begin
    blocks_q    <= blocks;
    row_words_q <= op_i.row_words - 16'(record_words(op_i));
    joins_q     <= joins_groups(op_i);
    pairs_q     <= pairs_groups(op_i, LaneGroups);
    rows_log2_q <= 3'd3 - 3'(op_i.row_log2) + 3'(op_i.stride == 2'd2);
    reach_q     <= source_rows_t'(op_i.kernel) - source_rows_t'(op_i.pad) -
                   source_rows_t'(op_i.stride);
    reach_one_q <= reach_q + (source_rows_t'(1) << rows_log2_q);
    reach_two_q <= reach_q + (source_rows_t'(2) << rows_log2_q);

    if (state_q == StPlace) begin
      block_rows_q <= source_rows_t'(block_q << rows_log2_q);
      chunk_count_q <= chunk_count;
      left_q  <= left;
      more_q  <= block_q + 11'd1 < blocks_q;
      third_q <= block_q + 11'd2 < blocks_q;
      paired_q <= pairs_q && times_q != 1;
      // The last round that begins with the first block knows where the rows end.
      if (block_q == 0) next_base_q <= row_base_q + row_words_q;
    end
    if (state_q == StCount) begin
      count_a_q <= fits ? left_q : Groups;
      count_b_q <= paired_q || covers ? chunk_count_q : more_q ? free : '0;
      fits_q    <= fits;
      covers_q  <= covers;
      reads_q   <= block_rows_q + (more_q && free != 0 ? reach_two_q : reach_one_q);
      need_q    <= restart_q + position_q + (paired_q ? taken : fits ? left_q : Groups);
      taken_q   <= taken;
      another_fits_q <= joins_q && another_fits(
        restart_q + taken, taken, first_base_q, next_base_q, 17'(BankWords)
      );
    end
    if (offers) begin
      plan_o <= '{
        count_a: count_a_q[4:0],
        count: group_count_t'(count_a_q + count_b_q),
        use_b: count_b_q != 0,
        paired: paired_q,
        block: block_q,
        position: restart_q + position_q,
        restart: paired_q ? restart_q + chunk_count_q : restart_q,
        need: need_q,
        chunk_first: chunk_first_q,
        bank: bank_q,
        row_base: row_base_q,
        first_base: first_base_q,
        first: position_q == 0 && restart_q == 0,
        chunk_ends: chunk_ends,
        pass_ends: pass_ends,
        rows: reads_q
      };
    end

    // Of a list that grows, a round of the first block that leaves rows to the next one is known,
    // and so is all of a chunk that leaves rows to the next chunk.  That stays true.
    known_q  <= left > Groups || rows_left_q > chunk_size;
    placed_q <= state_q == StPlace;

    if (offers) begin
      if (!fits_q) begin
        position_q <= position_q + count_a_q;
        row_base_q <= row_base_q + row_words_q;
      end else begin
        row_base_q <= first_base_q;
        block_q    <= covers_q ? block_q + 11'd2 : block_q + 11'd1;
        position_q <= covers_q ? '0 : count_b_q;
        bank_q     <= covers_q ? '0 : count_b_q[4:0];
      end
      if (part_ends) begin
        block_q      <= '0;
        position_q   <= '0;
        bank_q       <= '0;
        rows_left_q  <= rows_left_q - chunk_count_q;
        used_q       <= used_q + chunk_count_q;
        restart_q    <= restart_q + taken_q;
        row_base_q   <= next_base_q;
        first_base_q <= next_base_q;
      end
      if (pass_ends) begin
        rows_left_q <= rows_q;
        used_q      <= '0;
        times_q     <= times_q - (paired_q ? channels_t'(2) : channels_t'(1));
      end
      if (chunk_ends) begin
        restart_q     <= '0;
        row_base_q    <= '0;
        first_base_q  <= '0;
        chunk_first_q <= chunk_first_q + restart_q + taken_q;
      end
    end
    // Where a chunk ends, its rows are known, and do not count among those before it yet.
    if (grows_q && !(state_q == StOffer && part_ends)) begin
      grows_q     <= !complete_i;
      rows_left_q <= rows_i - used_q;
    end
    // What a pass begins with is there already when it starts.
    if (state_q == StIdle) begin
      whole_q       <= whole_i;
      grows_q       <= !complete_i;
      used_q        <= '0;
      rows_q        <= rows_i;
      rows_left_q   <= rows_i;
      times_q       <= times_i;
      chunk_first_q <= '0;
      block_q       <= '0;
      position_q    <= '0;
      bank_q        <= '0;
      row_base_q    <= '0;
      restart_q     <= '0;
      first_base_q  <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      state_q <= StIdle;
      valid_o <= 1'b0;
    end else begin
      valid_o <= offers || (valid_o && !take_i);
      unique case (state_q)
        StPlace: if (!grows_q || (placed_q && known_q)) state_q <= StCount;
        StCount: state_q <= StOffer;
        StOffer: if (offers) state_q <= pass_ends && last_time ? StIdle : StPlace;
        default: ;
      endcase
      if (start_i) state_q <= StPlace;
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  one_pass_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   start_i |-> state_q == StIdle && (!valid_o || take_i))
  else $error("a pass before the rounds of the last one were taken");
  taken_when_there :
  assert property (@(posedge clk_i) disable iff (!rst_ni) take_i |-> valid_o)
  else $error("a round taken before it was there");
`endif

endmodule

`default_nettype wire
