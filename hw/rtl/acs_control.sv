// The sequencer: fetch, check, run, trace, count; at the end the result header.
`default_nettype none

module acs_control
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             start_i,
  output      logic             done_o,
  input  wire logic [3:0][63:0] pointers_i,
  input  wire logic [3:0][31:0] sizes_i,
  input  wire logic             trace_i,
  output      logic [7:0]       status_o,
  output      logic [31:0]      fault_index_o,
  // Units.
  output      instruction_t     op_o,
  output      logic             clear_o,       // a new instruction is about to start
  output      logic             array_start_o,
  output      logic             load_start_o,
  output      logic             linear_start_o,
  output      logic             copy_start_o,
  output      logic             copy_from_vector_o,
  output      logic             copy_to_vector_o,
  output      logic [15:0]      copy_block_o,
  output      logic [15:0]      copy_vector_o,
  output      logic [19:0]      copy_words_o,
  input  wire logic             array_done_i,
  input  wire logic             bad_table_i,
  input  wire logic             load_done_i,
  input  wire logic             linear_done_i,
  input  wire logic             copy_done_i,
  // Events to count.
  input  wire logic             iteration_i,
  input  wire logic             group_i,
  input  wire logic             table_i,
  input  wire logic [1:0][10:0] active_i,
  input  wire logic [1:0][10:0] masked_i,
  input  wire logic             stall_i,
  // Read master: the program and the image.
  output      logic             req_valid_o,
  input  wire logic             req_ready_i,
  output      logic [63:0]      req_addr_o,
  output      logic [31:0]      req_words_o,
  output      logic             fetching_o,
  input  wire logic             data_valid_i,
  input  wire logic [63:0]      data_i,
  input  wire logic             read_error_i,
  // Write master.
  output      logic             clear_error_o,
  output      logic             wreq_valid_o,
  input  wire logic             wreq_ready_i,
  output      logic [63:0]      wreq_addr_o,
  output      logic [31:0]      wreq_words_o,
  output      logic             header_valid_o,
  input  wire logic             header_ready_i,
  output      logic [63:0]      header_o,
  input  wire logic             write_idle_i,
  input  wire logic             write_error_i
);
  typedef enum logic [3:0] {
    StIdle, StNext, StFetchAsk, StFetch, StCheck, StAskImage, StAskResult, StRun, StTraceAsk,
    StTrace, StDone, StFlush, StHeaderAsk, StHeader, StFinish
  } state_e;

  state_e             state_q;
  instruction_words_t words_q;
  instruction_t       op, decoded;
  logic [2:0]         step_q;
  logic [28:0]        index_q;
  logic [7:0]         code_q, verdict;
  logic [3:0]         header_q;
  logic               checked, is_linear_result, bus_error, ran;

  // Counters of the result header.
  logic [63:0] instructions_q, iterations_q, executed_q, skipped_q, read_q, written_q, cycles_q,
               stalls_q;
  logic [63:0] macs_executed, macs_skipped;
  logic [20:0] pairs_q;              // of active inputs and outputs, over all groups
  logic        add_macs, macs_busy, skips_busy;
  amounts_t    amounts;
  logic [31:0] trace_words, result_words;

  assign decoded = decode(words_q);
  always_comb begin
    op = decoded;
    if (!trace_i) op.trace_addr = '0;
  end
  assign op_o = op;

  acs_check #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords)
  ) u_check (
    .clk_i,
    .rst_ni,
    .start_i  (state_q == StFetch && data_valid_i && step_q == 3'(INSTRUCTION_WORDS - 1)),
    .words_i  (words_q),
    .op_i     (op),
    .sizes_i  (sizes_i),
    .valid_o  (checked),
    .status_o (verdict),
    .amounts_o(amounts)
  );

  always_comb begin
    unique case (op.opcode)
      OP_GAVG, OP_LINEAR: trace_words = (32'(op.channels) + 32'd7) >> 3;
      OP_FLATTEN:         trace_words = 32'(amounts.flat_blocks) << 3;
      default:            trace_words = 32'(amounts.trace_blocks) << 3;
    endcase
  end

  assign is_linear_result = op.opcode == OP_LINEAR &&
                            (op.linear_mode == LINEAR_WIDE || op.linear_mode == LINEAR_GATE);
  assign result_words = op.linear_mode == LINEAR_WIDE ? (32'(op.channels) + 32'd1) >> 1
                                                      : (32'(op.channels) + 32'd63) >> 6;
  assign bus_error = read_error_i || write_error_i;

  // Requests.
  assign req_valid_o = state_q == StFetchAsk || state_q == StAskImage;
  assign req_addr_o  = state_q == StFetchAsk ? pointers_i[0] + {29'b0, index_q, 6'b0}
                                               : pointers_i[2];
  assign req_words_o = state_q == StFetchAsk ? 32'(INSTRUCTION_WORDS) : 32'(amounts.image_words);
  assign fetching_o  = state_q == StFetchAsk || state_q == StFetch;

  assign wreq_valid_o = state_q == StAskResult || state_q == StTraceAsk || state_q == StHeaderAsk;
  always_comb begin
    wreq_addr_o  = pointers_i[3];
    wreq_words_o = 32'(HEADER_WORDS);
    if (state_q == StAskResult) begin
      wreq_addr_o  = pointers_i[3] + {37'b0, op.result_addr, 3'b0};
      wreq_words_o = result_words;
    end else if (state_q == StTraceAsk) begin
      wreq_addr_o  = pointers_i[3] + {37'b0, op.trace_addr, 3'b0};
      wreq_words_o = trace_words;
    end
  end

  // Starts: when a unit's requests, if any, are under way.
  logic launch;
  assign launch         = state_q == StRun && step_q == 0;
  assign array_start_o  = launch && (op.opcode == OP_CONV || op.opcode == OP_ELTWISE ||
                                     op.opcode == OP_POOL || op.opcode == OP_SCALE ||
                                     op.opcode == OP_GAVG);
  assign load_start_o   = launch && op.opcode == OP_LOAD;
  assign linear_start_o = launch && op.opcode == OP_LINEAR;
  assign copy_start_o   = (launch && op.opcode == OP_FLATTEN) ||
                          (state_q == StTrace && step_q == 0);
  assign copy_to_vector_o   = state_q == StRun;
  assign copy_from_vector_o = state_q == StTrace && (op.opcode == OP_GAVG ||
                                                    op.opcode == OP_LINEAR ||
                                                    op.opcode == OP_FLATTEN);
  assign copy_block_o   = copy_to_vector_o ? op.src_base : op.dst_base;
  assign copy_vector_o  = op.vec_dst;
  assign copy_words_o   = copy_to_vector_o ? 20'(amounts.flat_blocks) << 3 : trace_words[19:0];
  assign ran            = array_done_i || load_done_i || linear_done_i || copy_done_i;
  assign clear_o        = state_q == StCheck;
  assign clear_error_o  = state_q == StIdle;

  assign add_macs = state_q == StDone && (op.opcode == OP_CONV || op.opcode == OP_LINEAR);
  acs_mac_counter u_executed (
    .clk_i,
    .rst_ni,
    .clear_i (start_i),
    .add_i   (add_macs),
    .count_i (op.opcode == OP_CONV ? pairs_q : 21'(op.channels)),
    .factor_i(op.opcode == OP_CONV ? amounts.per_pair
                                   : {1'b0, op.row_words - 16'(RECORD_WORDS), 3'b0}),
    .busy_o  (macs_busy),
    .total_o (macs_executed)
  );
  acs_mac_counter u_skipped (
    .clk_i,
    .rst_ni,
    .clear_i (start_i),
    .add_i   (add_macs && op.opcode == OP_CONV),
    .count_i (amounts.dense - pairs_q),
    .factor_i(amounts.per_pair),
    .busy_o  (skips_busy),
    .total_o (macs_skipped)
  );

  always_comb begin
    unique case (32'(header_q))
      HEADER_SPEC_HASH:         header_o = 64'(SPEC_HASH);
      HEADER_STATUS:            header_o = 64'(code_q);
      HEADER_FAULT_INDEX:       header_o = 64'(index_q);
      HEADER_INSTRUCTIONS:      header_o = instructions_q;
      HEADER_ARRAY_ITERATIONS:  header_o = iterations_q;
      HEADER_MACS_EXECUTED:     header_o = macs_executed;
      HEADER_MACS_SKIPPED:      header_o = macs_skipped;
      HEADER_CHANNELS_EXECUTED: header_o = executed_q;
      HEADER_CHANNELS_SKIPPED:  header_o = skipped_q;
      HEADER_READ_WORDS:        header_o = read_q;
      HEADER_WRITTEN_WORDS:     header_o = written_q;
      HEADER_CYCLES:            header_o = cycles_q;
      HEADER_STALL_CYCLES:      header_o = stalls_q;
      default:                  header_o = '0;
    endcase
  end
  assign header_valid_o = state_q == StHeader;

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!rst_ni) begin
      state_q       <= StIdle;
      step_q        <= '0;
      index_q       <= '0;
      code_q        <= '0;
      header_q      <= '0;
      words_q       <= '0;
      status_o      <= '0;
      fault_index_o <= '0;
      pairs_q       <= '0;
      instructions_q <= '0;
      iterations_q  <= '0;
      executed_q    <= '0;
      skipped_q     <= '0;
      read_q        <= '0;
      written_q     <= '0;
      cycles_q      <= '0;
      stalls_q      <= '0;
    end else begin
      // The header carries the cycles up to its own first word.
      if (state_q != StHeader && state_q != StHeaderAsk) cycles_q <= cycles_q + 64'd1;
      stalls_q     <= stalls_q + 64'(stall_i);
      iterations_q <= iterations_q + 64'(iteration_i);
      if (group_i) begin
        pairs_q    <= pairs_q + 21'(active_i[0]) * 21'(active_i[1]);
        executed_q <= executed_q + 64'(active_i[1]);
        skipped_q  <= skipped_q + 64'(masked_i[1]);
        read_q     <= read_q + 64'(active_i[1]) * 64'(op.row_words) +
                      (op.masked_zero ? '0 : 64'(masked_i[1]) << 1);
      end
      if (table_i) read_q <= read_q + ((64'(amounts.inputs) + 64'(amounts.outputs) + 64'd3) >> 2);

      unique case (state_q)
        StIdle: begin
          index_q  <= '0;
          header_q <= '0;
          if (start_i) begin
            state_q        <= StNext;
            code_q         <= STATUS_OK;
            instructions_q <= '0;
            iterations_q   <= '0;
            executed_q     <= '0;
            skipped_q      <= '0;
            read_q         <= '0;
            written_q      <= '0;
            cycles_q       <= '0;
            stalls_q       <= '0;
          end
        end
        StNext: begin
          step_q  <= '0;
          pairs_q <= '0;
          state_q <= StFetchAsk;
          if ((34'(index_q) + 34'd1) * 34'(INSTRUCTION_WORDS) > 34'(sizes_i[0])) begin
            code_q  <= STATUS_NO_END;
            state_q <= StFlush;
          end
        end
        StFetchAsk: if (req_ready_i) state_q <= StFetch;
        StFetch: begin
          if (data_valid_i) begin
            words_q[step_q] <= data_i;
            step_q          <= step_q + 3'd1;
            if (step_q == 3'(INSTRUCTION_WORDS - 1)) begin
              state_q <= StCheck;
              read_q  <= read_q + 64'(INSTRUCTION_WORDS);
            end
          end
        end
        StCheck: begin
          step_q <= '0;
          if (checked) begin
            if (bus_error) begin
              code_q  <= STATUS_BUS_ERROR;
              state_q <= StFlush;
            end else if (verdict != STATUS_OK) begin
              code_q  <= verdict;
              state_q <= StFlush;
            end else if (op.opcode == OP_END) begin
              instructions_q <= instructions_q + 64'd1;
              state_q        <= StFlush;
            end else if (op.opcode == OP_LOAD) state_q <= StAskImage;
            else if (is_linear_result) state_q <= StAskResult;
            else state_q <= StRun;
          end
        end
        StAskImage:  if (req_ready_i) state_q <= StRun;
        StAskResult: if (wreq_ready_i) state_q <= StRun;
        StRun: begin
          step_q <= 3'd1;
          if (step_q != 0 && ran) begin
            step_q  <= '0;
            state_q <= op.trace_addr != 0 ? StTraceAsk : StDone;
            if (bus_error) begin
              code_q  <= STATUS_BUS_ERROR;
              state_q <= StFlush;
            end else if (bad_table_i) begin
              code_q  <= STATUS_BAD_FIELD;
              state_q <= StFlush;
            end
          end
        end
        StTraceAsk: begin
          step_q <= '0;
          if (trace_words == 0) state_q <= StDone;
          else if (wreq_ready_i) state_q <= StTrace;
        end
        StTrace: begin
          step_q <= 3'd1;
          if (copy_done_i) begin
            written_q <= written_q + 64'(trace_words);
            state_q   <= StDone;
          end
        end
        StDone: begin
          index_q        <= index_q + 29'd1;
          instructions_q <= instructions_q + 64'd1;
          if (op.opcode == OP_LOAD) read_q <= read_q + 64'(amounts.image_words);
          if (op.opcode == OP_LINEAR) begin
            read_q <= read_q + 64'(amounts.linear_words) +
                      (op.linear_mode == LINEAR_GATE ? (64'(op.channels) + 64'd1) >> 1 : '0);
          end
          if (is_linear_result) written_q <= written_q + 64'(result_words);
          state_q <= StNext;
        end
        StFlush: begin
          // Every write is answered before the verdict is final.
          if (write_idle_i && !macs_busy && !skips_busy) begin
            if (code_q == STATUS_OK && bus_error) code_q <= STATUS_BUS_ERROR;
            if (sizes_i[3] >= 32'(HEADER_WORDS)) begin
              state_q <= StHeaderAsk;
            end else begin
              if (code_q == STATUS_OK) code_q <= STATUS_RESULT_RANGE;
              state_q <= StFinish;
            end
          end
        end
        StHeaderAsk: if (wreq_ready_i) state_q <= StHeader;
        StHeader: begin
          if (header_ready_i) begin
            header_q <= header_q + 4'd1;
            if (header_q == 4'(HEADER_WORDS - 1)) state_q <= StFinish;
          end
        end
        StFinish: begin
          if (write_idle_i) begin
            status_o      <= write_error_i ? STATUS_BUS_ERROR : code_q;
            fault_index_o <= 32'(index_q);
            done_o        <= 1'b1;
            state_q       <= StIdle;
          end
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  logic unused;
  assign unused = ^{op, pointers_i, masked_i, amounts, trace_words[31:20]};

endmodule

`default_nettype wire
