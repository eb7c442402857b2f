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
  // Port B of the feature memory.
  output      logic         write_valid_o,
  output      logic [7:0]   write_there_o,    // copies of it, one for each segment
  output      logic         write_follows_o,  // another one comes in the next cycle
  output      logic         free_o,           // there is no write; a register of its own
  output      block_write_t write_o
);
  // What decides where segments go is worked out while the block is on its way to its register, so
  // that only choices of data stand behind it.  That of a second write is worked out with that of
  // the first one, which nobody has to wait for then.
  // A second write comes, so that a block waits: copies for the two halves, and for all others.
  (* keep *) logic [2:0] second_q;
  logic busy_q, row_phase;
  segments_t data_q;
  // The instruction is there many cycles before its first block.
  logic split_q;
  logic [1:0] row_log2_q;
  logic [1:0][7:0] rows_q;  // of a plane of even rows, and of odd ones
  logic [10:0] plane_q;

  always_ff @(posedge clk_i) begin
    split_q    <= op_i.dst_split;
    row_log2_q <= op_i.row_log2;
    for (int phase = 0; phase < 2; phase++) begin
      rows_q[phase] <= phase_size(op_i.dst_height, 1'(phase));
    end
    plane_q <= plane_blocks(phase_size(op_i.dst_height, 1'b0), phase_row_log2(op_i.row_log2));
  end

  assign ready_o = !second_q[2];

  assign row_phase = !ready_o;  // the next cycle's

  for (genvar copy = 0; copy < 3; copy++) begin : gen_second
    (* keep *) always_ff @(posedge clk_i) second_q[copy] <= rst_ni && ready_o && valid_i && split_q;
  end
  always_ff @(posedge clk_i) begin
    for (int segment = 0; segment < 8; segment++) begin
      if (!second_q[segment/4]) data_q[segment] <= block_i.data[segment];
    end
    if (!rst_ni) busy_q <= 1'b0;
    else if (ready_o) busy_q <= valid_i;
  end

  // Split layout.  A write takes every second row of the block.  Of each pair of segments in these
  // rows, the even columns make a segment of one phase plane, the odd columns one of the other.
  // That is up to four segments for each plane, for neighbouring banks of a half; where there are
  // only two, the upper two repeat them.
  logic [10:0] block;
  logic [2:0] bank;  // of segment 0 in the plane of even columns
  logic [10:0] target_block;
  logic [1:0][3:0] there;  // the segment is one of a true row, by write
  segments_t result;
  logic [1:0] odd;  // the half gets the odd columns

  assign block = block_i.number;
  assign odd   = {!bank[2], bank[2]};

  always_comb begin
    unique case (row_log2_q)
      2'd0: begin
        bank         = {block[0], 2'b0};
        target_block = block >> 1;
      end
      2'd1, 2'd2: begin
        bank         = {block[1:0], 1'b0};
        target_block = block >> 2;
      end
      default: begin
        bank         = {block[1], 2'b0};
        target_block = block >> 2;
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
    logic [12:0] row;  // in the plane of even rows, or of odd ones
    logic [1:0] known;
    logic [2:0] begins;
    logic [1:0] choice;
    logic [3:0][63:0] lefts, rights;
    logic [63:0] left, right;
    // Choices have registers for each segment, so that none has many users.
    (* keep *) logic [1:0] left_q, right_q;
    (* keep *) logic right_there_q;
    always_comb begin
      unique case (row_log2_q)
        2'd0: begin
          known  = '1;
          row    = {block, 2'(k)};
          begins = {2'(k), row_phase};
        end
        2'd1: begin
          known  = {2{k < 2}};
          row    = {1'b0, block, 1'(k)};
          begins = {1'(k), row_phase, 1'b0};
        end
        2'd2: begin
          known  = {2{k < 2}};
          row    = {2'b0, block};
          begins = {row_phase, 1'(k), 1'b0};
        end
        default: begin
          known  = {block[0], !block[0]};
          row    = {3'b0, block[10:1]};
          begins = {2'(k), 1'b0};
        end
      endcase
      choice = '0;
      for (int i = 0; i < 4; i++) begin
        if (begins == Begins[k][i]) choice = 2'(i);
        lefts[i]  = data_q[Begins[k][i]];
        rights[i] = data_q[3'(Begins[k][i]+3'd1)];
      end
      left  = lefts[left_q];
      right = right_there_q ? rights[right_q] : '0;
    end
    for (genvar phase = 0; phase < 2; phase++) begin : gen_there
      assign there[phase][k] = known[phase] && row < 13'(rows_q[phase]);
    end
    (* keep *) always_ff @(posedge clk_i) begin
      left_q        <= choice;
      right_q       <= choice;
      right_there_q <= row_log2_q != 0;
    end
    for (genvar half = 0; half < 2; half++) begin : gen_half
      (* keep *) logic odd_q, is_split_q;
      (* keep *) always_ff @(posedge clk_i) begin
        if (ready_o) odd_q <= odd[half];
        is_split_q <= split_q;
      end
      assign result[4*half+k] = is_split_q ? every_second(left, right, odd_q) : data_q[4*half+k];
    end
  end

  halves_t address_q;
  logic [7:0] banks_q;
  logic [3:0] odd_banks_q;  // of the second write
  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      address_q <= {2{block_i.base + 16'(block)}};
      banks_q   <= '1;
      if (split_q) begin
        for (int half = 0; half < 2; half++) begin
          address_q[half] <= block_i.base + 16'(target_block) + (odd[half] ? 16'(plane_q) : '0);
        end
        banks_q <= {2{there[0] << bank[1:0]}};
      end
      odd_banks_q <= there[1] << bank[1:0];
    end else begin
      // Planes of odd rows lie two planes behind those of even ones.
      for (int half = 0; half < 2; half++) begin
        address_q[half] <= address_q[half] + {4'b0, plane_q, 1'b0};
      end
      banks_q <= {2{odd_banks_q}};
    end
  end

  for (genvar copy = 0; copy < 8; copy++) begin : gen_copy
    (* keep *) logic there_q;
    (* keep *) always_ff @(posedge clk_i) there_q <= rst_ni && (!ready_o || valid_i);
    assign write_there_o[copy] = there_q;
  end
  // The image waits for it far away, where many registers do.
  (* keep *) logic free_q;
  (* keep *) always_ff @(posedge clk_i) free_q <= !rst_ni || (ready_o && !valid_i);
  assign free_o          = free_q;
  assign write_valid_o   = busy_q;
  assign write_follows_o = row_phase;
  assign write_o         = '{address: address_q, banks: banks_q, data: result};

  logic unused_op_fields;
  assign unused_op_fields = ^op_i;

`ifndef SYNTHESIS
  second_write_of_a_block :
  assert property (@(posedge clk_i) disable iff (!rst_ni) !ready_o |-> busy_q && split_q)
  else $error("a second write without a first one");
  free_is_told :
  assert property (@(posedge clk_i) disable iff (!rst_ni) free_o == !write_valid_o)
  else $error("others write beside a result");
`endif

endmodule

`default_nettype wire
