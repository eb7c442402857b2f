// From sums to stored pixels: the sums of a round rest in shadow registers while the array goes on;
// item by item they meet bias, residual and multiplier, and leave as a block.
//
// The fetcher finds an item's constants and residual while the slicer works on the item before.
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
  // Rounds and their sums.
  input  wire logic         round_valid_i,
  input  wire round_t       round_i,
  input  wire logic         sums_valid_i,
  input  wire sums_t [LaneGroups-1:0] sums_i,
  output      logic         release_o,
  output      logic         chunk_done_o,
  output      logic         idle_o,
  // Constants of channels.
  input  wire logic         record_write_i,
  input  wire logic [7:0]   record_addr_i,
  input  wire constants_t   record_i,
  // List of channels.
  output      logic [9:0]   out_addr_o,
  input  wire logic [9:0]   out_channel_i,
  // Residual blocks.
  output      logic         read_valid_o,
  input  wire logic         read_ready_i,
  output      logic [15:0]  read_addr_o,
  input  wire logic         read_data_valid_i,
  input  wire segments_t    read_data_i,
  // Sums of GAVG.
  output      logic         total_valid_o,
  output      logic signed [31:0] total_o,
  // Results.
  output      logic         block_valid_o,
  input  wire logic         block_ready_i,
  output      logic [15:0]  block_base_o,
  output      logic [10:0]  block_number_o,
  output      segments_t    block_o
);
  localparam int unsigned Slices = LANES / PostLanes;
  localparam int unsigned SW     = $clog2(Slices);
  // Sums of the next round arrive ten cycles after its last iteration.
  localparam int unsigned Early  = Slices > 8 ? Slices - 8 : 0;
  localparam int unsigned Depth  = 5;

  if (PostLanes != 4 && PostLanes != 8 && PostLanes != 16) begin : gen_bad_post
    $error("PostLanes must be 4, 8 or 16");
  end

  logic is_conv, is_gavg, is_max;
  assign is_conv = op_i.opcode == OP_CONV;
  assign is_gavg = op_i.opcode == OP_GAVG;
  assign is_max  = op_i.opcode == OP_POOL && op_i.pool_max;

  // Rounds waiting for the fetcher.
  logic   round_valid, round_next, round_ready;
  round_t round;
  acs_fifo #(
    .Width($bits(round_t)),
    .Depth(2)
  ) u_rounds (
    .clk_i,
    .rst_ni,
    .in_valid_i (round_valid_i),
    .in_ready_o (round_ready),
    .in_data_i  (round_i),
    .out_valid_o(round_valid),
    .out_ready_i(round_next),
    .out_data_o (round)
  );

  // Constants: two sets of MAX_CHUNK.
  constants_t record_read;
  logic [9:0] position;
  acs_ram #(
    .Width($bits(constants_t)),
    .Depth(2 * MAX_CHUNK)
  ) u_records (
    .clk_i,
    .write_i     (record_write_i),
    .write_addr_i(record_addr_i),
    .write_data_i(record_i),
    .read_addr_i ({round.bank_set, position[6:0]}),
    .read_data_o (record_read)
  );

  // Fetcher.
  typedef enum logic [2:0] {FtLook, FtAddress, FtRead, FtWait, FtGive} fetch_e;
  fetch_e      fetch_q;
  logic [3:0]  item_q;
  logic        is_a, last_item, give;
  logic [9:0]  channel_q;
  logic [10:0] number_q;
  logic [15:0] base_q, res_addr_q;
  constants_t  constants_q;
  segments_t   residual_q;

  assign is_a       = item_q < round.count_a;
  assign position   = is_a ? round.first + 10'(item_q) : 10'(item_q) - 10'(round.count_a);
  assign out_addr_o = round.masked ? ~(round.list_first + position) : round.list_first + position;
  assign last_item  = item_q == round.count - 4'd1;

  // Slicer.
  logic              busy_q, first_q, final_q;     // first and last item of a round
  logic [SW-1:0]     slice_q;
  logic [3:0]        group_q;
  logic              begins, runs, ends;
  logic [15:0]       cur_base_q;
  logic [10:0]       cur_number_q;
  constants_t        cur_constants_q;
  pixels_t           cur_residual_q;
  logic              full_q;                       // sums wait in the shadow registers
  sums_t [LaneGroups-1:0] shadow_q;

  assign runs   = busy_q && (full_q || !first_q);
  assign ends   = runs && slice_q == SW'(Slices - 1);
  assign begins = fetch_q == FtGive && (!busy_q || ends);
  assign give   = begins;
  assign round_next   = give && last_item;
  assign chunk_done_o = round_next && round.chunk_end;
  assign release_o    = runs && final_q && slice_q == SW'(Early);
  assign read_valid_o = fetch_q == FtRead;
  assign read_addr_o  = res_addr_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fetch_q <= FtLook;
      item_q  <= '0;
    end else begin
      unique case (fetch_q)
        FtLook:    if (round_valid) fetch_q <= FtAddress;
        FtAddress: fetch_q <= op_i.res_enable ? FtRead : FtGive;
        FtRead:    if (read_ready_i) fetch_q <= FtWait;
        FtWait:    if (read_data_valid_i) fetch_q <= FtGive;
        FtGive: begin
          if (give) begin
            fetch_q <= FtLook;
            item_q  <= last_item ? '0 : item_q + 4'd1;
          end
        end
        default: fetch_q <= FtLook;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch_q == FtLook) begin
      channel_q <= is_conv ? out_channel_i : round.list_first;
      number_q  <= is_a ? round.block : round.block + 11'd1;
    end
    if (fetch_q == FtAddress) begin
      base_q     <= op_i.dst_base + 16'(channel_q) * op_i.dst_step;
      res_addr_q <= op_i.res_base + 16'(channel_q) * op_i.res_step + 16'(number_q);
      residual_q <= '0;
      if (!is_conv) begin
        constants_q <= '{bias: '0, mult: op_i.mult, shift: op_i.shift};
      end else if (round.masked && op_i.masked_zero) begin
        constants_q <= '{bias: '0, mult: '0, shift: 6'(SHIFT_MIN)};
      end else begin
        constants_q <= record_read;
      end
    end
    if (fetch_q == FtWait && read_data_valid_i) residual_q <= read_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (sums_valid_i) shadow_q <= sums_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      first_q <= 1'b0;
      final_q <= 1'b0;
      slice_q <= '0;
      group_q <= '0;
      full_q  <= 1'b0;
    end else begin
      if (runs) slice_q <= slice_q + 1'b1;
      if (ends) busy_q <= 1'b0;
      if (ends && final_q) full_q <= 1'b0;
      if (sums_valid_i) full_q <= 1'b1;
      if (begins) begin
        busy_q  <= 1'b1;
        slice_q <= '0;
        first_q <= item_q == 0;
        final_q <= last_item;
        group_q <= item_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (begins) begin
      cur_base_q      <= base_q;
      cur_number_q    <= number_q;
      cur_constants_q <= constants_q;
      cur_residual_q  <= residual_q;
    end
  end

  // Requantization, PostLanes pixels a cycle.
  logic signed [PostLanes-1:0][31:0] slice;
  logic [PostLanes-1:0][7:0]         narrow, results;
  logic [Depth-1:0][PostLanes-1:0][7:0] raw_q;    // a maximum is stored as it is
  logic [Depth-1:0]         valid_q, end_q;
  logic [Depth-1:0][SW-1:0] at_q;
  logic [Depth-1:0][15:0]   pipe_base_q;
  logic [Depth-1:0][10:0]   pipe_number_q;

  for (genvar i = 0; i < PostLanes; i++) begin : gen_lane
    logic [5:0] lane;
    logic [7:0] residual;
    logic signed [31:0] wide;
    assign lane     = 6'(32'(slice_q) * PostLanes + i);
    assign slice[i] = shadow_q[group_q[$clog2(LaneGroups+1)-1:0]][lane];
    assign residual = cur_residual_q[lane];
    acs_requantize u_requantize (
      .clk_i,
      .sum_i     (slice[i]),
      .bias_i    (cur_constants_q.bias),
      .mult_i    (cur_constants_q.mult),
      .shift_i   (cur_constants_q.shift),
      .residual_i(signed'({op_i.res_signed & residual[7], residual})),
      .res_mult_i(op_i.res_mult),
      .signed_i  (op_i.dst_signed),
      .wide_o    (wide),
      .narrow_o  (narrow[i])
    );
    assign results[i] = is_max ? raw_q[Depth-1][i] : narrow[i];
    logic unused;
    assign unused = ^wide;
  end

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < PostLanes; i++) raw_q[0][i] <= slice[i][7:0];
    at_q[0]          <= slice_q;
    pipe_base_q[0]   <= cur_base_q;
    pipe_number_q[0] <= cur_number_q;
    for (int i = 1; i < Depth; i++) begin
      raw_q[i]         <= raw_q[i-1];
      at_q[i]          <= at_q[i-1];
      pipe_base_q[i]   <= pipe_base_q[i-1];
      pipe_number_q[i] <= pipe_number_q[i-1];
    end
    valid_q <= rst_ni ? {valid_q[Depth-2:0], runs && !is_gavg} : '0;
    end_q   <= rst_ni ? {end_q[Depth-2:0], ends && !is_gavg} : '0;
  end

  // Slices become a block, which waits one item's time at most for the writer.
  logic [Slices-2:0][PostLanes-1:0][7:0] block_q;
  logic        block_valid_q;
  logic [15:0] block_base_q;
  logic [10:0] block_number_q;
  segments_t   held_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[Depth-1] && !end_q[Depth-1]) block_q[at_q[Depth-1]] <= results;
    if (end_q[Depth-1]) begin
      block_base_q   <= pipe_base_q[Depth-1];
      block_number_q <= pipe_number_q[Depth-1];
      held_q         <= {results, block_q};
    end
    block_valid_q <= rst_ni && (end_q[Depth-1] || (block_valid_q && !block_ready_i));
  end

  assign block_valid_o  = block_valid_q;
  assign block_base_o   = block_base_q;
  assign block_number_o = block_number_q;
  assign block_o        = held_q;

  // GAVG: all lanes of all slices.
  logic signed [31:0] slice_sum, slice_sum_q, total_q;
  logic [2:0]         sum_valid_q, sum_end_q;
  always_comb begin
    slice_sum = '0;
    for (int i = 0; i < PostLanes; i++) slice_sum = slice_sum + slice[i];
  end
  always_ff @(posedge clk_i) begin
    slice_sum_q <= slice_sum;
    sum_valid_q <= rst_ni ? {sum_valid_q[1:0], runs && is_gavg} : '0;
    sum_end_q   <= rst_ni ? {sum_end_q[1:0], ends && is_gavg} : '0;
    if (sum_valid_q[0]) total_q <= total_q + slice_sum_q;
    if (!rst_ni || sum_end_q[1]) total_q <= '0;
  end
  assign total_valid_o = sum_end_q[1];
  assign total_o       = total_q;

  assign idle_o = !round_valid && fetch_q == FtLook && !busy_q && valid_q == 0 && end_q == 0 &&
                  !block_valid_q && sum_valid_q == 0;

  logic unused;
  assign unused = ^{op_i, round_ready, group_q, sum_valid_q[2], sum_end_q[2]};

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) round_valid_i |-> round_ready)
  else $error("a round without a place");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   sums_valid_i |-> !full_q || (ends && final_q))
  else $error("sums overwritten");
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   end_q[Depth-1] |-> !block_valid_q || block_ready_i)
  else $error("a block overwritten");
`endif

endmodule

`default_nettype wire
