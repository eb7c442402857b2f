// Copies blocks of the feature memory, or words of the vector memory, to the vector memory
// (FLATTEN) or to the result buffer (traces).
`default_nettype none

module acs_copy
  import acs_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        start_i,
  input  wire logic        from_vector_i,
  input  wire logic        to_vector_i,
  input  wire logic [15:0] block_i,        // first block
  input  wire logic [15:0] vector_addr_i,  // first word: source or target
  input  wire logic [19:0] words_i,
  output      logic        done_o,
  // Feature memory.
  output      logic        read_valid_o,
  input  wire logic        read_ready_i,
  output      logic [15:0] read_addr_o,
  input  wire logic        read_data_valid_i,
  input  wire segments_t   read_data_i,
  // Vector memory; read data one cycle after the address.
  output      logic [15:0] vector_read_addr_o,
  input  wire logic [63:0] vector_data_i,
  output      logic        vector_write_o,
  output      logic [15:0] vector_write_addr_o,
  // Words.
  output      logic        data_valid_o,
  input  wire logic        data_ready_i,
  output      logic [63:0] data_o
);
  typedef enum logic [2:0] {
    StIdle,
    StRead,
    StWait,
    StWords,
    StVector,
    StVectorTake,
    StVectorGive
  } state_e;
  state_e state_q;
  logic [15:0] block_q, vector_q;
  logic [19:0] left_q;
  logic [2:0] segment_q;
  segments_t data_q;
  logic accepted;

  assign read_valid_o        = state_q == StRead;
  assign read_addr_o         = block_q;
  assign vector_read_addr_o  = vector_q;
  assign vector_write_addr_o = vector_q;
  // A word of the vector memory takes a register, as those of the feature memory do.
  assign data_o         = data_q[segment_q];
  assign vector_write_o = state_q == StWords && to_vector_i;
  assign data_valid_o   = (state_q == StWords && !to_vector_i) || state_q == StVectorGive;
  assign accepted       = vector_write_o || (data_valid_o && data_ready_i);

  always_ff @(posedge clk_i) begin
    done_o <= 1'b0;
    if (!rst_ni) begin
      state_q   <= StIdle;
      block_q   <= '0;
      vector_q  <= '0;
      left_q    <= '0;
      segment_q <= '0;
    end else begin
      if (accepted) left_q <= left_q - 20'd1;
      unique case (state_q)
        StIdle: begin
          if (start_i) begin
            state_q   <= from_vector_i ? StVector : StRead;
            block_q   <= block_i;
            vector_q  <= vector_addr_i;
            left_q    <= words_i;
            segment_q <= '0;
            if (words_i == 0) begin
              state_q <= StIdle;
              done_o  <= 1'b1;
            end
          end
        end
        StRead: if (read_ready_i) state_q <= StWait;
        StWait: begin
          if (read_data_valid_i) begin
            data_q  <= read_data_i;
            block_q <= block_q + 16'd1;
            state_q <= StWords;
          end
        end
        StWords: begin
          if (vector_write_o) vector_q <= vector_q + 16'd1;
          if (accepted) begin
            segment_q <= segment_q + 3'd1;
            if (segment_q == 3'd7) state_q <= StRead;
            if (left_q == 20'd1) begin
              state_q <= StIdle;
              done_o  <= 1'b1;
            end
          end
        end
        StVector: state_q <= StVectorTake;
        StVectorTake: begin
          data_q[0] <= vector_data_i;
          vector_q  <= vector_q + 16'd1;
          state_q   <= StVectorGive;
        end
        StVectorGive: begin
          if (accepted) begin
            state_q <= StVector;
            if (left_q == 20'd1) begin
              state_q <= StIdle;
              done_o  <= 1'b1;
            end
          end
        end
        default: state_q <= StIdle;
      endcase
    end
  end

endmodule

`default_nettype wire
