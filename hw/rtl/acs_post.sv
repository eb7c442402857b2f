// From sums to stored pixels: the sums of a round rest in shadow registers while the array goes on;
// item by item they meet bias, residual and multiplier, PostLanes pixels a cycle, and leave as a
// block.  An item that has begun never stops.
`default_nettype none

module acs_post
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned PostLanes  = 16
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  // Rounds and, by lane group, their sums.
  input  wire logic         round_valid_i,
  input  wire round_t       round_i,
  input  wire logic [LaneGroups-1:0]  sums_valid_i,
  input  wire sums_t [LaneGroups-1:0] sums_i,
  output      logic         release_o,      // the next round for these lane groups may be issued
  output      logic         chunk_done_o,   // records and list of the chunk are no longer needed
  output      logic         idle_o,
  // Constants of channels.
  input  wire logic         record_write_i,
  input  wire logic [7:0]   record_addr_i,
  input  wire constants_t   record_i,
  // List of channels.
  output      logic         out_looks_o,
  output      channel_t     out_addr_o,
  input  wire channel_t     out_channel_i,
  // Residual blocks.
  output      logic         read_valid_o,
  input  wire logic         read_ready_i,
  output      logic [15:0]  read_addr_o,
  input  wire logic         read_data_valid_i,
  input  wire segments_t    read_data_i,
  // Results: a block every 64 / PostLanes cycles at most.
  output      logic         block_valid_o,
  input  wire logic         block_ready_i,
  output      result_block_t block_o
);
  localparam int unsigned Slices = LANES / PostLanes;
  localparam int unsigned SW = $clog2(Slices);
  localparam int unsigned GW = LaneGroups > 1 ? $clog2(LaneGroups) : 1;
  localparam int unsigned Depth = 6;  // from a slice of sums to its pixels

  if (PostLanes != 4 && PostLanes != 8 && PostLanes != 16) begin : gen_bad_post
    $error("PostLanes must be 4, 8 or 16");
  end

  // The instruction is there some cycles before its first sums.
  logic is_conv_q, is_max_q;
  always_ff @(posedge clk_i) begin
    is_conv_q <= op_i.opcode == OP_CONV;
    is_max_q  <= op_i.opcode == OP_POOL && op_i.pool_max;
  end

  logic items_idle, item_valid, rest_valid, runs, ends;
  item_t item;
  segments_t residual;

  acs_items u_items (
    .clk_i,
    .rst_ni,
    .op_i,
    .round_valid_i,
    .round_i,
    .chunk_done_o,
    .idle_o        (items_idle),
    .record_write_i,
    .record_addr_i,
    .record_i,
    .out_looks_o,
    .out_addr_o,
    .out_channel_i,
    .read_valid_o,
    .read_ready_i,
    .read_addr_o,
    .read_data_valid_i,
    .read_data_i,
    .item_valid_o  (item_valid),
    .rest_valid_o  (rest_valid),
    .item_next_i   (ends),
    .item_o        (item),
    .residual_o    (residual)
  );

  // Slicer.  A lane group's flag says that sums wait in its shadow registers.
  sums_t [LaneGroups-1:0] shadow_q;
  logic [LaneGroups-1:0] full_q, empties;
  logic [MAX_LANE_GROUPS-1:0] full;
  logic [SW-1:0] slice_q;

  assign full = MAX_LANE_GROUPS'(full_q);
  assign runs = item_valid && full[item.group];
  assign ends = runs && slice_q == SW'(Slices - 1);

  for (genvar group = 0; group < LaneGroups; group++) begin : gen_shadow
    // A round of a CONV leaves all lane groups at once, those without an item too.
    assign empties[group] = ends && (is_conv_q ? item.left == 0 : item.group == group_t'(group));
    always_ff @(posedge clk_i) begin
      if (sums_valid_i[group]) shadow_q[group] <= sums_i[group];
      if (!rst_ni) full_q[group] <= 1'b0;
      else full_q[group] <= sums_valid_i[group] || (full_q[group] && !empties[group]);
    end
  end

  // Sums of the next round may replace these in the very cycle of the last slice.  The round may
  // be issued that much earlier, as soon as nothing that this one lacks can delay it.  That is seen
  // a cycle ahead: the item at hand runs in the next cycle where its sums are here or just arrive.
  logic released_q, releases, arrives;
  logic [MAX_LANE_GROUPS-1:0] arriving;
  logic [8:0] remaining;
  assign arriving  = MAX_LANE_GROUPS'(sums_valid_i);
  assign arrives   = !full[item.group] && arriving[item.group];
  assign remaining = 9'({item.left, ~slice_q});
  assign releases  = item_valid && !released_q && rest_valid &&
                     ((full[item.group] && remaining <= 9'(SUMS_DELAY) + 9'd1) ||
                      (arrives && remaining <= 9'(SUMS_DELAY)));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      slice_q    <= '0;
      released_q <= 1'b0;
      release_o  <= 1'b0;
    end else begin
      if (runs) slice_q <= slice_q + 1'b1;
      released_q <= (released_q || releases) && !(ends && item.left == 0);
      release_o  <= releases;
    end
  end

  // The first stage picks the slice, then the group.
  logic signed [PostLanes-1:0][31:0] slice_sums_q;
  logic [PostLanes-1:0][7:0] slice_residual_q;
  constants_t constants_q;
  logic [LaneGroups-1:0][PostLanes-1:0][31:0] group_slice;
  logic [Slices-1:0][PostLanes-1:0][7:0] residual_slices;
  assign residual_slices = residual;
  for (genvar group = 0; group < LaneGroups; group++) begin : gen_slice
    logic [Slices-1:0][PostLanes-1:0][31:0] slices;
    assign slices             = shadow_q[group];
    assign group_slice[group] = slices[slice_q];
  end
  always_ff @(posedge clk_i) begin
    constants_q      <= item.constants;
    slice_residual_q <= residual_slices[slice_q];
    slice_sums_q     <= group_slice[item.group[GW-1:0]];
  end

  // Requantization.
  logic [15:0] res_mult;
  logic [PostLanes-1:0][7:0] narrow, results;
  logic [Depth-1:1][PostLanes-1:0][7:0] raw_q;  // a maximum is stored as it is
  logic [Depth-1:0] valid_q, end_q;
  logic [Depth-1:0][SW-1:0] at_q;
  logic [Depth-1:0][15:0] base_q;
  logic [Depth-1:0][10:0] number_q;

  assign res_mult = op_i.res_enable ? op_i.res_mult : '0;

  for (genvar i = 0; i < PostLanes; i++) begin : gen_lane
    logic signed [31:0] unused_wide;
    acs_requantize u_requantize (
      .clk_i,
      .sum_i     (slice_sums_q[i]),
      .bias_i    (constants_q.bias),
      .mult_i    (constants_q.mult),
      .shift_i   (constants_q.shift),
      .residual_i(signed'({op_i.res_signed & slice_residual_q[i][7], slice_residual_q[i]})),
      .res_mult_i(res_mult),
      .signed_i  (op_i.dst_signed),
      .wide_o    (unused_wide),
      .narrow_o  (narrow[i])
    );
    assign results[i] = is_max_q ? raw_q[Depth-1][i] : narrow[i];
  end

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < PostLanes; i++) raw_q[1][i] <= slice_sums_q[i][7:0];
    for (int i = 2; i < Depth; i++) raw_q[i] <= raw_q[i-1];
    at_q     <= {at_q[Depth-2:0], slice_q};
    base_q   <= {base_q[Depth-2:0], item.base};
    number_q <= {number_q[Depth-2:0], item.number};
    valid_q  <= rst_ni ? {valid_q[Depth-2:0], runs} : '0;
    end_q    <= rst_ni ? {end_q[Depth-2:0], ends} : '0;
  end

  // Slices become a block.
  logic [Slices-2:0][PostLanes-1:0][7:0] block_q;
  always_ff @(posedge clk_i) begin
    if (valid_q[Depth-1] && !end_q[Depth-1]) block_q[at_q[Depth-1]] <= results;
  end

  assign block_valid_o = end_q[Depth-1];
  assign block_o       = '{
      base: base_q[Depth-1],
      number: number_q[Depth-1],
      data: {results, block_q}
    };

  assign idle_o = items_idle && valid_q == 0;

`ifndef SYNTHESIS
  for (genvar group = 0; group < LaneGroups; group++) begin : gen_check
    sums_kept :
    assert property (@(posedge clk_i) disable iff (!rst_ni)
                     sums_valid_i[group] |-> !full_q[group] || empties[group])
    else $error("sums overwritten");
  end
  items_never_pause :
  assert property (@(posedge clk_i) disable iff (!rst_ni) slice_q != 0 || released_q |-> runs)
  else $error("a pause where none was expected");
  block_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) block_valid_o |-> block_ready_i)
  else $error("a block without a place");
`endif

endmodule

`default_nettype wire
