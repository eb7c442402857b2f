// LOAD: words of the image to segments of the feature memory, raster or split.  Memory holds plane
// by plane; the words are asked for in bands of rows, of every channel before the next band, so
// that a convolution may begin with the first rows while others are on their way.
`default_nettype none

module acs_load
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         start_i,
  input  wire instruction_t op_i,           // from start_i to done_o
  input  wire logic [63:0]  image_i,        // address of the image buffer
  output      logic         asked_o,        // one cycle: all words were asked for
  output      logic         done_o,         // one cycle
  output      logic         busy_o,         // words are still to be stored
  output      logic [7:0]   rows_o,         // rows that all channels have stored meanwhile
  // Read master.
  output      logic         req_valid_o,
  input  wire logic         req_ready_i,
  output      span_t        req_o,
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  // Feature memory.
  output      logic         write_valid_o,
  input  wire logic         write_ready_i,
  output      logic [7:0]   write_there_o,  // copies of write_valid_o, one for each segment
  output      block_write_t write_o
);
  // Words of a channel in a band: a block.  So many such requests may be on their way; those of
  // other readers come between them.
  localparam int unsigned BandWords = 8;
  localparam int unsigned Requests = 6;

  // What follows from the instruction, which is there before its first request.
  logic [3:0] row_words_q, last_segment_q;
  logic [3:0] band_rows_q, band_words_q;
  logic [7:0] last_row_q;
  channels_t last_channel_q;
  logic [11:0] channel_words_q, lower_q, upper_q;
  always_ff @(posedge clk_i) begin
    row_words_q     <= 4'((9'(op_i.dst_width) + 9'd7) >> 3);
    last_segment_q  <= row_words_q - 4'd1;
    band_rows_q     <= 4'(BandWords) >> op_i.row_log2;
    band_words_q    <= 4'(row_words_q << (2'd3 - op_i.row_log2));
    last_row_q      <= op_i.dst_height - 8'd1;
    last_channel_q  <= op_i.channels - 1'b1;
    // A product, of look-up tables: multipliers are scarce.
    lower_q         <= (row_words_q[1] ? 12'(op_i.dst_height) << 1 : '0) +
                       (row_words_q[0] ? 12'(op_i.dst_height) : '0);
    upper_q          <= (row_words_q[3] ? 12'(op_i.dst_height) << 3 : '0) +
                       (row_words_q[2] ? 12'(op_i.dst_height) << 2 : '0);
    channel_words_q <= lower_q + upper_q;
  end

  // Requests.  Four cycles after the instruction all of the above is there.
  logic [2:0] starts_q;
  logic asks_q;  // words are still to be asked for
  logic [24:0] band_offset_q, offset_q;  // words before the band; before its part of the channel
  logic [11:0] left_q;  // words of a channel from the band on
  channels_t ask_channel_q;
  logic last_band_q, last_ask_q;
  logic [3:0] under_way_q;
  logic asked, part_ends;
  assign asked = req_valid_o && req_ready_i;
  always_ff @(posedge clk_i) begin
    starts_q      <= {starts_q[1:0], start_i};
    // What the next request is gets known in the cycle in which this is decided.
    req_valid_o   <= rst_ni && asks_q && !asked && under_way_q < 4'(Requests);
    last_band_q   <= left_q <= 12'(band_words_q);
    last_ask_q    <= ask_channel_q == last_channel_q;
    req_o.address <= image_i + {36'b0, offset_q, 3'b0};
    req_o.words   <= left_q <= 12'(band_words_q) ? 32'(left_q) : 32'(band_words_q);
    asked_o       <= rst_ni && asked && last_ask_q && last_band_q;
    if (asked) begin
      ask_channel_q <= ask_channel_q + 1'b1;
      offset_q      <= offset_q + 25'(channel_words_q);
      if (last_ask_q) begin
        ask_channel_q <= '0;
        band_offset_q <= band_offset_q + 25'(band_words_q);
        offset_q      <= band_offset_q + 25'(band_words_q);
        left_q        <= left_q - 12'(band_words_q);
      end
    end
    if (starts_q[2]) begin
      ask_channel_q <= '0;
      band_offset_q <= '0;
      offset_q      <= '0;
      left_q        <= channel_words_q;
    end
    if (!rst_ni) begin
      starts_q    <= '0;
      asks_q      <= 1'b0;
      under_way_q <= '0;
    end else begin
      if (starts_q[2]) asks_q <= 1'b1;
      else if (asked && last_ask_q && last_band_q) asks_q <= 1'b0;
      under_way_q <= under_way_q + 4'(asked) - 4'(part_ends);
    end
  end

  // Words that came wait here while results of the convolution that follows are stored.
  logic there, moves;
  logic [63:0] data;
  acs_fifo #(
    .Width(64),
    .Depth(4)
  ) u_words (
    .clk_i,
    .rst_ni,
    .in_valid_i (data_valid_i),
    .in_ready_o (data_ready_o),
    .in_data_i  (data_i),
    .out_valid_o(there),
    .out_ready_i(moves),
    .out_data_o (data)
  );

  // The place of the word that comes next.
  logic [3:0] coming_segment_q;
  logic [7:0] coming_row_q, band_first_q, band_last_q;
  channels_t coming_channel_q;
  logic comes, row_comes, band_comes;  // a word; the last one of a row; of a band
  assign comes      = there && moves;
  assign row_comes  = comes && coming_segment_q == last_segment_q;
  assign part_ends  = row_comes && coming_row_q == band_last_q;
  assign band_comes = part_ends && coming_channel_q == last_channel_q;
  always_ff @(posedge clk_i) begin
    if (comes) coming_segment_q <= coming_segment_q + 4'd1;
    if (row_comes) begin
      coming_segment_q <= '0;
      coming_row_q     <= coming_row_q + 8'd1;
    end
    if (part_ends) begin
      coming_row_q     <= band_first_q;
      coming_channel_q <= coming_channel_q + 1'b1;
    end
    if (band_comes) begin
      coming_row_q     <= band_last_q + 8'd1;
      band_first_q     <= band_last_q + 8'd1;
      band_last_q      <= last_row_q - band_last_q <= 8'(band_rows_q) ? last_row_q
                                                                    : band_last_q + 8'(band_rows_q);
      coming_channel_q <= '0;
    end
    if (starts_q[2]) begin
      coming_segment_q <= '0;
      coming_row_q     <= '0;
      coming_channel_q <= '0;
      band_first_q     <= '0;
      band_last_q      <= last_row_q < 8'(band_rows_q) ? last_row_q : 8'(band_rows_q) - 8'd1;
    end
  end

  // The word that came, its place, and what it completes.
  logic word_valid_q, part_ends_q, band_ends_q, image_ends_q, writes_q;
  logic [3:0] segment_q;
  logic [7:0] row_q;
  logic [15:0] base_q;
  logic [63:0] word_q, low_q, pair_low_q, pair_high_q;
  logic [1:0] half_log2;
  logic [10:0] plane_q, raster_at, split_at, at, at_q;
  logic [63:0] pair_low, pair_high;
  logic write_odd_q;  // row
  logic [15:0] write_base_q;
  logic write_q, band_stored_q, last_q;  // a write; the last one of its band; of the image
  logic [7:0] stored_row_q;
  assign moves = !write_q || write_ready_i;
  always_ff @(posedge clk_i) begin
    if (moves) begin
      word_valid_q <= rst_ni && comes;
      // Of a pair that is split, the first word waits for the second one.
      writes_q     <= rst_ni && comes && (!op_i.dst_split || coming_segment_q[0] || row_comes);
      word_q       <= data;
      segment_q    <= coming_segment_q;
      row_q        <= coming_row_q;
      part_ends_q  <= rst_ni && part_ends;
      band_ends_q  <= rst_ni && band_comes;
      image_ends_q <= rst_ni && band_comes && band_last_q == last_row_q;
    end
    if (!rst_ni) begin
      word_valid_q <= 1'b0;
      writes_q     <= 1'b0;
    end
  end
  assign pair_low  = segment_q[0] ? low_q : word_q;
  assign pair_high = segment_q[0] ? word_q : '0;

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!rst_ni) begin
      write_q <= 1'b0;
      base_q  <= '0;
      busy_o  <= 1'b0;
      rows_o  <= '0;
    end else begin
      if (moves) begin
        write_q <= writes_q;
        if (word_valid_q && part_ends_q)
          base_q <= band_ends_q ? op_i.dst_base : base_q + op_i.dst_step;
      end
      // Writes that the feature memory has accepted come before all reads that follow.
      if (write_q && write_ready_i && band_stored_q) rows_o <= stored_row_q + 8'd1;
      if (write_q && write_ready_i && last_q) begin
        done_o <= 1'b1;
        busy_o <= 1'b0;
      end
      if (start_i) begin
        base_q <= op_i.dst_base;
        busy_o <= 1'b1;
        rows_o <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (moves) begin
      band_stored_q <= band_ends_q;
      last_q        <= image_ends_q;
      stored_row_q  <= row_q;
    end
    if (moves && word_valid_q) begin
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
  // write_q itself stays here, where all registers wait for it.
  assign write_valid_o = write_there_o[0];
  for (genvar copy = 0; copy < 8; copy++) begin : gen_there
    (* keep *) logic there_q;
    (* keep *) always_ff @(posedge clk_i) there_q <= rst_ni && (moves ? writes_q : there_q);
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
