// Writes blocks of a raster result in the layout that the instruction asks for: one write, or in
// split layout one for each of the four phase planes.
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
  input  wire logic [15:0]  base_i,    // first block of the channel
  input  wire logic [10:0]  block_i,
  input  wire segments_t    data_i,
  output      logic         idle_o,
  // Port B of the feature memory.
  output      logic         write_valid_o,
  output      logic [15:0]  write_addr_o,
  output      logic [7:0]   write_banks_o,
  output      segments_t    write_data_o
);
  logic        busy_q;
  logic [1:0]  phase_q;
  logic [15:0] base_q;
  logic [10:0] block_q;
  segments_t   data_q;

  assign ready_o = !busy_q || !op_i.dst_split || phase_q == 2'd3;
  assign idle_o  = !busy_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      phase_q <= '0;
      base_q  <= '0;
      block_q <= '0;
      data_q  <= '0;
    end else begin
      if (ready_o) begin
        busy_q  <= valid_i;
        phase_q <= '0;
        base_q  <= base_i;
        block_q <= block_i;
        data_q  <= data_i;
      end else begin
        phase_q <= phase_q + 2'd1;
      end
    end
  end

  logic [10:0] plane;
  logic [13:0] position;   // of a segment in the raster plane, then in the phase plane
  logic [13:0] row;
  logic [13:0] target;
  logic [1:0]  half_log2;
  logic [10:0] target_block;

  assign half_log2 = phase_row_log2(op_i.row_log2);
  assign plane     = plane_blocks(phase_size(op_i.dst_height, 1'b0), half_log2);

  always_comb begin
    write_valid_o = busy_q;
    write_addr_o  = base_q + 16'(block_q);
    write_banks_o = '1;
    write_data_o  = data_q;
    position      = '0;
    row           = '0;
    target        = '0;
    target_block  = '0;
    if (op_i.dst_split) begin
      write_banks_o = '0;
      for (int i = 0; i < 8; i++) begin
        position = {block_q, 3'(i)};
        row      = position >> op_i.row_log2;
        // The segment at `position` is the first of a pair, of the right parity, and a true row.
        if ((op_i.row_log2 == 0 || !position[0]) && row[0] == phase_q[1] &&
            row < 14'(op_i.dst_height)) begin
          target = ((row >> 1) << half_log2) +
                   ((position & ((14'd1 << op_i.row_log2) - 14'd1)) >> 1);
          target_block = target[13:3];
          write_banks_o[target[2:0]] = 1'b1;
          for (int j = 0; j < 4; j++) begin
            write_data_o[target[2:0]][8*j+:8] = data_q[i][8*(2*j+32'(phase_q[0]))+:8];
            write_data_o[target[2:0]][32+8*j+:8] =
                op_i.row_log2 == 0 ? 8'h00 : data_q[(i+1)%8][8*(2*j+32'(phase_q[0]))+:8];
          end
        end
      end
      write_addr_o = base_q + 16'(phase_q) * 16'(plane) + 16'(target_block);
    end
  end

  logic unused;
  assign unused = ^op_i;

endmodule

`default_nettype wire
