// Streams the weight rows of one group of a convolution, chunk by chunk, into the set of weight
// banks and channel records that does not compute.  Requests run ahead of the data.
`default_nettype none

module acs_weight_loader
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups = 4,
  parameter int unsigned BankWords  = 1024
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  input  wire logic [63:0]  params_i,     // address of the parameter buffer
  input  wire logic         start_i,
  input  wire logic         masked_i,     // only the records of the masked channels
  input  wire logic [10:0]  rows_i,
  input  wire logic         chunk_done_i, // a set is free again
  output      logic         busy_o,
  output      logic         available_o,  // the chunk that computes next is loaded
  input  wire logic         take_i,       // it is being computed
  // List of channels.
  output      logic [9:0]   row_addr_o,
  input  wire logic [9:0]   row_index_i,
  // Read master.
  output      logic         req_valid_o,
  input  wire logic         req_ready_i,
  output      logic [63:0]  req_addr_o,
  output      logic [31:0]  req_words_o,
  input  wire logic         data_valid_i,
  output      logic         data_ready_o,
  input  wire logic [63:0]  data_i,
  // Weight banks.
  output      logic [LaneGroups-1:0]        weight_write_o,
  output      logic                         weight_set_o,
  output      logic [$clog2(BankWords)-1:0] weight_addr_o,
  output      logic [63:0]                  weight_data_o,
  // Records.
  output      logic         record_write_o,
  output      logic [7:0]   record_addr_o,  // set, position in the chunk
  output      constants_t   record_o
);
  localparam int unsigned BW = $clog2(BankWords);

  logic        masked_q;
  logic [15:0] row_words;
  logic [10:0] rows_q;
  // Requests.
  logic [10:0] asked_q;         // rows looked up
  logic [7:0]  asked_in_chunk_q;
  logic        address_valid_q;
  logic [31:0] address_q;
  logic        look_up;
  // Data.
  logic [10:0] loaded_q;
  logic [7:0]  position_q;      // in the chunk
  logic [3:0]  bank_q;
  logic [BW-1:0] row_base_q;
  logic [15:0] word_q;
  logic        set_q;
  logic [63:0] head_q;
  // Chunks asked for, loaded and given back.
  logic [1:0]  sets_asked_q, sets_loaded_q;
  logic        chunk_asked, chunk_loaded;
  record_t     record;

  assign row_words   = masked_q ? 16'(RECORD_WORDS) : op_i.row_words;
  assign row_addr_o  = masked_q ? ~asked_q[9:0] : asked_q[9:0];
  // A new chunk begins only when a set is free for it.
  assign look_up     = asked_q < rows_q && (!address_valid_q || req_ready_i) &&
                       (asked_in_chunk_q != 0 || sets_asked_q != 2'd2);
  assign chunk_asked = look_up && asked_in_chunk_q == 0;
  assign req_valid_o = address_valid_q;
  assign req_addr_o  = params_i + {29'b0, address_q, 3'b0};
  assign req_words_o = 32'(row_words);

  assign data_ready_o = busy_o;
  assign busy_o       = loaded_q < rows_q;
  assign chunk_loaded = data_valid_i && data_ready_o && word_q == row_words - 16'd1 &&
                        (position_q == op_i.chunk - 8'd1 || loaded_q == rows_q - 11'd1);
  assign available_o  = sets_loaded_q != 0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      masked_q         <= 1'b0;
      rows_q           <= '0;
      asked_q          <= '0;
      asked_in_chunk_q <= '0;
      address_valid_q  <= 1'b0;
      address_q        <= '0;
      loaded_q         <= '0;
      position_q       <= '0;
      bank_q           <= '0;
      row_base_q       <= '0;
      word_q           <= '0;
      set_q            <= 1'b0;
      sets_asked_q     <= '0;
      sets_loaded_q    <= '0;
    end else begin
      sets_asked_q  <= sets_asked_q + 2'(chunk_asked) - 2'(chunk_done_i);
      sets_loaded_q <= sets_loaded_q + 2'(chunk_loaded) - 2'(take_i);
      if (req_ready_i) address_valid_q <= 1'b0;
      if (look_up) begin
        address_valid_q  <= 1'b1;
        address_q        <= op_i.weight_addr + 32'(row_index_i) * 32'(op_i.row_words);
        asked_q          <= asked_q + 1'b1;
        asked_in_chunk_q <= asked_in_chunk_q == op_i.chunk - 8'd1 ? '0 : asked_in_chunk_q + 1'b1;
      end
      if (data_valid_i && data_ready_o) begin
        word_q <= word_q + 1'b1;
        if (word_q == row_words - 16'd1) begin
          word_q     <= '0;
          loaded_q   <= loaded_q + 1'b1;
          position_q <= position_q + 1'b1;
          bank_q     <= bank_q + 1'b1;
          if (bank_q == 4'(LaneGroups - 1)) begin
            bank_q     <= '0;
            row_base_q <= row_base_q + BW'(op_i.row_words - 16'(RECORD_WORDS));
          end
          if (chunk_loaded) begin
            position_q <= '0;
            bank_q     <= '0;
            row_base_q <= '0;
            set_q      <= !set_q;
          end
        end
      end
      if (start_i) begin
        masked_q         <= masked_i;
        rows_q           <= rows_i;
        asked_q          <= '0;
        asked_in_chunk_q <= '0;
        loaded_q         <= '0;
        position_q       <= '0;
        bank_q           <= '0;
        row_base_q       <= '0;
        word_q           <= '0;
        set_q            <= 1'b0;
        sets_asked_q     <= '0;
        sets_loaded_q    <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) if (data_valid_i && word_q == 0) head_q <= data_i;

  assign record         = decode_record({data_i, head_q});
  assign record_write_o = data_valid_i && data_ready_o && word_q == 16'(RECORD_WORDS - 1);
  assign record_addr_o  = {set_q, position_q[6:0]};
  assign record_o       = '{
    bias: masked_q ? record.masked_bias : record.bias,
    mult: record.mult,
    shift: bounded_shift(record.shift)
  };

  always_comb begin
    for (int bank = 0; bank < LaneGroups; bank++) begin
      weight_write_o[bank] = bank_q == 4'(bank) && data_valid_i && data_ready_o &&
                             word_q >= 16'(RECORD_WORDS);
    end
  end
  assign weight_set_o  = set_q;
  assign weight_addr_o = row_base_q + BW'(word_q - 16'(RECORD_WORDS));
  assign weight_data_o = data_i;

  logic unused;
  assign unused = ^op_i;

endmodule

`default_nettype wire
