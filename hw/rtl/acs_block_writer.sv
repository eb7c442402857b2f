// Writes blocks of a raster result in the layout that the instruction asks for: in one write, or in
// split layout in one for each parity of rows.  Planes of even columns and planes of odd columns
// lie in different halves of the banks, so that a write serves both.
`default_nettype none

module acs_block_writer
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire instruction_t op_i,
  input  wire logic         valid_i,
  output      logic         ready_o,
  input  wire result_block_t block_i,
  output      logic         idle_o,
  // Port B of the feature memory.
  output      logic         write_valid_o,
  output      block_write_t write_o
);
  logic busy_q;
  logic row_phase_q;
  logic [15:0] base_q;
  logic [10:0] block_q;
  segments_t data_q;

  assign ready_o = !busy_q || !op_i.dst_split || row_phase_q;
  assign idle_o  = !busy_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      row_phase_q <= 1'b0;
      base_q  <= '0;
      block_q <= '0;
      data_q  <= '0;
    end else begin
      if (ready_o) begin
        busy_q  <= valid_i;
        row_phase_q <= 1'b0;
        base_q  <= block_i.base;
        block_q <= block_i.number;
        data_q  <= block_i.data;
      end else begin
        row_phase_q <= 1'b1;
      end
    end
  end

  // The instruction is there many cycles before its first block.
  logic [10:0] plane_q;
  always_ff @(posedge clk_i) begin
    plane_q <= plane_blocks(phase_size(op_i.dst_height, 1'b0), phase_row_log2(op_i.row_log2));
  end

  // Split layout.  A write takes every second row of the block.  Of each pair of segments in these
  // rows, the even columns make a segment of one phase plane, the odd columns one of the other.
  // That is up to four segments for each plane, for neighbouring banks of a half; where there are
  // only two, the upper two repeat them.
  logic [13:0] first_row;  // of the block
  logic [2:0] bank;  // of segment 0 in the plane of even columns
  logic [10:0] target_block;
  logic [3:0] there;  // the segment is one of a true row
  logic [1:0][3:0][63:0] split;  // by half of the banks
  logic [1:0] odd;  // the half gets the odd columns

  assign odd = {!bank[2], bank[2]};

  always_comb begin
    unique case (op_i.row_log2)
      2'd0: begin
        first_row    = {block_q, 3'b0};
        bank         = {block_q[0], 2'b0};
        target_block = block_q >> 1;
      end
      2'd1: begin
        first_row    = {1'b0, block_q, 2'b0};
        bank         = {block_q[1:0], 1'b0};
        target_block = block_q >> 2;
      end
      2'd2: begin
        first_row    = {2'b0, block_q, 1'b0};
        bank         = {block_q[1:0], 1'b0};
        target_block = block_q >> 2;
      end
      default: begin
        first_row    = {3'b0, block_q};
        bank         = {block_q[1], 2'b0};
        target_block = block_q >> 2;
      end
    endcase
  end

  // Pair k begins with one of four segments in every layout: a small multiplexer.
  localparam logic [3:0][3:0][2:0] Begins = {
    {3'd7, 3'd6, 3'd4, 3'd2},
    {3'd5, 3'd4, 3'd2, 3'd0},
    {3'd6, 3'd4, 3'd3, 3'd2},
    {3'd4, 3'd2, 3'd1, 3'd0}
  };
  for (genvar k = 0; k < 4; k++) begin : gen_split
    logic [2:0] row;  // in the block
    logic known;
    logic [2:0] begins;
    logic [1:0] choice;
    logic [3:0][63:0] lefts, rights;
    logic [63:0] left, right;
    always_comb begin
      unique case (op_i.row_log2)
        2'd0: begin
          known  = 1'b1;
          row    = {2'(k), row_phase_q};
          begins = {2'(k), row_phase_q};
        end
        2'd1: begin
          known  = k < 2;
          row    = {1'b0, 1'(k), row_phase_q};
          begins = {1'(k), row_phase_q, 1'b0};
        end
        2'd2: begin
          known  = k < 2;
          row    = {2'b0, row_phase_q};
          begins = {row_phase_q, 1'(k), 1'b0};
        end
        default: begin
          known  = block_q[0] == row_phase_q;
          row    = '0;
          begins = {2'(k), 1'b0};
        end
      endcase
      choice = '0;
      for (int i = 0; i < 4; i++) begin
        if (begins == Begins[k][i]) choice = 2'(i);
        lefts[i]  = data_q[Begins[k][i]];
        rights[i] = data_q[3'(Begins[k][i]+3'd1)];
      end
      left  = lefts[choice];
      right = op_i.row_log2 == 0 ? '0 : rights[choice];
      for (int half = 0; half < 2; half++) split[half][k] = every_second(left, right, odd[half]);
    end
    assign there[k] = known && first_row + 14'(row) < 14'(op_i.dst_height);
  end

  always_comb begin
    write_valid_o = busy_q;
    write_o.address  = {2{base_q + 16'(block_q)}};
    write_o.banks = '1;
    write_o.data  = data_q;
    if (op_i.dst_split) begin
      for (int half = 0; half < 2; half++) begin
        write_o.address[half] = base_q + 16'(target_block) +
          phase_offset(16'(plane_q), row_phase_q, odd[half]);
      end
      write_o.banks = {2{there << bank[1:0]}};
      write_o.data  = split;
    end
  end

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

endmodule

`default_nettype wire
