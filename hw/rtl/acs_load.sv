// LOAD: words of the image to segments of the feature memory, raster or split.  A word takes a
// register on its way in: where it goes is worked out from there.
`default_nettype none

module acs_load
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         start_i,
  input  wire instruction_t op_i,
  output      logic         done_o,
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  output      logic         write_valid_o,
  output      logic [7:0]   write_there_o,  // copies of it, one for each segment
  output      block_write_t write_o
);
  // Words are counted as they come: whether another one is wanted is a register.
  logic [3:0] coming_segment_q;
  logic [7:0] coming_row_q;
  channels_t coming_channel_q;
  logic comes, row_comes, channel_comes, ready_q;  // a word; the last one of a row; of a channel
  // Numbers of the last segment, row and channel; the instruction is there before its first word.
  logic [3:0] last_segment_q;
  logic [7:0] last_row_q;
  channels_t last_channel_q;
  always_ff @(posedge clk_i) begin
    last_segment_q <= 4'((9'(op_i.dst_width) + 9'd7) >> 3) - 4'd1;
    last_row_q     <= op_i.dst_height - 8'd1;
    last_channel_q <= op_i.channels - 1'b1;
  end
  // No word behind the last one: it may be that of a later instruction.
  assign data_ready_o  = ready_q;
  assign comes         = data_valid_i && ready_q;
  assign row_comes     = comes && coming_segment_q == last_segment_q;
  assign channel_comes = row_comes && coming_row_q == last_row_q;
  always_ff @(posedge clk_i) begin
    ready_q <= rst_ni && (start_i || (ready_q && !(channel_comes &&
                                                   coming_channel_q == last_channel_q)));
    if (comes) coming_segment_q <= coming_segment_q + 4'd1;
    if (row_comes) begin
      coming_segment_q <= '0;
      coming_row_q     <= coming_row_q + 8'd1;
    end
    if (channel_comes) begin
      coming_row_q     <= '0;
      coming_channel_q <= coming_channel_q + 1'b1;
    end
    if (start_i) begin
      coming_segment_q <= '0;
      coming_row_q     <= '0;
      coming_channel_q <= '0;
    end
  end

  // The word that came, its place, and what it completes.
  logic word_valid_q, channel_ends_q, image_ends_q, writes_q;
  logic [3:0] segment_q;
  logic [7:0] row_q;
  logic [15:0] base_q;
  logic [63:0] word_q, low_q, pair_low_q, pair_high_q;
  logic last_q;  // the last word was taken
  logic [1:0] half_log2;
  logic [10:0] plane_q, raster_at, split_at, at, at_q;
  logic [63:0] pair_low, pair_high;
  logic write_odd_q;  // row
  logic [15:0] write_base_q;
  logic write_q;
  always_ff @(posedge clk_i) begin
    word_valid_q   <= rst_ni && comes;
    // Of a pair that is split, the first word waits for the second one.
    writes_q       <= rst_ni && comes && (!op_i.dst_split || coming_segment_q[0] || row_comes);
    word_q         <= data_i;
    segment_q      <= coming_segment_q;
    row_q          <= coming_row_q;
    channel_ends_q <= rst_ni && channel_comes;
    image_ends_q   <= rst_ni && channel_comes && coming_channel_q == last_channel_q;
  end
  assign pair_low  = segment_q[0] ? low_q : word_q;
  assign pair_high = segment_q[0] ? word_q : '0;

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!rst_ni) begin
      write_q <= 1'b0;
      base_q  <= '0;
      last_q  <= 1'b0;
    end else begin
      write_q <= writes_q;
      if (channel_ends_q) base_q <= base_q + op_i.dst_step;
      if (image_ends_q) last_q <= 1'b1;
      // Writes that the feature memory has accepted come before all reads that follow.
      if (last_q && !write_q) begin
        last_q <= 1'b0;
        done_o <= 1'b1;
      end
      if (start_i) base_q <= op_i.dst_base;
    end
  end

  always_ff @(posedge clk_i) begin
    if (word_valid_q) begin
      low_q        <= word_q;
      pair_low_q   <= op_i.dst_split ? pair_low : word_q;
      pair_high_q  <= pair_high;
      at_q         <= at;
      write_odd_q  <= row_q[0];
      write_base_q <= base_q;
    end
  end

  assign half_log2 = phase_row_log2(op_i.row_log2);
  // The instruction is there before its first word.
  always_ff @(posedge clk_i) begin
    plane_q <= plane_blocks(phase_size(op_i.dst_height, 1'b0), half_log2);
  end
  // Segments before this one in its plane.
  assign raster_at = (11'(row_q) << op_i.row_log2) + 11'(segment_q);
  assign split_at  = (11'(row_q[7:1]) << half_log2) + 11'(segment_q[3:1]);
  assign at        = op_i.dst_split ? split_at : raster_at;

  // Of a pair, the even columns go to one half of the banks, the odd ones to the other.
  assign write_valid_o = write_q;
  for (genvar copy = 0; copy < 8; copy++) begin : gen_there
    (* keep *) logic there_q;
    (* keep *) always_ff @(posedge clk_i) there_q <= rst_ni && writes_q;
    assign write_there_o[copy] = there_q;
  end
  assign write_o.banks = op_i.dst_split ? {2{4'd1 << at_q[1:0]}} : 8'd1 << at_q[2:0];
  for (genvar half = 0; half < 2; half++) begin : gen_half
    logic odd;
    logic [63:0] word;
    assign odd  = op_i.dst_split && 1'(half) != at_q[2];
    assign word = op_i.dst_split ? every_second(pair_low_q, pair_high_q, odd) : pair_low_q;
    assign write_o.data[4*half+:4] = {4{word}};
    assign write_o.address[half] = write_base_q + 16'(at_q[10:3]) +
                                phase_offset(16'(plane_q), op_i.dst_split && write_odd_q, odd);
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

endmodule

`default_nettype wire
