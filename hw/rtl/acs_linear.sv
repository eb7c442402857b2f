// LINEAR: bias plus eight products a word, a word a cycle.  Results go to the vector memory,
// directly or through the sigmoid table, to the result buffer as wide words, or to a mask.  The
// totals of GAVG end here too: they take the same requantization to the same bytes.
`default_nettype none

module acs_linear
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter bit Dsp = 1'b1  // products of a word take DSP slices
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         start_i,
  input  wire logic         discard_i,      // a run begins or ends
  input  wire logic         clear_i,        // a new instruction
  input  wire instruction_t op_i,
  input  wire logic         gavg_i,         // it is a GAVG
  output      logic         done_o,         // two cycles before the last result
  output      logic         gate_done_o,    // with the last word of a mask
  output      logic         totals_done_o,  // of GAVG, likewise two cycles before the last one
  output      logic         stall_o,
  // Weights, records of rows and thresholds, as they are used.
  input  wire logic         weights_valid_i,
  output      logic         weights_take_o,
  input  wire logic [63:0]  weights_i,
  output      logic         record_take_o,
  input  wire constants_t   record_i,
  output      logic         thresholds_take_o,
  input  wire logic [63:0]  thresholds_i,
  // GAVG.
  input  wire logic         total_valid_i,
  input  wire logic signed [31:0] total_i,
  // Vector memory.
  output      logic [15:0]  vector_read_addr_o,
  input  wire logic [63:0]  vector_data_i,
  output      logic         vector_write_o,
  output      logic [15:0]  vector_write_addr_o,
  output      logic [63:0]  vector_data_o,
  // Masks.
  output      mask_write_t  mask_write_o,   // of a word, once for each of its bits
  output      deciding_t    deciding_o,
  // Result words.
  output      logic         result_valid_o,
  input  wire logic         result_ready_i,
  output      logic [63:0]  result_o
);
  typedef enum logic [1:0] {
    StIdle,
    StRows,
    StDrain
  } state_e;
  localparam int unsigned Depth = 6;  // from a row's last sum to its result

  state_e state_q;
  logic is_gate, is_wide;
  channels_t row_q, last_row_q;
  logic [15:0] word_q, before_final_q;  // the last word of a row but one
  logic single_word_q;  // a row has one word of weights
  logic first_word_q, last_word_q, take;

  assign is_gate = op_i.linear_mode == LINEAR_GATE && !gavg_i;
  assign is_wide = op_i.linear_mode == LINEAR_WIDE && !gavg_i;

  // The instruction that is taken when this one is done is there with the last result: what a
  // result needs to know of its own is from the cycle before.
  logic result_gate_q, result_wide_q;
  logic [4:0] result_mask_q;
  always_ff @(posedge clk_i) begin
    result_gate_q   <= is_gate;
    result_wide_q   <= is_wide;
    result_mask_q   <= op_i.mask_out[4:0];
  end

  // Results leave through a buffer; rows wait while it could overflow.
  logic fifo_ready, out_valid, takes_q;  // rows are to be taken, and their results have room
  logic [4:0] fill_q;
  logic [63:0] out_data;

  assign take           = weights_valid_i && takes_q;
  assign weights_take_o = take;
  // A record is let go a cycle later, when the products of its row's last word are under way.
  always_ff @(posedge clk_i) record_take_o <= rst_ni && !discard_i && take && last_word_q;
  assign stall_o = state_q == StRows && !weights_valid_i;

  // Products: the vector's word arrives one cycle after its address, and both factors are
  // registered before they meet, which is what a DSP slice has its input registers for.
  logic read_valid_q, read_first_q, read_end_q, mac_valid_q, mac_first_q, mac_end_q;
  logic signed_q;
  logic [63:0] weights_q, weight_q, vector_q;
  logic signed [7:0][17:0] product_q;
  logic product_valid_q, product_end_q;
  logic signed [31:0] products, sum_q, sum_next;

  assign vector_read_addr_o = op_i.vec_src + word_q;

  for (genvar i = 0; i < 8; i++) begin : gen_product
    acs_product #(
      .ABits  (9),
      .BBits  (8),
      .Bits   (18),
      .SignedB(1'b1),
      .Dsp    (Dsp)
    ) u_product (
      .clk_i,
      .a_i      ({signed_q & vector_q[8*i+7], vector_q[8*i+:8]}),
      .b_i      (weight_q[8*i+:8]),
      .summand_i('0),
      .result_o (product_q[i])
    );
  end

  always_comb begin
    products = '0;
    for (int i = 0; i < 8; i++) products = products + 32'(signed'(product_q[i]));
  end
  assign sum_next = sum_q + products;

  // A finished sum: of a row, or of GAVG.
  logic done_valid_q;
  logic signed [31:0] done_sum_q;
  logic [15:0] done_mult_q;
  logic [5:0] done_shift_q;
  channels_t sum_row_q;
  logic last_sum_q;  // the next sum is the last one
  // A row's record goes with its products.  Its sum begins with the bias.
  constants_t mac_record_q;
  logic [15:0] product_mult_q;
  logic [5:0] product_shift_q;

  always_ff @(posedge clk_i) begin
    signed_q      <= op_i.src_signed;
    weights_q     <= weights_i;
    weight_q      <= weights_q;
    vector_q      <= vector_data_i;
    mac_record_q  <= record_i;
    product_mult_q  <= mac_record_q.mult;
    product_shift_q <= mac_record_q.shift;
    done_sum_q    <= gavg_i ? total_i : sum_next;
    done_mult_q   <= gavg_i ? op_i.mult : product_mult_q;
    done_shift_q  <= gavg_i ? op_i.shift : product_shift_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || discard_i) begin
      read_valid_q    <= 1'b0;
      read_first_q    <= 1'b0;
      read_end_q      <= 1'b0;
      mac_valid_q     <= 1'b0;
      mac_first_q     <= 1'b0;
      mac_end_q       <= 1'b0;
      product_valid_q <= 1'b0;
      product_end_q   <= 1'b0;
      done_valid_q    <= 1'b0;
      sum_q           <= '0;
      sum_row_q       <= '0;
    end else begin
      read_valid_q    <= take;
      read_first_q    <= take && first_word_q;
      read_end_q      <= take && last_word_q;
      mac_valid_q     <= read_valid_q;
      mac_first_q     <= read_first_q;
      mac_end_q       <= read_end_q;
      product_valid_q <= mac_valid_q;
      product_end_q   <= mac_end_q;
      if (mac_first_q) sum_q <= mac_record_q.bias;
      else if (product_valid_q) sum_q <= sum_next;
      done_valid_q <= product_end_q || total_valid_i;
      if (done_valid_q) sum_row_q <= last_sum_q ? '0 : sum_row_q + 1'b1;
    end
  end

  logic signed [31:0] wide;
  logic [7:0] narrow;
  places_t places;
  logic signed_result_q;
  acs_places u_places (
    .clk_i,
    .shift_i (done_shift_q),
    .places_o(places)
  );
  acs_requantize #(
    .Wide(1'b1)
  ) u_requantize (
    .clk_i,
    .acc_i     (done_sum_q),
    .mult_i    (done_mult_q),
    .residual_i('0),
    .factor_i  ('0),
    .places_i  (places),
    .signed_i  (signed_result_q),
    .wide_o    (wide),
    .narrow_o  (narrow)
  );

  // The gate decides beside the requantization, and waits for as long.
  // Two thresholds make a word.
  logic signed [31:0] compared_q, threshold_q;
  logic [3:0] open_q;
  logic decides_q;  // the sums are those of a gate
  logic [Depth-2:0] valid_q;
  logic [Depth-3:0] last_q;  // the last one of the instruction
  logic is_sigmoid, is_sigmoid_q, last_done;
  assign thresholds_take_o = done_valid_q && decides_q && (sum_row_q[0] || last_sum_q);
  always_ff @(posedge clk_i) begin
    decides_q   <= is_gate && state_q != StIdle;
    threshold_q <= sum_row_q[0] ? thresholds_i[63:32] : thresholds_i[31:0];
    compared_q  <= done_sum_q;
    open_q      <= {open_q[2:0], compared_q > threshold_q};
    // The last step is for the sigmoid alone.
    valid_q <= {valid_q[Depth-3:0], done_valid_q};
    last_q  <= {is_sigmoid_q && last_q[Depth-4], last_q[Depth-5:0], done_valid_q && last_sum_q};
    if (!rst_ni || discard_i) begin
      valid_q <= '0;
      last_q  <= '0;
    end
  end
  assign last_done = is_sigmoid_q ? last_q[Depth-3] : last_q[Depth-4];

  // Results: bounded, then put together to words; in between, a cycle more, is the table of the
  // sigmoid.  A register directly behind it lets tools see that the look-up has a cycle to itself.
  logic signed [31:0] wide_q;
  logic [7:0] narrow_q, sigmoid_q, value;
  always_ff @(posedge clk_i) begin
    wide_q          <= wide;
    narrow_q        <= narrow;
    sigmoid_q       <= sigmoid(narrow_q);
    signed_result_q <= op_i.dst_signed || (op_i.linear_mode == LINEAR_SIGMOID && !gavg_i);
    is_sigmoid_q <= is_sigmoid;
  end
  assign is_sigmoid = op_i.linear_mode == LINEAR_SIGMOID && !gavg_i;
  assign value = is_sigmoid_q ? sigmoid_q : narrow_q;

  channels_t result_q;
  channels_t before_last_q;
  logic last_result_q, totals_done_q;
  logic [63:0] pending_q, pending;

  // Memories for results lie far apart.  What is done with a result is decided among registers in
  // the cycle before it comes, so that only the choice of each bit stands before their inputs.
  channels_t next_place, place_after;  // of the next result; where one comes now
  channels_t successor_q;  // of result_q
  logic next_comes, next_last, next_complete, now_last, after_last;
  function automatic logic fills(input logic [5:0] place);  // the last one of a word
    return is_wide ? place[0] : is_gate ? &place : &place[2:0];
  endfunction
  logic comes_q, complete_q;  // a result is there; it completes its word
  (* keep *) logic joins_q;  // a copy of comes_q, where words are put together
  logic push_q, vector_write_q, mask_write_q, gate_done_q;
  logic [15:0] vector_addr_q;
  logic [63:0] here_q;  // bits of the word that are the result's
  logic [31:0] value_bits;
  // The last step is for the sigmoid alone.
  assign next_comes = is_sigmoid ? is_sigmoid_q && valid_q[Depth-2] : valid_q[Depth-3];
  // Whether the next sum and the next result are the last ones is known before they come.
  // Both ways are worked out side by side: whether a result comes now chooses between them last.
  assign after_last    = successor_q == last_row_q;
  assign now_last      = result_q == last_row_q;
  assign place_after   = last_result_q ? '0 : successor_q;
  assign next_last     = comes_q ? after_last : now_last;
  assign next_place    = comes_q ? place_after : result_q;
  assign next_complete = comes_q ? after_last || fills(place_after[5:0])
                                 : now_last || fills(result_q[5:0]);
  always_ff @(posedge clk_i) begin
    last_row_q    <= op_i.channels - 1'b1;
    before_last_q <= op_i.channels - channels_t'(2);
    last_sum_q    <= done_valid_q ? sum_row_q == before_last_q : sum_row_q == last_row_q;
    last_result_q <= next_last;
    totals_done_q <= rst_ni && !clear_i && (totals_done_q || last_q[Depth-5]);
    complete_q    <= next_complete;
    vector_addr_q <= op_i.vec_dst + 16'(next_place[$bits(next_place)-1:3]);
    for (int i = 0; i < 64; i++) begin
      if (is_wide) here_q[i] <= next_place[0] == 1'(i / 32);
      else if (is_gate) here_q[i] <= next_place[5:0] == 6'(i);
      else here_q[i] <= next_place[2:0] == 3'(i / 8);
    end
    comes_q        <= next_comes;
    push_q         <= next_comes && next_complete && (is_wide || is_gate);
    vector_write_q <= next_comes && next_complete && !is_wide && !is_gate;
    mask_write_q   <= next_comes && is_gate;
    gate_done_q    <= next_comes && next_last && is_gate;
    if (!rst_ni || discard_i) begin
      comes_q        <= 1'b0;
      push_q         <= 1'b0;
      vector_write_q <= 1'b0;
      mask_write_q   <= 1'b0;
      gate_done_q    <= 1'b0;
    end
  end
  (* keep *) always_ff @(posedge clk_i) joins_q <= rst_ni && !discard_i && next_comes;
  assign value_bits = result_wide_q ? wide_q : result_gate_q ? {32{open_q[3]}} : {4{value}};
  assign pending    = (here_q & {2{value_bits}}) | (~here_q & pending_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni || discard_i) begin
      result_q    <= '0;
      successor_q <= channels_t'(1);
      pending_q   <= '0;
    end else if (joins_q) begin
      result_q    <= place_after;
      successor_q <= last_result_q ? channels_t'(1) : successor_q + 1'b1;
      pending_q   <= complete_q ? '0 : pending;
    end
  end

  assign vector_write_o      = vector_write_q;
  assign vector_write_addr_o = vector_addr_q;
  assign vector_data_o       = pending;
  assign mask_write_o        = '{
      valid: mask_write_q,
      address: {result_mask_q, result_q[6+:MASK_WORD_BITS]},
      data: pending
    };

  acs_fifo #(
    .Width(64),
    .Depth(16),
    .OutputRegister(1'b1)
  ) u_results (
    .clk_i,
    .rst_ni,
    .in_valid_i (push_q),
    .in_ready_o (fifo_ready),
    .in_data_i  (pending),
    .out_valid_o(out_valid),
    .out_ready_i(result_ready_i),
    .out_data_o (out_data)
  );
  assign done_o = state_q == StDrain && last_done;
  // A mask is written bit by bit: lists may be made of it while it grows.
  logic deciding_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || discard_i) deciding_q <= 1'b0;
    else if (start_i) deciding_q <= is_gate;
    else if (gate_done_o) deciding_q <= 1'b0;
  end
  assign deciding_o     = '{busy: deciding_q, decided: result_q};
  assign gate_done_o    = gate_done_q;
  assign totals_done_o  = !gavg_i || totals_done_q;
  assign result_valid_o = out_valid;
  assign result_o       = out_data;

  // A row's last word is told a word ahead.
  always_ff @(posedge clk_i) begin
    before_final_q <= op_i.row_words - 16'(RECORD_WORDS) - 16'd2;
    single_word_q  <= op_i.row_words == 16'(RECORD_WORDS + 1);
    first_word_q   <= state_q == StIdle || (take ? last_word_q : first_word_q);
    if (state_q == StIdle) last_word_q <= op_i.row_words == 16'(RECORD_WORDS + 1);
    else if (take) last_word_q <= last_word_q ? single_word_q : word_q == before_final_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q     <= StIdle;
      row_q       <= '0;
      word_q      <= '0;
      fill_q      <= '0;
      takes_q     <= 1'b0;
    end else begin
      fill_q <= fill_q + 5'(push_q) - 5'(out_valid && result_ready_i);
      // Room is seen a cycle late: one row more may be under way.
      takes_q <= fill_q < 5'd7 && (state_q == StRows ? !(take && last_word_q && row_q == last_row_q)
                                                     : state_q == StIdle && start_i);
      unique case (state_q)
        StIdle: begin
          row_q       <= '0;
          word_q      <= '0;
          if (start_i) state_q <= StRows;
        end
        StRows: begin
          if (take) begin
            word_q <= word_q + 16'd1;
            if (last_word_q) begin
              word_q <= '0;
              row_q  <= row_q + 1'b1;
              if (row_q == last_row_q) state_q <= StDrain;
            end
          end
        end
        StDrain: begin
          // Result words leave in order before all that is written later.
          if (done_o) state_q <= StIdle;
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  logic done_q, told_q;
  always_ff @(posedge clk_i) begin
    done_q <= rst_ni && last_done;
    told_q <= rst_ni && done_q;
  end
  last_sum_in_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni || discard_i)
                   done_valid_q |-> last_sum_q == (sum_row_q == op_i.channels - 1'b1))
  else $error("the last sum is not told in time");
  done_in_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni || discard_i)
                   told_q == (comes_q && last_result_q))
  else $error("not done two cycles before the last result");
  result_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) push_q |-> fifo_ready)
  else $error("a result without a place");
`endif

endmodule

`default_nettype wire
