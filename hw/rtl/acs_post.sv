// From sums to stored pixels: the sums of a round rest in shadow registers while the array goes on;
// item by item they meet bias, residual and multiplier, PostLanes pixels a cycle, and leave as a
// block.  An item that has begun never stops.
`default_nettype none

module acs_post
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned PostLanes  = 16,
  parameter int unsigned SumBits    = 32   // of a lane's sum
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  // Rounds and, by lane group, their sums.
  input  wire logic         round_valid_i,
  input  wire round_t       round_i,
  input  wire logic [LaneGroups-1:0]  sums_valid_i,
  input  wire logic [LaneGroups-1:0][SUMS_COPIES-1:0] sums_there_i,  // copies of it
  input  wire sums_t [LaneGroups-1:0] sums_i,
  input  wire pixels_t                maxima_i,  // with those of the first lane group
  output      logic         release_o,      // the next round for these lane groups may be issued
  output      logic         chunk_done_o,   // records and list of the chunk are no longer needed
  output      logic         idle_o,         // and all blocks are written
  output      logic         last_round_o,   // slices of the last known round are on their way
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
  localparam int unsigned Depth = 6;  // from a slice of sums to its pixels

  if (PostLanes != 4 && PostLanes != 8 && PostLanes != 16) begin : gen_bad_post
    $error("PostLanes must be 4, 8 or 16");
  end

  // The instruction is there some cycles before its first sums.
  logic is_max;
  assign is_max = op_i.opcode == OP_POOL && op_i.pool_max;
  logic is_conv_q, is_max_q, max_flips_q, max_signed_q;
  factor_t factor_q;
  always_ff @(posedge clk_i) begin
    is_conv_q <= op_i.opcode == OP_CONV;
    is_max_q  <= is_max;
    // A maximum is stored as it is, whatever the sign: a sum, to which 128 is added where results
    // are signed, not where pixels are.
    max_flips_q  <= op_i.src_signed != op_i.dst_signed;
    max_signed_q <= is_max && op_i.dst_signed;
    factor_q     <= factor_of(op_i.res_enable ? op_i.res_mult : '0, op_i.res_signed);
  end

  logic items_idle, last_items, item_valid, rest_valid, runs, ends;
  item_t item;
  logic [LaneGroups-1:0] item_groups;  // the item's, as a bit
  logic final_item;  // of its round
  segments_t residual;

  acs_items #(
    .LaneGroups(LaneGroups),
    .Dsp(dsp_products(LaneGroups))
  ) u_items (
    .clk_i,
    .rst_ni,
    .op_i,
    .round_valid_i,
    .round_i,
    .chunk_done_o,
    .idle_o        (items_idle),
    .last_round_o  (last_items),
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
    .groups_o      (item_groups),
    .final_o       (final_item),
    .residual_o    (residual)
  );

  // Slicer.  A lane group's flag says that sums wait in its shadow registers.
  localparam int unsigned CarryBits = SumBits - 16;
  localparam int unsigned WeightBits = SumBits - 7;
  localparam int unsigned PairsPerCopy = LANES / 2 / SUMS_COPIES;
  typedef struct packed {
    logic signed [CarryBits-1:0] carries;
    logic [SumBits-1:0]          upper;
    logic [15:0]                 lower;
  } short_pair_t;
  typedef short_pair_t [LANES/2-1:0] shadow_t;
  shadow_t [LaneGroups-1:0] shadow_q;
  logic [LaneGroups-1:0][WeightBits-1:0] weights_q;
  logic [MAX_LANE_GROUPS-1:0][WeightBits-1:0] weights;
  pixels_t maxima_q;
  logic [LaneGroups-1:0] full_q, empties;
  logic full;  // the sums of the item at hand are here
  logic [SW-1:0] slice_q;
  (* keep *) logic last_slice_q;  // it is the last one of its item

  assign full = (full_q & item_groups) != '0;
  assign runs = item_valid && full;
  // An item that has begun never stops, so that what ends it is a register.
  assign ends = last_slice_q;

  /* verilator lint_off UNUSEDSIGNAL */
  function automatic shadow_t shortened(input pair_t [LANES/2-1:0] pairs);
    shadow_t short;
    for (int pair = 0; pair < LANES / 2; pair++) begin
      short[pair].carries = pairs[pair].carries[CarryBits-1:0];
      short[pair].upper   = pairs[pair].value[SumBits+15:16];
      short[pair].lower   = pairs[pair].value[15:0];
    end
    return short;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  for (genvar group = 0; group < LaneGroups; group++) begin : gen_shadow
    // A round of a CONV leaves all lane groups at once, those without an item too.
    assign empties[group] = ends && (is_conv_q ? final_item : item_groups[group]);
    shadow_t short;
    assign short = shortened(sums_i[group].pairs);
    for (genvar pair = 0; pair < LANES / 2; pair++) begin : gen_pair
      always_ff @(posedge clk_i) begin
        if (sums_there_i[group][pair/PairsPerCopy]) shadow_q[group][pair] <= short[pair];
      end
    end
    always_ff @(posedge clk_i) begin
      if (sums_valid_i[group]) weights_q[group] <= sums_i[group].weights[WeightBits-1:0];
      if (!rst_ni) full_q[group] <= 1'b0;
      else full_q[group] <= sums_valid_i[group] || (full_q[group] && !empties[group]);
    end
  end

  always_comb begin
    weights = '0;
    weights[LaneGroups-1:0] = weights_q;
  end
  always_ff @(posedge clk_i) begin
    for (int lane = 0; lane < LANES; lane++) begin
      if (sums_there_i[0][lane*SUMS_COPIES/LANES]) maxima_q[lane] <= maxima_i[lane];
    end
  end

  // Sums of the next round may replace these in the very cycle of the last slice.  The round may
  // be issued that much earlier, as soon as nothing that this one lacks can delay it.  That is seen
  // a cycle ahead: the item at hand runs in the next cycle where its sums are here or just arrive.
  // Those of a CONV's round arrive SUMS_DELAY cycles after it is told, so a short round need not
  // have arrived: the next one is as many cycles behind it.
  logic released_q, releases, arrives;
  logic [8:0] remaining;
  logic [SUMS_DELAY-1:1] told;  // a round was, so many cycles before the next one
  logic [SUMS_DELAY-2:1] told_q;  // so many cycles ago
  logic [15:0] since_q;  // so many cycles ago or more
  logic near, comes;
  if (SUMS_DELAY > 14) begin : gen_bad_delay
    $error("sums take more cycles than a choice of sixteen tells");
  end
  assign arrives   = !full && (sums_valid_i & item_groups) != '0;
  assign remaining = 9'({item.left, ~slice_q});
  assign near  = remaining[8:4] == '0;
  assign comes = is_conv_q && near && since_q[remaining[3:0]];
  assign told  = {told_q, round_valid_i};
  always_ff @(posedge clk_i) begin
    for (int age = 0; age < 16; age++) since_q[age] <= rst_ni && 16'({told, 1'b0}) >> age != '0;
  end
  assign releases  = item_valid && !released_q && rest_valid &&
                     ((full && near && remaining[3:0] <= 4'(SUMS_DELAY + 1)) ||
                      (arrives && near && remaining[3:0] <= 4'(SUMS_DELAY)) || comes);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      slice_q    <= '0;
      last_slice_q <= 1'b0;
      released_q <= 1'b0;
      release_o  <= 1'b0;
      told_q     <= '0;
    end else begin
      told_q <= told[SUMS_DELAY-2:1];
      if (runs) begin
        slice_q      <= slice_q + 1'b1;
        last_slice_q <= slice_q == SW'(Slices - 2);
      end
      released_q <= (released_q || releases) && !(ends && final_item);
      release_o  <= releases;
    end
  end

  // The first stage picks the slice: of a lane group by fours, and all but one of these parts are
  // cleared.  The second stage takes them together and adds the bias: registers, of which there are
  // enough, save the look-up tables of a wide choice.
  localparam int unsigned PartSlices = 4;
  localparam int unsigned GroupParts = Slices / PartSlices;
  localparam int unsigned Parts = LaneGroups * GroupParts;
  typedef short_pair_t [PostLanes/2-1:0] slice_t;
  slice_t [Parts:0] parts_q;  // and maxima
  slice_t slice;
  logic [PostLanes-1:0][7:0] maximum_slice, slice_residual_q, residual_q;
  constants_t constants_q, acc_constants_q;
  logic signed [31:0] lower_bias_q;  // one less
  logic [WeightBits-1:0] weight;
  logic [Slices-1:0][PostLanes-1:0][7:0] residual_slices, maximum_slices;
  assign residual_slices = residual;
  assign maximum_slices  = maxima_q;
  always_comb begin
    maximum_slice = maximum_slices[slice_q];
    for (int i = 0; i < PostLanes; i++) maximum_slice[i][7] ^= max_flips_q;
  end
  assign weight = weights[item.group] | WeightBits'(max_signed_q);
  for (genvar part = 0; part < Parts; part++) begin : gen_part
    localparam int unsigned Group = part / GroupParts;
    localparam int unsigned Part = part % GroupParts;
    slice_t [Slices-1:0] slices;
    logic chosen;
    // A copy of the slice's number for each two lanes.
    (* keep *) logic [PostLanes/2-1:0][1:0] near_q;
    assign slices = shadow_q[Group];
    for (genvar pair = 0; pair < PostLanes / 2; pair++) begin : gen_copy
      (* keep *) always_ff @(posedge clk_i) begin
        if (!rst_ni) near_q[pair] <= '0;
        else if (runs) near_q[pair] <= near_q[pair] + 2'd1;
      end
    end
    if (GroupParts == 1) begin : gen_whole
      assign chosen = item_groups[Group];
    end else begin : gen_part_of_group
      // The slice is of this part.
      (* keep *) logic here_q;
      logic [SW-1:0] next_slice;
      assign next_slice = slice_q + SW'(runs);
      (* keep *) always_ff @(posedge clk_i) begin
        here_q <= rst_ni ? next_slice / SW'(PartSlices) == SW'(Part) : Part == 0;
      end
      assign chosen = item_groups[Group] && here_q;
    end
    always_ff @(posedge clk_i) begin
      for (int pair = 0; pair < PostLanes / 2; pair++) begin
        parts_q[part][pair] <= slices[{SW'(Part)<<2|SW'(near_q[pair])}][pair];
      end
      if (!chosen) parts_q[part] <= '0;
    end
  end
  always_ff @(posedge clk_i) begin
    parts_q[Parts] <= '0;
    for (int pair = 0; pair < PostLanes / 2; pair++) begin
      parts_q[Parts][pair].lower[7:0] <= maximum_slice[2*pair];
      parts_q[Parts][pair].upper[7:0] <= maximum_slice[2*pair+1];
    end
    if (!is_max_q) parts_q[Parts] <= '0;
  end
  always_comb begin
    slice = '0;
    for (int part = 0; part <= Parts; part++) slice |= parts_q[part];
  end
  (* keep *) logic [SW-1:0] residual_slice_q;  // a copy of slice_q
  (* keep *) always_ff
    @(posedge clk_i) begin
      if (!rst_ni) residual_slice_q <= '0;
      else if (runs) residual_slice_q <= residual_slice_q + 1'b1;
    end
  always_ff @(posedge clk_i) begin
    constants_q      <= item.constants;
    // 128 was added to signed pixels.
    constants_q.bias <= item.constants.bias - 32'(signed'({weight, 7'd0}));
    lower_bias_q     <= item.constants.bias - 32'(signed'({weight, 7'd1}));
    acc_constants_q  <= constants_q;
    if (is_max_q) begin
      constants_q.mult  <= 16'(1 << SHIFT_MIN);
      constants_q.shift <= 6'(SHIFT_MIN);
    end
    slice_residual_q <= residual_slices[residual_slice_q];
    for (int i = 0; i < PostLanes; i++) begin
      residual_q[i] <= slice_residual_q[i] ^ {op_i.res_signed, 7'b0};
    end
  end

  // Requantization.
  logic [PostLanes-1:0][7:0] results;
  logic [Depth-1:0] valid_q, end_q;
  logic [Depth-1:0][SW-1:0] at_q;
  logic [Depth-1:0][15:0] base_q;
  logic [Depth-1:0][10:0] number_q;
  localparam int unsigned PlacesCopies = (PostLanes + 7) / 8;  // one for each eight lanes
  places_t [PlacesCopies-1:0] places;
  logic unused_bias;
  assign unused_bias = ^acc_constants_q.bias;

  for (genvar copy = 0; copy < PlacesCopies; copy++) begin : gen_places
    acs_places u_places (
      .clk_i,
      .shift_i (acc_constants_q.shift),
      .places_o(places[copy])
    );
  end

  for (genvar i = 0; i < PostLanes; i++) begin : gen_lane
    logic signed [31:0] unused_wide;
    // The accumulator wraps as int32 does.  What is put together from parts is what a difference
    // takes away: there it fits into the look-up tables of the difference.
    logic signed [31:0] acc_q;
    if (i % 2 == 0) begin : gen_lower
      logic signed [SumBits-1:0] sum;
      assign sum = {slice[i/2].carries, slice[i/2].lower};
      // a - ~b is a + b + 1.
      always_ff @(posedge clk_i) acc_q <= lower_bias_q - ~32'(sum);
    end else begin : gen_upper
      logic signed [SumBits-1:0] less;
      assign less = SumBits'(slice[i/2].carries) - signed'(slice[i/2].upper);
      always_ff @(posedge clk_i) acc_q <= constants_q.bias - 32'(less);
    end
    acs_requantize #(
      .Dsp(dsp_products(LaneGroups))
    ) u_requantize (
      .clk_i,
      .acc_i     (acc_q),
      .mult_i    (acc_constants_q.mult),
      .residual_i(residual_q[i]),
      .factor_i  (factor_q),
      .places_i  (places[i/8]),
      .signed_i  (op_i.dst_signed),
      .wide_o    (unused_wide),
      .narrow_o  (results[i])
    );
  end

  always_ff @(posedge clk_i) begin
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

  // That nothing is on its way is a register: what is told now, what leaves the last stage, and
  // what the writer holds for more than this cycle are on their way in the next one.  An item whose
  // slices begin is one of those known.
  always_ff @(posedge clk_i) begin
    idle_o <= !rst_ni || (items_idle && !round_valid_i && valid_q[Depth-2:0] == '0 &&
                          !block_valid_o && block_ready_i);
  end
  assign last_round_o = last_items && runs;

`ifndef SYNTHESIS
  for (genvar group = 0; group < LaneGroups; group++) begin : gen_check
    sums_kept :
    assert property (@(posedge clk_i) disable iff (!rst_ni)
                     sums_valid_i[group] |-> !full_q[group] || empties[group])
    else $error("sums overwritten");
  end
  idle_is_true :
  assert property (@(posedge clk_i) disable iff (!rst_ni) idle_o |-> items_idle && valid_q == 0)
  else $error("idle with items under way");
  last_slice_is_told :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   last_slice_q == (slice_q == SW'(Slices - 1)))
  else $error("slices are miscounted");
  items_never_pause :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   slice_q != 0 || (released_q && full) |-> runs)
  else $error("a pause where none was expected");
  block_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) block_valid_o |-> block_ready_i)
  else $error("a block without a place");
`endif

endmodule

`default_nettype wire
