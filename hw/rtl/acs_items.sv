// From rounds to items: everything that requantization needs to know about an item, found ahead of
// time.
//
// An item is found in one cycle and looked up in the next; its addresses are worked out in three
// more, with a single multiplier: first that of its residual, a cycle later that of its result.
// The residual, where there is one, comes through port B.  Up to `Ahead` items wait here, so that
// requantization goes on while the port is busy.
`default_nettype none

module acs_items
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned Ahead = 8,    // a power of two
  parameter bit          Dsp   = 1'b1  // the product takes a DSP slice
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  // Rounds, up to MAX_ROUNDS not looked up yet.
  input  wire logic         round_valid_i,
  input  wire round_t       round_i,
  output      logic         chunk_done_o,   // records and list of the chunk are no longer needed
  output      logic         idle_o,
  output      logic         last_round_o,   // the items of one round are left, and lack nothing
  // Constants of channels.
  input  wire logic         record_write_i,
  input  wire logic [7:0]   record_addr_i,
  input  wire constants_t   record_i,
  // List of channels.
  output      logic         out_looks_o,
  output      channel_t     out_addr_o,
  input  wire channel_t     out_channel_i,  // a cycle later; of other than CONV, out_addr_o itself
  // Residual blocks.
  output      logic         read_valid_o,
  input  wire logic         read_ready_i,
  output      logic [15:0]  read_addr_o,
  input  wire logic         read_data_valid_i,
  input  wire segments_t    read_data_i,
  // Items, in order.
  output      logic         item_valid_o,
  output      logic         rest_valid_o,   // so are the items that follow in its round
  input  wire logic         item_next_i,
  output      item_t        item_o,
  output      logic [LaneGroups-1:0] groups_o,  // the item's lane group, as a bit
  output      logic         final_o,        // no item of its round follows
  output      segments_t    residual_o
);
  localparam int unsigned CW = $clog2(Ahead) + 1;

  // Rounds waiting to be looked up.
  logic round_valid, round_next, round_ready;
  round_t round;
  acs_fifo #(
    .Width($bits(round_t)),
    .Depth(MAX_ROUNDS),
    .OutputRegister(1'b1)
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
  logic [7:0] record_addr_q;
  acs_ram #(
    .Width($bits(constants_t)),
    .Depth(2 * MAX_CHUNK)
  ) u_records (
    .clk_i,
    .write_i     (record_write_i),
    .write_addr_i(record_addr_i),
    .write_data_i(record_i),
    .read_addr_i (record_addr_q),
    .read_data_o (record_read)
  );

  // Items under way or waiting, and those of them that lack nothing.
  logic [CW-1:0] claimed_q, complete_q, missing_q;  // missing: the difference
  logic misses_q, completes;  // it is not zero
  logic there_q, last_q;  // an item is complete; those that are known end a round

  // First stage: the item of the round, and its place in the list.  It stays for a second cycle.
  logic is_conv, find, is_a, last_item;
  logic [3:0] found_q;
  group_count_t item_q;
  channel_t position, place;

  assign is_conv    = op_i.opcode == OP_CONV;
  assign find       = round_valid && claimed_q != CW'(Ahead) && !found_q[0];
  assign is_a       = item_q < round.count_a;
  assign position   = is_a ? round.first + channel_t'(item_q)
                           : round.restart + channel_t'(item_q) - channel_t'(round.count_a);
  assign place      = round.list_first + position;
  assign last_item  = item_q == round.count - 5'd1;
  assign round_next = found_q[0] && last_item;

  // Second stage: list and records.  Third: products, of the residual's channel and then of the
  // result's.  Fourth: their sums.
  typedef struct packed {
    logic        zero;
    logic [10:0] number;
    group_t      group;
    group_t      left;
  } traits_t;
  traits_t [2:0] traits_q;
  // What the end of an item is decided by has registers of its own, apart from those of the item.
  logic [LaneGroups-1:0] groups;
  logic final_item;
  logic chunk_done_q;
  channel_t channel_q;
  logic [15:0] product_q, offset_q, address;
  constants_t record_q;
  item_t found;

  always_ff @(posedge clk_i) begin
    traits_q[0] <= '{
      zero: round.masked && op_i.masked_zero,
      number: is_a || round.paired ? round.block : round.block + 11'd1,
      group: round.group + item_q[3:0],
      left: group_t'(round.count - 5'd1 - item_q)
    };
    traits_q[2:1] <= traits_q[1:0];
    record_addr_q <= {round.bank_set, position[6:0]};
    chunk_done_q  <= rst_ni && round_next && round.chunk_end;

    channel_q <= out_channel_i;

    offset_q  <= found_q[1] ? op_i.res_base + 16'(traits_q[1].number) : op_i.dst_base;
    record_q  <= record_read;
  end

  logic [15:0] step;
  assign step = found_q[1] ? op_i.res_step : op_i.dst_step;
  acs_product #(
    .ABits(16),
    .BBits($bits(channel_t)),
    .Bits (16),
    .Dsp  (Dsp)
  ) u_product (
    .clk_i,
    .a_i      (step),
    .b_i      (channel_q),
    .summand_i('0),
    .result_o (product_q)
  );

  assign out_looks_o  = find || found_q[0];
  assign out_addr_o   = round.masked ? ~place : place;
  assign chunk_done_o = chunk_done_q;

  assign address = product_q + offset_q;
  always_comb begin
    found.base      = address;
    found.number    = traits_q[2].number;
    found.group     = traits_q[2].group;
    found.left      = traits_q[2].left;
    final_item      = traits_q[2].left == 0;
    for (int group = 0; group < LaneGroups; group++) begin
      groups[group] = traits_q[2].group == group_t'(group);
    end
    found.constants = record_q;
    if (!is_conv) begin
      found.constants = '{bias: '0, mult: op_i.mult, shift: op_i.shift};
    end else if (traits_q[2].zero) begin
      found.constants = '{bias: '0, mult: '0, shift: 6'(SHIFT_MIN)};
    end
  end

  logic item_ready, unused_item_valid;
  // At its head is a register: the choice of the item's sums begins there.
  acs_fifo #(
    .Width($bits(item_t) + LaneGroups + 1),
    .Depth(Ahead),
    .OutputRegister(1'b1)
  ) u_items (
    .clk_i,
    .rst_ni,
    .in_valid_i (found_q[3]),
    .in_ready_o (item_ready),
    .in_data_i  ({groups, final_item, found}),
    .out_valid_o(unused_item_valid),
    .out_ready_i(item_next_i),
    .out_data_o ({groups_o, final_o, item_o})
  );

  // Residuals: addresses wait where the port is busy, blocks for their item.  All who want the port
  // depend on whether one waits, which is a register.
  logic asks_q, waits, address_ready, residual_arrives, residual_ready, unused_residual_valid;
  logic [15:0] waiting;
  always_ff @(posedge clk_i) asks_q <= rst_ni && found_q[1] && op_i.res_enable;
  assign read_valid_o = waits || asks_q;
  assign read_addr_o  = waits ? waiting : address;
  acs_fifo #(
    .Width(16),
    .Depth(Ahead),
    .OutputRegister(1'b1)
  ) u_addresses (
    .clk_i,
    .rst_ni,
    .in_valid_i (asks_q && (waits || !read_ready_i)),
    .in_ready_o (address_ready),
    .in_data_i  (address),
    .out_valid_o(waits),
    .out_ready_i(read_ready_i),
    .out_data_o (waiting)
  );

  // Other modules read through the port only while no item waits for a residual.
  assign residual_arrives = read_data_valid_i && op_i.res_enable && misses_q;

  acs_fifo #(
    .Width($bits(segments_t)),
    .Depth(Ahead)
  ) u_residuals (
    .clk_i,
    .rst_ni,
    .in_valid_i (residual_arrives),
    .in_ready_o (residual_ready),
    .in_data_i  (read_data_i),
    .out_valid_o(unused_residual_valid),
    .out_ready_i(item_next_i),
    .out_data_o (residual_o)
  );

  assign completes    = op_i.res_enable ? residual_arrives : found_q[3];
  assign item_valid_o = there_q;
  assign rest_valid_o = group_count_t'(complete_q) > group_count_t'(item_o.left);
  assign idle_o       = !round_valid && claimed_q == 0;
  // That the complete items are the last ones known is worked out a cycle ahead: an item that
  // leaves takes one off both numbers.
  assign last_round_o = last_q && !round_valid;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      found_q    <= '0;
      item_q     <= '0;
      claimed_q  <= '0;
      complete_q <= '0;
      missing_q  <= '0;
      misses_q   <= 1'b0;
      there_q    <= 1'b0;
      last_q     <= 1'b0;
    end else begin
      found_q    <= {found_q[2:0], find};
      claimed_q  <= claimed_q + CW'(find) - CW'(item_next_i);
      complete_q <= complete_q + CW'(completes) - CW'(item_next_i);
      missing_q  <= missing_q + CW'(find) - CW'(completes);
      misses_q   <= find || missing_q > CW'(1) || (misses_q && !completes);
      there_q    <= completes || complete_q > CW'(1) || (there_q && !item_next_i);
      last_q     <= !round_valid && found_q[2:0] == '0 && missing_q == CW'(completes) && there_q &&
                    group_count_t'(complete_q) + group_count_t'(completes) ==
                    group_count_t'(item_o.left) + 1'b1;
      if (found_q[0]) item_q <= last_item ? '0 : item_q + 5'd1;
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  missing_is_told :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   misses_q == (missing_q != 0) && missing_q == claimed_q - complete_q)
  else $error("items that lack something are miscounted");
  complete_is_told :
  assert property (@(posedge clk_i) disable iff (!rst_ni) there_q == (complete_q != 0))
  else $error("complete items are miscounted");
  last_round_is_true :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   last_round_o && there_q |-> found_q == '0 && !misses_q &&
                   group_count_t'(complete_q) == group_count_t'(item_o.left) + 1'b1)
  else $error("a round is not the last one");
  round_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) round_valid_i |-> round_ready)
  else $error("a round without a place");
  item_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   !(found_q[2] && !address_ready) && !(found_q[3] && !item_ready))
  else $error("an item without a place");
  residual_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) residual_arrives |-> residual_ready)
  else $error("a residual without a place");
  item_is_there :
  assert property (@(posedge clk_i) disable iff (!rst_ni) item_next_i |-> item_valid_o)
  else $error("an item taken before it was there");
`endif

endmodule

`default_nettype wire
