// Walks CONV, ELTWISE, POOL, GAVG and SCALE: channel lists, chunks, rounds, and inside a round the
// active input channels and taps.  One iteration a cycle; its sums leave with the round's last one.
`default_nettype none

module acs_array_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,       // a run begins or ends
  input  wire logic         start_i,
  input  wire instruction_t op_i,
  input  wire logic [1:0][10:0] channels_i, // inputs, outputs of a CONV, over all groups
  output      logic         quiet_o,       // one cycle: starts no more loads of listed rows
  output      logic         done_o,        // one cycle
  output      logic         bad_table_o,   // with done_o: an entry was too large
  output      logic         stall_o,       // the array waits for memory
  // Counters, one cycle each.
  output      logic         iteration_done_o,
  output      logic         group_done_o,
  output      logic         table_done_o,
  // Table words.
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  // Channels.
  output      logic         table_write_o,
  output      logic         table_list_o,   // 0 inputs, 1 outputs
  output      logic [9:0]   table_addr_o,
  output      logic [9:0]   table_data_o,
  output      logic [1:0]   scan_o,         // of inputs, of outputs
  output      logic [10:0]  in_first_o,
  output      logic [10:0]  in_count_o,
  output      logic [10:0]  out_first_o,
  input  wire logic [1:0]   scan_busy_i,
  input  wire logic [1:0][10:0] active_i,   // channels in the lists by now
  input  wire logic [1:0][10:0] masked_i,
  output      logic [1:0]   listed_o,       // a mask decides
  output      logic [1:0][10:0] active_o,   // of the group
  output      logic [1:0][10:0] masked_o,
  output      logic [9:0]   in_addr_o,
  input  wire logic [9:0]   in_channel_i,
  input  wire logic [9:0]   in_index_i,
  output      logic [9:0]   flag_addr_o,
  input  wire logic [1:0]   flag_i,
  // Masked channels of exact zeros are cleared meanwhile.
  output      logic         clear_start_o,
  output      logic [15:0]  clear_blocks_o,
  input  wire logic         clear_busy_i,
  // Weights of listed rows.
  output      logic         load_o,
  output      logic         load_masked_o,
  output      logic         load_listed_o,  // the list is complete
  output      logic [10:0]  load_rows_o,    // in the list by now
  input  wire logic [1:0][7:0] rows_i,      // rows there, by set
  input  wire logic         early_set_i,    // words of weights that those of the first round hold
  input  wire logic [15:0]  early_words_i,
  input  wire logic         chunk_done_i,
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
  input  wire logic         release_i,     // the sums of a round have left
  input  wire logic         post_idle_i,
  input  wire logic         totals_done_i, // those of GAVG are in the vector memory
  input  wire logic         rows_known_i   // how many words of a row are read
);
  localparam logic [10:0] Groups = 11'(LaneGroups);

  typedef enum logic [4:0] {
    StIdle, StTable, StScan, StScanWait, StPass, StRounds, StGroupEnd,
    StMapChannel, StMapFactor, StMapRun, StTotals, StDrain
  } state_e;

  // What a pass over a group's outputs works on.
  typedef enum logic [1:0] {PassConstant, PassActive, PassRecords, PassEnd} pass_e;

  state_e      state_q;
  pass_e       pass_q;
  logic [10:0] group_q;
  logic [10:0] in_first_q, out_first_q;
  logic [10:0] all_inputs, all_outputs;
  logic [11:0] all_entries;
  // Table.
  logic [11:0] entry_q;
  logic        bad_q;
  logic [63:0] word_q;
  logic        word_valid_q;
  logic [15:0] entry;
  logic        entry_step;
  // Rounds.
  logic [10:0] rows_left_q;      // of the pass, this chunk included
  logic [10:0] chunk_first_q;
  logic [10:0] chunk_count, chunk_size;
  logic        set_q;
  logic [1:0]  open_chunks_q;    // whose last round was issued, and whose records are in use
  logic        weights_there, early_there, input_there;
  logic [15:0] weight_q;         // of a row, which the iteration takes
  logic [10:0] block_q, position_q;
  group_count_t bank_q;
  logic [15:0] row_base_q;
  logic [10:0] blocks;
  logic [10:0] left, count_a, free, count_b;
  logic        more_blocks, chunk_ends;
  // Iterations.
  logic [10:0] input_q;
  logic [2:0]  ky_q, kx_q;
  logic [5:0]  tap_q;
  logic        empty, last_tap, last_input, last;
  logic        is_map, is_conv, is_gavg, takes_max, channel_active;
  group_count_t in_flight_q, most_in_flight;
  logic        room;
  logic        issued;
  // Map operations.
  logic [10:0] channel_q;
  logic        active_q;
  group_t      lane_q;           // lane group of the item
  logic [7:0]  factor_q;
  logic [10:0] inner_q;
  logic        inner_last;
  logic        clears;           // masked channels
  logic [10:0] half_plane;
  // Passes and groups.
  logic [10:0] pass_rows;
  logic        begin_pass, records_needed, pass_ends, next_group, last_group, listed, listed_there;
  logic        quiet_q;          // quiet_o has been given
  logic        drained;

  assign is_conv = op_i.opcode == OP_CONV;
  assign is_gavg = op_i.opcode == OP_GAVG;
  assign is_map  = state_q == StMapRun || state_q == StTotals;
  assign all_inputs  = channels_i[0];
  assign all_outputs = channels_i[1];
  assign all_entries = 12'(all_inputs) + 12'(all_outputs);
  assign blocks = is_gavg ? plane_blocks(op_i.src_height, op_i.row_log2)
                          : plane_blocks(op_i.dst_height, op_i.row_log2);

  // Table: four entries a word, one written a cycle.
  assign entry         = word_q[16*entry_q[1:0]+:16];
  assign entry_step    = state_q == StTable && word_valid_q && entry_q != all_entries;
  assign data_ready_o  = state_q == StTable && (!word_valid_q || (entry_step && &entry_q[1:0]));
  assign table_write_o = entry_step;
  assign table_list_o  = entry_q >= 12'(all_inputs);
  assign table_addr_o  = table_list_o ? 10'(entry_q - 12'(all_inputs)) : entry_q[9:0];
  assign table_data_o  = entry[9:0];

  // Lists, where masks decide; otherwise the order itself serves.
  assign listed_o[0]  = op_i.mask_in != 8'(MASK_NONE);
  assign listed_o[1]  = op_i.mask_out != 8'(MASK_NONE) && masks_result(op_i);
  assign listed       = listed_o != 2'b00;
  // A convolution may walk the list of inputs while it grows.
  assign listed_there = !scan_busy_i[1] && (is_conv || !scan_busy_i[0]);
  assign scan_o       = state_q == StScan ? listed_o : 2'b00;
  assign in_first_o   = in_first_q;
  assign out_first_o  = out_first_q;
  assign in_count_o   = is_conv ? op_i.channels_in : op_i.channels;
  assign active_o[0]  = listed_o[0] ? active_i[0] : in_count_o;
  assign active_o[1]  = listed_o[1] ? active_i[1] : op_i.channels;
  assign masked_o[0]  = listed_o[0] ? masked_i[0] : '0;
  assign masked_o[1]  = listed_o[1] ? masked_i[1] : '0;

  // Chunks and rounds.
  assign chunk_size  = pass_q == PassConstant ? rows_left_q : 11'(op_i.chunk);
  assign chunk_count = rows_left_q < chunk_size ? rows_left_q : chunk_size;
  assign left        = chunk_count - position_q;
  assign count_a     = left < Groups ? left : Groups;
  assign free        = Groups - count_a;
  assign more_blocks = block_q + 11'd1 < blocks;
  assign count_b     = !more_blocks ? '0 : free < chunk_count ? free : chunk_count;
  assign chunk_ends  = left == count_a &&
                       (!more_blocks || (count_b == chunk_count && block_q + 11'd2 >= blocks));

  // Rows of this round are there; in a constant pass none are needed.  No third chunk begins while
  // the records of the first are in use.
  assign weights_there = pass_q == PassConstant ||
                         (open_chunks_q != 2'd2 && (11'(rows_i[set_q]) >= position_q + count_a ||
                                                    early_there));
  // All inputs are walked in the order of the weights: the first round can follow their arrival.  Not
  // with a second block, whose weights are read through the port that loads the set.
  assign early_there   = pass_q == PassActive && !listed_o[0] && position_q == 0 &&
                         count_b == 0 && early_set_i == set_q && early_words_i > 16'(weight_q[15:3]);
  // The list of inputs may still grow: the last one is known when it is complete.
  assign input_there   = !listed_o[0] || !scan_busy_i[0] || input_q + 11'd1 < active_i[0];
  assign stall_o = (state_q == StRounds && !weights_there) ||
                   (state_q == StTable && !data_valid_i && !word_valid_q);

  // Iterations.
  assign empty      = pass_q != PassActive || active_o[0] == 0;
  assign last_tap   = kx_q == 3'(op_i.kernel - 4'd1) && ky_q == kx_q;
  assign last_input = input_q == active_o[0] - 11'd1;
  assign in_addr_o  = 10'(listed_o[0] ? input_q : in_first_q + input_q);
  // Rounds whose sums are on their way or in their lane groups' shadow registers: a round of a CONV
  // takes all lane groups, an item of a map one.  Maxima are taken by the first group alone.
  assign takes_max      = op_i.opcode == OP_POOL && op_i.pool_max;
  assign most_in_flight = is_conv || takes_max ? 5'd1 : group_count_t'(LaneGroups);
  assign room           = in_flight_q < most_in_flight ||
                          (in_flight_q == most_in_flight && release_i);

  always_comb begin
    unique case (op_i.opcode)
      OP_POOL:  inner_last = last_tap;
      OP_GAVG:  inner_last = {inner_q, 1'b0} + 12'd2 >= 12'(blocks);
      OP_SCALE: inner_last = inner_q == 11'd1;
      default:  inner_last = 1'b1;
    endcase
    if (!(is_gavg ? channel_active : active_q)) inner_last = 1'b1;
  end
  assign channel_active = (flag_i | ~listed_o) == 2'b11;

  assign last    = is_map ? inner_last : empty || (last_tap && last_input);
  assign valid_o = ((state_q == StRounds && weights_there && input_there) || is_map) &&
                   (!last || room || is_gavg);
  assign issued  = valid_o && ready_i;

  always_comb begin
    iteration_o          = '0;
    iteration_o.last     = last;
    iteration_o.ky       = ky_q;
    iteration_o.kx       = kx_q;
    iteration_o.tap      = tap_q;
    iteration_o.block    = block_q;
    if (is_map) begin
      iteration_o.first   = inner_q == 0;
      iteration_o.zero    = !(is_gavg ? channel_active : active_q);
      iteration_o.total   = is_gavg;
      iteration_o.channel = channel_q[9:0];
      iteration_o.only    = 1'b1;
      iteration_o.group   = lane_q;
      iteration_o.count_a = 5'd1;
      iteration_o.weight  = 9'sd1;
      if (op_i.opcode == OP_SCALE) begin
        // A factor is two weights of at most 128, so that products keep to 16 bits.
        iteration_o.weight = signed'({2'b0, factor_q[7:1]});
        if (inner_q != 0) iteration_o.weight = signed'({2'b0, factor_q[7:1]} + 9'(factor_q[0]));
      end
      if (is_gavg) begin
        // Two blocks at once; beyond the plane are zeros.
        iteration_o.block = {inner_q[9:0], 1'b0};
        iteration_o.use_b = 1'b1;
      end
    end else begin
      iteration_o.first    = (input_q == 0 && tap_q == 0) || empty;
      iteration_o.zero     = empty;
      iteration_o.use_b    = count_b != 0 && !empty;
      iteration_o.channel  = in_channel_i;
      iteration_o.column   = listed_o[0] ? in_index_i : input_q[9:0];
      iteration_o.count_a  = count_a[4:0];
      iteration_o.bank     = bank_q;
      iteration_o.row_base = row_base_q;
      iteration_o.bank_set      = set_q;
    end
  end

  assign round_valid_o = issued && last && !is_gavg;
  always_comb begin
    round_o = '0;
    if (is_map) begin
      round_o.count_a    = 5'd1;
      round_o.count      = 5'd1;
      round_o.group      = lane_q;
      round_o.block      = block_q;
      round_o.list_first = channel_q[9:0];
    end else begin
      round_o.count_a    = count_a[4:0];
      round_o.count      = group_count_t'(count_a + count_b);
      round_o.block      = block_q;
      round_o.first      = position_q[9:0];
      round_o.list_first = 10'(listed_o[1] ? chunk_first_q : out_first_q + chunk_first_q);
      round_o.masked     = pass_q != PassActive;
      round_o.bank_set        = set_q;
      round_o.chunk_end  = chunk_ends && pass_q != PassConstant;
    end
  end

  assign iteration_done_o = issued && !is_map && !empty;
  assign group_done_o     = state_q == StGroupEnd || next_group;
  assign flag_addr_o      = channel_q[9:0];
  assign factor_addr_o    = op_i.vec_src + 16'(channel_q[10:3]);
  assign table_done_o     = state_q == StTable && entry_q == all_entries && !bad_q;

  // Masked channels that hold zeros, whatever their record says.
  assign clears         = op_i.masked_zero && !op_i.res_enable;
  assign half_plane     = plane_blocks(phase_size(op_i.dst_height, 1'b0),
                                       phase_row_log2(op_i.row_log2));
  assign clear_blocks_o = op_i.dst_split ? {3'b0, half_plane, 2'b0} : 16'(blocks);
  assign clear_start_o  = state_q == StScanWait && listed_there && is_conv && clears;

  // A pass begins: what it works on.
  assign records_needed = !op_i.masked_zero;
  always_comb begin
    unique case (pass_q)
      PassConstant: pass_rows = records_needed || clears ? '0 : masked_o[1];
      PassActive:   pass_rows = active_o[1];
      PassRecords:  pass_rows = records_needed ? masked_o[1] : '0;
      default:      pass_rows = '0;
    endcase
  end
  assign begin_pass    = state_q == StPass && pass_q != PassEnd && pass_rows != 0;
  // Rows of active channels load while they are listed; all rows of an instruction without output
  // mask were asked for ahead.
  assign load_o        = (scan_o[1] && is_conv) ||
                         (begin_pass && pass_q == PassRecords && post_idle_i);
  assign load_masked_o = state_q == StPass;
  assign load_listed_o = !scan_busy_i[1];
  assign load_rows_o   = pass_q == PassRecords ? masked_i[1] : active_i[1];
  assign last_group    = group_q == op_i.groups - 11'd1;
  assign pass_ends     = state_q == StRounds && issued && last && chunk_ends &&
                         rows_left_q == chunk_count;
  // Without lists nothing keeps the next group from following at once.  Records of masked channels
  // may be done before it is known how many words the rows would have had.
  assign next_group    = pass_ends && (last_group || !listed) && pass_q != PassConstant &&
                         rows_known_i &&
                         !(pass_q == PassActive && records_needed && masked_o[1] != 0);

  // Writes that the feature memory has accepted come before all reads that follow.
  assign drained     = state_q == StDrain && post_idle_i && in_flight_q == 0 && totals_done_i &&
                       scan_busy_i == 2'b00 && !clear_busy_i;
  assign bad_table_o = state_q == StTable && entry_q == all_entries && bad_q;
  assign done_o      = drained || bad_table_o;

  always_ff @(posedge clk_i) begin
    quiet_o <= 1'b0;
    if (!rst_ni || clear_i) begin
      state_q       <= StIdle;
      pass_q        <= PassConstant;
      group_q       <= '0;
      in_first_q    <= '0;
      out_first_q   <= '0;
      entry_q       <= '0;
      bad_q         <= 1'b0;
      word_q        <= '0;
      word_valid_q  <= 1'b0;
      rows_left_q   <= '0;
      chunk_first_q <= '0;
      set_q         <= 1'b0;
      open_chunks_q <= '0;
      quiet_q       <= 1'b0;
      block_q       <= '0;
      position_q    <= '0;
      bank_q        <= '0;
      row_base_q    <= '0;
      input_q       <= '0;
      ky_q          <= '0;
      kx_q          <= '0;
      tap_q         <= '0;
      in_flight_q   <= '0;
      channel_q     <= '0;
      active_q      <= 1'b0;
      lane_q        <= '0;
      factor_q      <= '0;
      inner_q       <= '0;
      weight_q      <= '0;
    end else begin
      in_flight_q <= in_flight_q + group_count_t'(round_valid_o) - group_count_t'(release_i);
      open_chunks_q <= open_chunks_q + 2'(round_valid_o && round_o.chunk_end) - 2'(chunk_done_i);

      if (issued) begin
        // Taps, then input channels.
        kx_q  <= kx_q + 3'd1;
        tap_q <= tap_q + 6'd1;
        if (kx_q == 3'(op_i.kernel - 4'd1)) begin
          kx_q <= '0;
          ky_q <= ky_q + 3'd1;
        end
        if (last_tap) begin
          ky_q    <= '0;
          tap_q   <= '0;
          input_q <= input_q + 11'd1;
        end
        inner_q  <= inner_q + 11'd1;
        weight_q <= weight_q + 16'd1;
        if (last) begin
          weight_q <= '0;
          kx_q    <= '0;
          ky_q    <= '0;
          tap_q   <= '0;
          input_q <= '0;
          inner_q <= '0;
        end
      end

      unique case (state_q)
        StIdle: begin
          if (start_i) begin
            group_q      <= '0;
            in_first_q   <= '0;
            out_first_q  <= '0;
            entry_q      <= '0;
            bad_q        <= 1'b0;
            word_valid_q <= 1'b0;
            channel_q    <= '0;
            lane_q       <= '0;
            block_q      <= '0;
            kx_q         <= '0;
            ky_q         <= '0;
            tap_q        <= '0;
            input_q      <= '0;
            inner_q      <= '0;
            weight_q     <= '0;
            quiet_q      <= 1'b0;
            // Without lists there is nothing to wait for.
            pass_q        <= PassActive;
            rows_left_q   <= op_i.channels;
            chunk_first_q <= '0;
            position_q    <= '0;
            bank_q        <= '0;
            row_base_q    <= '0;
            state_q       <= is_conv && op_i.has_table ? StTable :
                             listed ? StScan :
                             is_conv ? StRounds : is_gavg ? StTotals : StMapChannel;
          end
        end
        StTable: begin
          if (entry_step) begin
            entry_q <= entry_q + 12'd1;
            if (&entry_q[1:0]) word_valid_q <= 1'b0;
            if (entry >= (entry_q < 12'(all_inputs) ? 16'(all_inputs) : 16'(all_outputs))) begin
              bad_q <= 1'b1;
            end
          end
          if (data_ready_o && data_valid_i) begin
            word_q       <= data_i;
            word_valid_q <= 1'b1;
          end
          if (entry_q == all_entries) begin
            state_q <= StScan;
            if (bad_q) state_q <= StIdle;
          end
        end
        StScan: begin
          block_q <= '0;
          pass_q  <= listed_o[1] ? PassConstant : PassActive;
          if (is_conv && listed_o[1] && last_group && op_i.masked_zero) begin
            quiet_o <= 1'b1;
            quiet_q <= 1'b1;
          end
          // Without lists only a CONV with a table comes here.
          state_q <= listed_o[1] || !is_conv ? StScanWait : StPass;
        end
        StScanWait: begin
          if (listed_there) state_q <= is_conv ? StPass : is_gavg ? StTotals : StMapChannel;
        end
        StPass: begin
          rows_left_q   <= pass_rows;
          chunk_first_q <= '0;
          block_q       <= '0;
          position_q    <= '0;
          bank_q        <= '0;
          row_base_q    <= '0;
          if (pass_q == PassEnd) begin
            // The lists are free when the last item is known.
            if (post_idle_i && in_flight_q == 0 && scan_busy_i == 2'b00 && rows_known_i &&
                !clear_busy_i) begin
              state_q <= StGroupEnd;
            end
          end else if (pass_rows == 0) begin
            pass_q <= pass_e'(pass_q + 2'd1);
          end else if (pass_q != PassRecords || post_idle_i) begin
            state_q <= StRounds;
          end
        end
        StRounds: begin
          if (issued && last) begin
            if (count_a < left) begin
              position_q <= position_q + count_a;
              row_base_q <= row_base_q + op_i.row_words - 16'(RECORD_WORDS);
            end else begin
              row_base_q <= '0;
              if (count_b == chunk_count) begin
                block_q    <= block_q + 11'd2;
                position_q <= '0;
                bank_q     <= '0;
              end else begin
                block_q    <= block_q + 11'd1;
                position_q <= count_b;
                bank_q     <= count_b[4:0];
              end
            end
            if (chunk_ends) begin
              block_q       <= '0;
              position_q    <= '0;
              bank_q        <= '0;
              row_base_q    <= '0;
              if (pass_q != PassConstant) set_q <= !set_q;
              rows_left_q   <= rows_left_q - chunk_count;
              chunk_first_q <= chunk_first_q + chunk_count;
              if (pass_ends) begin
                pass_q  <= pass_e'(pass_q + 2'd1);
                state_q <= StPass;
              end
              if (next_group) begin
                pass_q        <= PassActive;
                rows_left_q   <= op_i.channels;
                chunk_first_q <= '0;
                group_q       <= group_q + 11'd1;
                in_first_q    <= in_first_q + op_i.channels_in;
                out_first_q   <= out_first_q + op_i.channels;
                          state_q       <= last_group ? StDrain : StRounds;
              end
            end
          end
        end
        StGroupEnd: begin
          group_q     <= group_q + 11'd1;
          in_first_q  <= in_first_q + op_i.channels_in;
          out_first_q <= out_first_q + op_i.channels;
          state_q     <= last_group ? StDrain : StScan;
        end
        StMapChannel: begin
          block_q  <= '0;
          active_q <= channel_active;
          state_q  <= channel_q == op_i.channels ? StDrain : StMapFactor;
        end
        StMapFactor: begin
          factor_q <= factor_word_i[8*channel_q[2:0]+:8];
          state_q  <= StMapRun;
        end
        StMapRun: begin
          if (issued && last) begin
            block_q <= block_q + 11'd1;
            if (!takes_max) lane_q <= lane_q == group_t'(LaneGroups - 1) ? '0 : lane_q + 4'd1;
            if (block_q == blocks - 11'd1) begin
              channel_q <= channel_q + 11'd1;
              state_q   <= StMapChannel;
            end
          end
        end
        // Sums of pixels leave the array by themselves, at their own pace.
        StTotals: begin
          if (issued && last) begin
            channel_q <= channel_q + 11'd1;
            if (channel_q == op_i.channels - 11'd1) state_q <= StDrain;
          end
        end
        StDrain: begin
          if (drained) begin
            quiet_o <= is_conv && listed_o[1] && !quiet_q;
            state_q <= StIdle;
          end
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  logic unused;
  assign unused = ^{op_i, half_plane, iteration_o};

endmodule

`default_nettype wire
