// Receives the words of LINEARs ahead of their turn and lays them out for acs_linear: thresholds,
// channel records and weights lie in a buffer each, so that a row takes no more cycles than it has
// words of weights.
`default_nettype none

module acs_linear_feed
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        clear_i,        // a run begins or ends
  // The words that memory was asked for, in order.
  input  wire logic        job_valid_i,
  input  wire linear_job_t job_i,
  output      logic        fits_o,         // all its words have a place, whatever is taken before
  // Words from memory: of a gate, thresholds first; then rows.
  input  wire logic        data_valid_i,
  output      logic        data_ready_o,
  input  wire logic [63:0] data_i,
  input  wire logic        data_error_i,   // the word came with an error answer
  // To acs_linear, which takes each as it uses it.  A word of weights is valid only when the record
  // and the thresholds of its row are.
  output      logic        weights_valid_o,
  input  wire logic        weights_take_i,
  output      logic [63:0] weights_o,
  input  wire logic        record_take_i,
  output      constants_t  record_o,
  input  wire logic        thresholds_take_i,
  output      logic [63:0] thresholds_o,   // of two rows
  output      logic        error_o         // something taken now came with an error answer
);
  localparam int unsigned Weights = 512;  // words of weights that may wait
  localparam int unsigned Records = 128;
  localparam int unsigned Thresholds = MAX_LISTED / 2;  // words of them

  logic rst_n;
  assign rst_n = rst_ni && !clear_i;

  // What a job's words are compared with is worked out before it waits.
  typedef struct packed {
    channels_t   last_row;
    channels_t   last_threshold;  // the last word of thresholds
    logic [15:0] before_last;     // the last word but one of a row
  } job_t;
  logic job_valid, job_ready, job_done;
  logic at_hand_q;  // the words of job_q come
  logic gate;  // of `job`: thresholds come first
  job_t job, job_waits, job_q;
  assign job_waits = '{
      last_row: job_i.channels - 1'b1,
      last_threshold: ((job_i.channels + channels_t'(1)) >> 1) - 1'b1,
      before_last: job_i.row_words - 16'd2
    };
  acs_fifo #(
    .Width(1 + $bits(job_t)),
    .Depth(8),
    .OutputRegister(1'b1)
  ) u_jobs (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (job_valid_i),
    .in_ready_o (job_ready),
    .in_data_i  ({job_i.gate, job_waits}),
    .out_valid_o(job_valid),
    .out_ready_i(!at_hand_q),
    .out_data_o ({gate, job})
  );

  // Words of a job that fits are taken without any that acs_linear would take later.  What was
  // asked for and not yet taken counts; the sum may be late where something is taken, and job_i is
  // new for some cycles before it is valid.
  logic [27:0] weights_q, weights_after_q;
  channels_t rows_after_q, rows_owed_q;
  logic weights_taken_q;
  always_ff @(posedge clk_i) begin
    weights_taken_q <= rst_n && weights_take_i;
    weights_after_q <= weights_q + job_i.weights;
    rows_after_q    <= rows_owed_q + job_i.channels;
    fits_o          <= weights_after_q <= 28'(Weights) && rows_after_q <= channels_t'(Records);
    if (!rst_n) begin
      weights_q   <= '0;
      rows_owed_q <= '0;
    end else begin
      weights_q   <= weights_q + (job_valid_i ? job_i.weights : '0) - 28'(weights_taken_q);
      rows_owed_q <= rows_owed_q + (job_valid_i ? job_i.channels : '0) -
                     channels_t'(record_take_i);
    end
  end

  // A word waits here: where it belongs does not go back to memory in the same cycle.  A pointer
  // moves on when it is taken, so that few registers depend on that.
  logic word_valid, word_ready, word_error;
  logic [63:0] word;
  acs_fifo #(
    .Width(65),
    .Depth(2)
  ) u_words (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (data_valid_i),
    .in_ready_o (data_ready_o),
    .in_data_i  ({data_error_i, data_i}),
    .out_valid_o(word_valid),
    .out_ready_i(word_ready),
    .out_data_o ({word_error, word})
  );

  // Where a word belongs.  The job at hand has registers of its own: between its last word and the
  // first one of the next job lies a cycle.
  channels_t count_q;  // thresholds' words, then rows
  logic [15:0] word_q;  // of the row
  logic record_q, last_q, last_row_q;  // it is the record; the row's last one; of the last row
  logic to_thresholds_q, to_record, to_weights, take;
  logic thresholds_room_q, records_room_q, weights_room_q;
  record_t record;
  constants_t constants;

  assign to_record  = !to_thresholds_q && record_q;
  assign to_weights = !to_thresholds_q && !record_q;
  assign word_ready = at_hand_q && (to_thresholds_q ? thresholds_room_q :
                                    record_q ? records_room_q : weights_room_q);
  assign take       = word_valid && word_ready;
  assign job_done   = take && to_weights && last_q && last_row_q;

  // Room is counted here, not asked for: the buffers are far apart.  What acs_linear takes counts a
  // cycle late.  Between two records lies another word, so that their sum may be late, too.
  localparam int unsigned TB = $clog2(Thresholds) + 1;
  localparam int unsigned RB = $clog2(Records) + 1;
  localparam int unsigned WB = $clog2(Weights) + 1;
  logic [TB-1:0] thresholds_here_q;
  logic [RB-1:0] records_here_q;
  logic [WB-1:0] weights_here_q;
  logic thresholds_taken_q, threshold_comes, weight_comes;
  assign threshold_comes = take && to_thresholds_q;
  assign weight_comes    = take && to_weights;
  always_ff @(posedge clk_i) begin
    thresholds_taken_q <= rst_n && thresholds_take_i;
    if (!rst_n) begin
      thresholds_here_q <= '0;
      records_here_q    <= '0;
      weights_here_q    <= '0;
      thresholds_room_q <= 1'b1;
      records_room_q    <= 1'b1;
      weights_room_q    <= 1'b1;
    end else begin
      thresholds_here_q <= thresholds_here_q + TB'(threshold_comes) -
                           TB'(thresholds_taken_q);
      records_here_q    <= records_here_q + RB'(take && to_record) -
                           RB'(record_take_i);
      weights_here_q    <= weights_here_q + WB'(weight_comes) -
                           WB'(weights_taken_q);
      thresholds_room_q <= thresholds_here_q < TB'(Thresholds - 1) ||
                           (!threshold_comes && !thresholds_here_q[TB-1]);
      records_room_q    <= !records_here_q[RB-1];
      weights_room_q    <= weights_here_q < WB'(Weights - 1) ||
                           (!weight_comes && !weights_here_q[WB-1]);
    end
  end

  // A row has two words at least: its number is compared while the first one is taken.
  always_ff @(posedge clk_i) last_row_q <= count_q == job_q.last_row;

  always_ff @(posedge clk_i) begin
    if (!at_hand_q) begin
      job_q           <= job;
      to_thresholds_q <= gate;
    end else if (take && to_thresholds_q) begin
      to_thresholds_q <= count_q != job_q.last_threshold;
    end
    at_hand_q <= rst_n && (at_hand_q ? !job_done : job_valid);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      count_q  <= '0;
      word_q   <= '0;
      record_q <= 1'b1;
      last_q   <= 1'b0;
    end else if (take) begin
      if (to_thresholds_q) begin
        count_q <= count_q == job_q.last_threshold ? '0 : count_q + 1'b1;
      end else begin
        word_q   <= word_q + 16'd1;
        record_q <= 1'b0;
        last_q   <= word_q == job_q.before_last;
        if (last_q) begin
          word_q   <= '0;
          record_q <= 1'b1;
          last_q   <= 1'b0;
          count_q  <= last_row_q ? '0 : count_q + 1'b1;
        end
      end
    end
  end

  assign record    = decode_record(word);
  assign constants = '{
    bias: record.bias,
    mult: record.mult,
    shift: bounded_shift(record.shift)
  };

  // Words take a register on their way to their buffers, which lie far apart.  Words of weights are
  // between a record and the next one, and they take longer to be seen.
  logic threshold_comes_q, record_comes_q, weight_comes_q;
  logic [64:0] coming_q;
  logic [$bits(constants_t):0] coming_record_q;
  always_ff @(posedge clk_i) begin
    threshold_comes_q <= rst_n && threshold_comes;
    record_comes_q    <= rst_n && take && to_record;
    weight_comes_q    <= rst_n && weight_comes;
    coming_q          <= {word_error, word};
    coming_record_q   <= {word_error, constants};
  end

  logic thresholds_room, records_room, weights_room;
  logic thresholds_valid, thresholds_error, records_valid, record_error, weights_error;
  acs_fifo #(
    .Width(65),
    .Depth(Thresholds),
    .BlockRam(1'b1)
  ) u_thresholds (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (threshold_comes_q),
    .in_ready_o (thresholds_room),
    .in_data_i  (coming_q),
    .out_valid_o(thresholds_valid),
    .out_ready_i(thresholds_take_i),
    .out_data_o ({thresholds_error, thresholds_o})
  );
  // Two buffers of distributed RAM, one behind the other: block RAM would be far from acs_linear.
  logic early_valid, early_ready;
  logic [$bits(constants_t):0] early_record;
  acs_fifo #(
    .Width(1 + $bits(constants_t)),
    .Depth(Records / 2),
    .OutputRegister(1'b1)
  ) u_early_records (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (record_comes_q),
    .in_ready_o (records_room),
    .in_data_i  (coming_record_q),
    .out_valid_o(early_valid),
    .out_ready_i(early_ready),
    .out_data_o (early_record)
  );
  acs_fifo #(
    .Width(1 + $bits(constants_t)),
    .Depth(Records / 2),
    .OutputRegister(1'b1)
  ) u_records (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (early_valid),
    .in_ready_o (early_ready),
    .in_data_i  (early_record),
    .out_valid_o(records_valid),
    .out_ready_i(record_take_i),
    .out_data_o ({record_error, record_o})
  );
  // Block RAM is far from acs_linear: two words wait near it.
  logic stored_valid, stored_ready;
  logic [64:0] stored;
  acs_fifo #(
    .Width(65),
    .Depth(Weights),
    .BlockRam(1'b1)
  ) u_stored_weights (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (weight_comes_q),
    .in_ready_o (weights_room),
    .in_data_i  (coming_q),
    .out_valid_o(stored_valid),
    .out_ready_i(stored_ready),
    .out_data_o (stored)
  );
  acs_fifo #(
    .Width(65),
    .Depth(2)
  ) u_weights (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (stored_valid),
    .in_ready_o (stored_ready),
    .in_data_i  (stored),
    .out_valid_o(weights_valid_o),
    .out_ready_i(weights_take_i),
    .out_data_o ({weights_error, weights_o})
  );

  assign error_o = (weights_take_i && weights_valid_o && weights_error) ||
                   (record_take_i && record_error) || (thresholds_take_i && thresholds_error);

`ifndef SYNTHESIS
  job_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_n) job_valid_i |-> job_ready)
  else $error("a job without a place");
  words_have_place :
  assert property (@(posedge clk_i) disable iff (!rst_n)
                   !(threshold_comes_q && !thresholds_room) &&
                   !(record_comes_q && !records_room) && !(weight_comes_q && !weights_room))
  else $error("a word without a place");
  record_is_there :
  assert property (@(posedge clk_i) disable iff (!rst_n) record_take_i |-> records_valid)
  else $error("a row before its record");
  threshold_is_there :
  assert property (@(posedge clk_i) disable iff (!rst_n) thresholds_take_i |-> thresholds_valid)
  else $error("a row before its threshold");
`endif

endmodule

`default_nettype wire
