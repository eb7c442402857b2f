// Which words of its weight rows a convolution needs when a mask turns inputs off: the record, and
// the words that hold a weight of an active input, as runs of neighbours.  Words are counted from
// the record on; a masked record is before them.
//
// A gap of one or two unneeded words between needed ones is read all the same: another burst costs
// more, and DRAM reads four words at a time.
// So are all words behind the last run that has a place in the list.
//
// Runs may be used as soon as the one behind them has begun.
`default_nettype none

module acs_weight_runs
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned Runs = 64,
  parameter int unsigned Gap  = 2
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,
  input  wire logic         start_i,
  input  wire instruction_t op_i,           // when it starts
  // Masks, 64 bits a word.
  input  wire mask_write_t  mask_write_i,
  output      logic         busy_o,         // cannot start
  // The runs, until the next start.
  output      logic         there_o,        // all of them
  output      logic [6:0]   count_o,        // by now
  input  wire logic [5:0]   a_run_i,
  output      run_t         a_run_o,
  input  wire logic [5:0]   b_run_i,
  output      run_t         b_run_o,
  // Words that they hold, instruction by instruction.
  output      logic         words_valid_o,
  output      logic [15:0]  words_o,
  input  wire logic         words_take_i
);
  // A copy of both, a cycle later.
  (* keep *) logic clear_q;
  (* keep *) always_ff @(posedge clk_i) clear_q <= !rst_ni || clear_i;

  (* ram_style = "distributed" *) run_t runs_q[Runs];
  logic busy_q, found_q, read_q, judged_q, closing_q;
  logic [4:0] mask_q;
  channels_t input_q, left_q;
  logic [5:0] input1_q, input2_q;  // its place in the mask's word
  logic [3:0] kernel_q;
  logic [5:0] taps_q;  // a cycle later
  logic [15:0] byte_q;  // of the row's weights, where those of the input begin
  logic [15:0] first_q, last_q;  // words of the input's weights
  run_t open_q;
  logic [15:0] near_last_q;  // the last word that is still near the open run
  logic [6:0] count_q;
  logic [15:0] words_q;
  logic active_q, full_q, near, append, words_room, done;
  logic [63:0] mask_word, mask_word_q;

  acs_ram #(
    .Width(64),
    .Depth(MASK_REGISTERS * MAX_LISTED / 64)
  ) u_masks (
    .clk_i,
    .write_i     (mask_write_i.valid),
    .write_addr_i(mask_write_i.address),
    .write_data_i(mask_write_i.data),
    .read_addr_i ({mask_q, input_q[6+:MASK_WORD_BITS]}),
    .read_data_o (mask_word)
  );

  // Input by input: its word of the mask is in a register two cycles after its number, its bit and
  // the words of its weights another cycle later.
  always_ff @(posedge clk_i) begin
    taps_q <= 6'(kernel_q * kernel_q);
    mask_word_q <= mask_word;
    input2_q <= input1_q;
    active_q <= read_q && mask_word_q[input2_q];
    first_q  <= 16'(RECORD_WORDS) + (byte_q >> 3);
    last_q   <= 16'(RECORD_WORDS) + ((byte_q + 16'(taps_q) - 16'd1) >> 3);
  end
  assign near   = first_q <= near_last_q || full_q;
  assign append = (active_q && !near) || closing_q;
  assign done   = closing_q;
  assign busy_o = busy_q || closing_q;

  always_ff @(posedge clk_i) begin
    if (clear_q) begin
      busy_q    <= 1'b0;
      found_q   <= 1'b0;
      read_q    <= 1'b0;
      judged_q  <= 1'b0;
      closing_q <= 1'b0;
      there_o   <= 1'b0;
      mask_q    <= '0;
      input_q   <= '0;
      left_q    <= '0;
      byte_q    <= '0;
      open_q    <= '0;
      full_q    <= 1'b0;
      count_q   <= '0;
      words_q   <= '0;
    end else begin
      found_q   <= busy_q && left_q != 0;
      read_q    <= found_q;
      judged_q  <= read_q;
      closing_q <= busy_q && left_q == 0 && !found_q && !read_q && !judged_q;
      if (busy_q && left_q != 0) begin
        input_q <= input_q + 1'b1;
        left_q  <= left_q - 1'b1;
      end
      if (read_q) byte_q <= byte_q + 16'(taps_q);
      if (active_q && near) open_q.last <= last_q;
      if (active_q) near_last_q <= last_q + 16'(Gap + 1);
      if (append) begin
        count_q <= count_q + 7'd1;
        full_q  <= count_q == 7'(Runs - 2);
        words_q <= words_q + open_q.last - open_q.first + 16'd1;
        open_q  <= '{first: first_q, last: last_q};
      end
      if (busy_q && left_q == 0 && !found_q && !read_q && !judged_q) busy_q <= 1'b0;
      if (done) there_o <= 1'b1;
      if (start_i) begin
        busy_q    <= 1'b1;
        there_o   <= 1'b0;
        mask_q    <= op_i.mask_in[4:0];
        input_q   <= '0;
        left_q    <= op_i.channels_in;
        kernel_q  <= op_i.kernel;
        byte_q    <= '0;
        open_q    <= '{first: '0, last: 16'(RECORD_WORDS - 1)};
        near_last_q <= 16'(RECORD_WORDS + Gap);
        full_q    <= 1'b0;
        count_q   <= '0;
        words_q   <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    input1_q <= input_q[5:0];
    if (append) runs_q[count_q[5:0]] <= open_q;
  end

  assign count_o = count_q;
  assign a_run_o = runs_q[a_run_i];
  assign b_run_o = runs_q[b_run_i];

  // The count is there a cycle after the last run.
  logic counted_q;
  always_ff @(posedge clk_i) counted_q <= !clear_q && done;
  acs_fifo #(
    .Width(16),
    .Depth(4)
  ) u_words (
    .clk_i,
    .rst_ni     (!clear_q),
    .in_valid_i (counted_q),
    .in_ready_o (words_room),
    .in_data_i  (words_q),
    .out_valid_o(words_valid_o),
    .out_ready_i(words_take_i),
    .out_data_o (words_o)
  );

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  one_start_at_a_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !busy_o)
  else $error("a start before the end of the last one");
  count_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) counted_q |-> words_room)
  else $error("a count without a place");
`endif

endmodule

`default_nettype wire
