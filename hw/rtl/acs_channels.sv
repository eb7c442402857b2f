// Mask registers, channel tables, and the compacted lists of active channels that all loops walk.
//
// A scan looks at one channel a cycle and appends it to the front of its list, or, masked, to the
// end, which grows downwards.
`default_nettype none

module acs_channels
  import acs_isa_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  // Masks, 64 bits a word.
  input  wire logic        mask_write_i,
  input  wire logic [8:0]  mask_addr_i,
  input  wire logic [63:0] mask_data_i,
  // Tables: inputs from 0, outputs from MAX_CHANNELS.
  input  wire logic        table_write_i,
  input  wire logic [10:0] table_addr_i,
  input  wire logic [9:0]  table_data_i,
  // A scan: of inputs (list 0) or outputs (list 1).
  input  wire logic        scan_i,
  input  wire logic        list_i,
  input  wire logic        has_table_i,
  input  wire logic [7:0]  mask_i,
  input  wire logic [10:0] first_i,
  input  wire logic [10:0] count_i,
  output      logic        busy_o,
  output      logic [1:0][10:0] active_o,   // channels found active, by list
  output      logic [1:0][10:0] masked_o,
  // Lists: where a channel lies, and its number from first_i (list 0) or from 0 (list 1).
  input  wire logic [9:0]  in_addr_i,
  output      logic [9:0]  in_channel_o,
  output      logic [9:0]  in_index_o,
  input  wire logic [9:0]  out_addr_i,
  output      logic [9:0]  out_channel_o,
  input  wire logic [9:0]  row_addr_i,
  output      logic [9:0]  row_index_o,
  // Whether a channel is active, by list, as of the last scan.
  input  wire logic [9:0]  flag_addr_i,
  output      logic [1:0]  flag_o
);
  logic [9:0] in_channel_q [MAX_CHANNELS];
  logic [9:0] in_index_q [MAX_CHANNELS];
  logic [9:0] out_channel_q [MAX_CHANNELS];
  logic [9:0] out_index_q [MAX_CHANNELS];
  logic       in_flag_q [MAX_CHANNELS];
  logic       out_flag_q [MAX_CHANNELS];

  logic        list_q, table_q;
  logic [7:0]  mask_q;
  logic [10:0] next_q, left_q, first_q;
  logic [2:0]  valid_q;                 // table, mask, append
  logic [2:0][9:0] index_q;
  logic [1:0][9:0] channel_q;
  logic [9:0]  table_data, channel;
  logic [63:0] mask_word;
  logic        bit_found;
  logic [9:0]  place;
  logic [1:0][10:0] active_q, masked_q;

  acs_ram #(
    .Width(10),
    .Depth(2 * MAX_CHANNELS)
  ) u_tables (
    .clk_i,
    .write_i     (table_write_i),
    .write_addr_i(table_addr_i),
    .write_data_i(table_data_i),
    .read_addr_i ({list_q, next_q[9:0]}),
    .read_data_o (table_data)
  );

  assign channel = table_q ? table_data : index_q[0];

  acs_ram #(
    .Width(64),
    .Depth(MASK_REGISTERS * MAX_CHANNELS / 64)
  ) u_masks (
    .clk_i,
    .write_i     (mask_write_i),
    .write_addr_i(mask_addr_i),
    .write_data_i(mask_data_i),
    .read_addr_i ({mask_q[4:0], channel[9:6]}),
    .read_data_o (mask_word)
  );

  assign bit_found = mask_q == 8'(MASK_NONE) || mask_word[channel_q[0][5:0]];
  assign place     = bit_found ? active_q[list_q][9:0] : ~masked_q[list_q][9:0];
  assign busy_o    = left_q != 0 || valid_q != 0;
  assign active_o  = active_q;
  assign masked_o  = masked_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      list_q   <= 1'b0;
      table_q  <= 1'b0;
      mask_q   <= '0;
      next_q   <= '0;
      left_q   <= '0;
      first_q  <= '0;
      valid_q  <= '0;
      active_q <= '0;
      masked_q <= '0;
    end else begin
      valid_q <= {1'b0, valid_q[0], left_q != 0};
      if (left_q != 0) begin
        next_q <= next_q + 1'b1;
        left_q <= left_q - 1'b1;
      end
      if (valid_q[1]) begin
        if (bit_found) active_q[list_q] <= active_q[list_q] + 1'b1;
        else masked_q[list_q] <= masked_q[list_q] + 1'b1;
      end
      if (scan_i) begin
        list_q           <= list_i;
        table_q          <= has_table_i;
        mask_q           <= mask_i;
        next_q           <= first_i;
        first_q          <= list_i ? '0 : first_i;
        left_q           <= count_i;
        active_q[list_i] <= '0;
        masked_q[list_i] <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    index_q[0]   <= next_q[9:0];
    index_q[1]   <= index_q[0] - first_q[9:0];
    index_q[2]   <= index_q[1];
    channel_q[0] <= channel;
    channel_q[1] <= channel_q[0];
    if (valid_q[1] && !list_q) begin
      in_channel_q[place]        <= channel_q[0];
      in_index_q[place]          <= index_q[1];
      in_flag_q[channel_q[0]]    <= bit_found;
    end
    if (valid_q[1] && list_q) begin
      out_channel_q[place]       <= channel_q[0];
      out_index_q[place]         <= index_q[1];
      out_flag_q[channel_q[0]]   <= bit_found;
    end
  end

  assign in_channel_o  = in_channel_q[in_addr_i];
  assign in_index_o    = in_index_q[in_addr_i];
  assign out_channel_o = out_channel_q[out_addr_i];
  assign row_index_o   = out_index_q[row_addr_i];
  assign flag_o        = {out_flag_q[flag_addr_i], in_flag_q[flag_addr_i]};

  logic unused;
  assign unused = ^{mask_q[7:5], first_q[10], channel_q[1], index_q[2]};

endmodule

`default_nettype wire
