// Channel order of one side of an instruction, inputs or outputs: its table, and the compacted list
// of active channels that loops walk where a mask decides.  Each side has its copy of the masks.
// Neither table nor list has more than MAX_LISTED channels; the order as it is has all.
//
// A scan looks at one channel a cycle and, four cycles later, or five with a table, appends it to
// the front of the list, or, masked, to the end, which grows downwards.  The front may be walked
// while it grows.
//
// Table and list lie in block RAM: a look-up is there a cycle after its place, and does not show
// what is found in the cycle of the place.
`default_nettype none

module acs_channels
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter bit NextGroup = 1'b0  // the next group's channels are looked up, too
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        clear_i,         // a run begins or ends
  // Masks, 64 bits a word.
  input  wire mask_write_t mask_write_i,
  input  wire deciding_t   deciding_i,      // the mask of the scan may be the one that grows
  // Table.
  input  wire logic        table_write_i,
  input  wire logic        table_write_half_i,
  input  wire listed_t     table_addr_i,
  input  wire listed_t     table_earlier_i,  // the same place of the group before
  input  wire listed_t     table_data_i,
  input  wire logic        has_table_i,
  input  wire logic        table_half_i,    // the table that serves
  // A scan of count_i channels from first_i on; indices count from base_i.
  input  wire logic        scan_i,
  input  wire logic [7:0]  mask_i,
  input  wire channels_t   first_i,
  input  wire channels_t   count_i,
  input  wire channels_t   base_i,
  output      logic        busy_o,
  output      channels_t   active_o,        // found by now
  output      channels_t   masked_o,
  // Look-ups, a cycle after their place: of the list, or, without one, of the order itself.
  input  wire logic        listed_i,
  input  wire channel_t    addr_i,
  output      channel_t    channel_o,
  output      channel_t    next_channel_o,  // in the order, count_i places on
  output      listed_t     list_channel_o,  // of the list, whether it serves or not
  input  wire listed_t     index_addr_i,
  output      listed_t     index_o,         // in the list only
  // Whether a channel is active, as of the last scan; a cycle after its place.
  input  wire listed_t     flag_addr_i,
  output      logic        flag_o
);
  logic [7:0] mask_q;
  channels_t next_q, left_q, base_q;
  channel_t order_addr, order_q;
  listed_t tabled;
  logic scans_q;  // left_q is not 0
  logic may_q, step;  // the next channel is decided
  // The table shows the channel, where there is one; the channel is in a register, the mask's word
  // is there, it is in a register, its bit is.
  logic [4:0] valid_q;
  listed_t [4:1] channels_q;
  listed_t [4:0] indices_q;
  logic [63:0] mask_word, mask_word_q;
  logic active_q;
  listed_t place, index;

  // The order: while a scan runs, only the scan looks it up.
  assign order_addr = scans_q ? channel_t'(next_q) : addr_i;

  acs_ram #(
    .Width(64),
    .Depth(MASK_REGISTERS * MAX_LISTED / 64)
  ) u_masks (
    .clk_i,
    .write_i     (mask_write_i.valid),
    .write_addr_i(mask_write_i.address),
    .write_data_i(mask_write_i.data),
    .read_addr_i ({mask_q[4:0], channels_q[1][6+:MASK_WORD_BITS]}),
    .read_data_o (mask_word)
  );

  assign index  = listed_t'(next_q - base_q);
  assign place  = active_q ? listed_t'(active_o) : ~listed_t'(masked_o);
  assign busy_o = scans_q || valid_q != '0;

  assign step   = scans_q && may_q;
  always_ff @(posedge clk_i) begin
    may_q <= !deciding_i.busy ||
             (!scan_i && (step ? next_q + 1'b1 < deciding_i.decided
                               : next_q < deciding_i.decided));
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      mask_q   <= '0;
      next_q   <= '0;
      left_q   <= '0;
      base_q   <= '0;
      scans_q  <= 1'b0;
      valid_q  <= '0;
      active_o <= '0;
      masked_o <= '0;
    end else begin
      valid_q <= {valid_q[3:1], has_table_i ? valid_q[0] : step, has_table_i && step};
      if (step) begin
        next_q  <= next_q + 1'b1;
        left_q  <= left_q - 1'b1;
        scans_q <= left_q != 1;
      end
      if (valid_q[4] && active_q) active_o <= active_o + 1'b1;
      if (valid_q[4] && !active_q) masked_o <= masked_o + 1'b1;
      if (scan_i) begin
        mask_q   <= mask_i;
        next_q   <= first_i;
        base_q   <= base_i;
        left_q   <= count_i;
        scans_q  <= count_i != 0;
        active_o <= '0;
        masked_o <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    order_q     <= order_addr;
    channels_q  <= {channels_q[3:1], has_table_i ? tabled : listed_t'(next_q)};
    indices_q   <= {indices_q[3:1], has_table_i ? indices_q[0] : index, index};
    mask_word_q <= mask_word;
    active_q    <= mask_q == 8'(MASK_NONE) || mask_word_q[channels_q[3][5:0]];
  end

  acs_ram #(
    .Width($bits(listed_t)),
    .Depth(2 * MAX_LISTED)
  ) u_table (
    .clk_i,
    .write_i     (table_write_i),
    .write_addr_i({table_write_half_i, table_addr_i}),
    .write_data_i(table_data_i),
    .read_addr_i ({table_half_i, listed_t'(order_addr)}),
    .read_data_o (tabled)
  );
  acs_ram #(
    .Width($bits(listed_t)),
    .Depth(MAX_LISTED)
  ) u_list (
    .clk_i,
    .write_i     (valid_q[4]),
    .write_addr_i(place),
    .write_data_i(channels_q[4]),
    .read_addr_i (listed_t'(addr_i)),
    .read_data_o (list_channel_o)
  );
  acs_ram #(
    .Width($bits(listed_t)),
    .Depth(MAX_LISTED)
  ) u_indices (
    .clk_i,
    .write_i     (valid_q[4]),
    .write_addr_i(place),
    .write_data_i(indices_q[4]),
    .read_addr_i (index_addr_i),
    .read_data_o (index_o)
  );
  acs_ram #(
    .Width(1),
    .Depth(MAX_LISTED)
  ) u_flags (
    .clk_i,
    .write_i     (valid_q[4]),
    .write_addr_i(channels_q[4]),
    .write_data_i(active_q),
    .read_addr_i (flag_addr_i),
    .read_data_o (flag_o)
  );

  assign channel_o = listed_i ? channel_t'(list_channel_o) :
                     has_table_i ? channel_t'(tabled) : order_q;

  // A second table, in which all entries lie a group before their place.  Those of the first group
  // are written where none is looked up: there the last group's successors would be.
  if (NextGroup) begin : gen_next
    listed_t next_tabled;
    acs_ram #(
      .Width($bits(listed_t)),
      .Depth(2 * MAX_LISTED)
    ) u_table (
      .clk_i,
      .write_i     (table_write_i),
      .write_addr_i({table_write_half_i, table_earlier_i}),
      .write_data_i(table_data_i),
      .read_addr_i ({table_half_i, listed_t'(order_addr)}),
      .read_data_o (next_tabled)
    );
    assign next_channel_o = has_table_i ? channel_t'(next_tabled)
                                        : channel_t'(order_q + channel_t'(count_i));
  end else begin : gen_no_next
    logic unused_earlier;
    assign unused_earlier  = ^table_earlier_i;
    assign next_channel_o = '0;
  end

endmodule

`default_nettype wire
