// Rounds of ELTWISE, POOL, GAVG and SCALE, which work on a map channel by channel: a round is one
// block of a channel, and the lane groups take rounds in turn.  GAVG has no rounds: it adds up the
// blocks of a channel, and its totals leave the array by themselves.
`default_nettype none

module acs_map_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,        // a run begins or ends
  input  wire logic         leave_i,        // the next instruction is taken
  input  wire logic         start_i,
  input  wire instruction_t op_i,
  input  wire kind_t        kind_i,
  input  wire logic         settled_i,      // nothing is under way behind the array
  output      logic         drains_o,       // all iterations were issued
  output      logic         done_o,         // one cycle
  // Lists of channels.
  output      logic         scan_o,
  input  wire sides_t       scan_busy_i,
  output      listed_t      flag_addr_o,
  input  wire sides_t       flag_i,         // the channel is active; a cycle later
  // Factors of SCALE.
  output      logic [15:0]  factor_addr_o,
  input  wire logic [63:0]  factor_word_i,
  // Iterations, and the rounds that they belong to.
  output      logic         valid_o,
  input  wire logic         issued_i,
  input  wire logic [15:0]  step_i,         // iterations of the round that were issued
  input  wire logic         last_tap_i,
  output      iteration_t   iteration_o,    // except its tap
  output      round_t       round_o
);
  typedef enum logic [2:0] {
    StIdle,
    StScan,
    StScanWait,
    StChannel,
    StFactor,
    StRun,
    StTotals,
    StDrain
  } state_e;

  state_e state_q;
  channels_t channel_q, next_q;  // one more
  logic [10:0] block_q;
  logic active_q;  // the channel is
  group_t lane_q;  // lane group of the item
  logic [7:0] factor_q;
  logic is_gavg, is_pool_q, is_scale_q, takes_max, channel_active, last, ends;
  logic [10:0] blocks_q, last_block_q, last_pair_q;
  logic ends_channel_q;  // the next iteration takes the last blocks of its channel

  assign is_gavg   = kind_i.gavg;
  assign takes_max = kind_i.maximum;

  assign scan_o         = state_q == StScan;
  // GAVG takes a channel after the other: whether the next one is active is looked up meanwhile.
  always_comb begin
    flag_addr_o = listed_t'(channel_q);
    if (is_gavg && state_q == StFactor) flag_addr_o = listed_t'(next_q);
    if (state_q == StTotals) flag_addr_o = ends ? listed_t'(next_q + 1'b1) : listed_t'(next_q);
  end
  assign factor_addr_o  = op_i.vec_src + 16'(channel_q[$bits(channel_q)-1:3]);
  assign channel_active = (flag_i | ~kind_i.listed) == 2'b11;

  always_comb begin
    if (is_pool_q) last = last_tap_i;
    else if (is_gavg) last = ends_channel_q;
    else last = !is_scale_q || step_i[0];
    if (!active_q) last = 1'b1;
  end

  assign valid_o = state_q == StRun || state_q == StTotals;
  assign ends    = issued_i && last;
  assign drains_o = state_q == StDrain;
  assign done_o   = state_q == StDrain && settled_i;

  always_comb begin
    iteration_o         = '0;
    iteration_o.last    = last;
    iteration_o.block   = block_q;
    iteration_o.zero    = !active_q;
    iteration_o.total   = is_gavg;
    iteration_o.channel = channel_t'(channel_q);
    iteration_o.b_channel = channel_t'(channel_q);
    iteration_o.only    = 1'b1;
    iteration_o.group   = lane_q;
    iteration_o.count_a = 5'd1;
    iteration_o.weight  = 9'sd1;
    if (is_scale_q) begin
      // A factor is two weights of at most 128, so that products keep to 16 bits.
      iteration_o.weight = signed'({2'b0, factor_q[7:1]});
      if (step_i != 0) iteration_o.weight = signed'({2'b0, factor_q[7:1]} + 9'(factor_q[0]));
    end
    if (is_gavg) begin
      // Two blocks at once; beyond the plane are zeros.
      iteration_o.block = {step_i[9:0], 1'b0};
      iteration_o.use_b = 1'b1;
    end
  end

  always_comb begin
    round_o            = '0;
    round_o.count_a    = 5'd1;
    round_o.count      = 5'd1;
    round_o.group      = lane_q;
    round_o.block      = block_q;
    round_o.list_first = channel_t'(channel_q);
  end

  // The instruction is there three cycles before its first iteration.
  always_ff @(posedge clk_i) begin
    is_pool_q    <= op_i.opcode == OP_POOL;
    is_scale_q   <= op_i.opcode == OP_SCALE;
    blocks_q     <= plane_blocks(is_gavg ? op_i.src_height : op_i.dst_height, op_i.row_log2);
    last_block_q <= blocks_q - 11'd1;
    last_pair_q  <= ((blocks_q + 11'd1) >> 1) - 11'd1;
    ends_channel_q <= step_i[10:0] == last_pair_q;
    if (issued_i) ends_channel_q <= step_i[10:0] + 11'd1 == last_pair_q;
    if (ends) ends_channel_q <= last_pair_q == 0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      state_q   <= StIdle;
      channel_q <= '0;
      next_q    <= channels_t'(1);
      block_q   <= '0;
      active_q  <= 1'b0;
      lane_q    <= '0;
      factor_q  <= '0;
    end else begin
      unique case (state_q)
        StIdle: begin
          if (start_i) begin
            channel_q <= '0;
            next_q    <= channels_t'(1);
            block_q   <= '0;
            lane_q    <= '0;
            active_q  <= 1'b1;
            // Without lists there is nothing to wait for.
            state_q   <= kind_i.listed != '0 ? StScan : StChannel;
          end
        end
        StScan: state_q <= StScanWait;
        StScanWait: if (scan_busy_i == '0) state_q <= StChannel;
        StChannel: begin
          block_q  <= '0;
          state_q  <= channel_q == op_i.channels ? StDrain : StFactor;
        end
        StFactor: begin
          active_q <= channel_active;
          factor_q <= factor_word_i[8*channel_q[2:0]+:8];
          state_q  <= is_gavg ? StTotals : StRun;
        end
        StRun: begin
          if (ends) begin
            block_q <= block_q + 11'd1;
            // Only the first lane group takes maxima.
            if (!takes_max) lane_q <= lane_q == group_t'(LaneGroups - 1) ? '0 : lane_q + 4'd1;
            if (block_q == last_block_q) begin
              channel_q <= next_q;
              next_q    <= next_q + 1'b1;
              state_q   <= StChannel;
            end
          end
        end
        StTotals: begin
          if (ends) begin
            channel_q <= next_q;
            next_q    <= next_q + 1'b1;
            active_q  <= channel_active;
            if (next_q == op_i.channels) state_q <= StDrain;
          end
        end
        StDrain: if (settled_i || leave_i) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
    end
  end

  logic unused_fields;
  assign unused_fields = ^{op_i, kind_i};

endmodule

`default_nettype wire
