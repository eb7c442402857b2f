// The lane array with the feature memory before it: from an iteration to the sums of all lanes.
//
// No stage of the array waits.  An iteration issued in cycle t reads the feature memory in t + 2,
// whose words take a register at the memory's output, and is in the sums in t + 9.  Port A of the
// feature memory belongs to the first block of a round; port B to writes, to other reads, and to
// the second block of a round, in this order.
`default_nettype none

module acs_array
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned MultiplierBits = multiplier_bits(LaneGroups)
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  // Stable while iterations are under way.
  input  wire instruction_t op_i,
  input  wire logic         windowed_i,   // CONV, POOL: taps move the window
  input  wire logic         raw_i,        // blocks as stored
  input  wire logic         banks_i,      // weights come from the banks
  input  wire logic         maximum_i,
  // Iterations.
  input  wire logic         valid_i,
  output      logic         ready_o,
  input  wire iteration_t   iteration_i,
  // Port B: writes of whole or part blocks, always accepted.
  input  wire logic         write_valid_i,
  input  wire logic         write_must_i,   // it does not give way
  input  wire block_write_t write_i,
  input  wire logic [7:0]   write_stored_i, // its data is to be written, now or when it goes;
                                            // copies, one for each segment
  input  wire logic         write_zeros_i,  // zeros are, instead of its data
  // Port B: reads of blocks as stored; data four cycles later.
  input  wire logic         read_valid_i,
  output      logic         read_ready_o,
  input  wire logic [15:0]  read_addr_i,
  output      logic         read_data_valid_o,
  output      segments_t    read_data_o,
  // Writes to the weight banks.
  input  wire logic [LaneGroups-1:0]        weight_write_i,
  input  wire logic                         weight_set_i,
  input  wire logic [$clog2(BankWords)-1:0] weight_addr_i,
  input  wire logic [63:0]                  weight_data_i,
  // Sum of a channel's pixels.
  output      logic               total_valid_o,
  output      logic signed [31:0] total_o,
  // Sums by lane group, complete for one cycle, SUMS_DELAY cycles after the last iteration.
  output      logic  [LaneGroups-1:0] sums_valid_o,
  output      logic  [LaneGroups-1:0][SUMS_COPIES-1:0] sums_there_o,  // copies of it
  output      sums_t [LaneGroups-1:0] sums_o,
  output      pixels_t            maxima_o  // of the first lane group, with its sums
);
  localparam int unsigned FW = $clog2(FeatureBlocks);
  localparam int unsigned BW = $clog2(BankWords);

  // The two blocks of a round, and the ports of the feature memory that read them.
  localparam int unsigned SideA = 0;
  localparam int unsigned SideB = 1;

  if (LaneGroups < 1 || LaneGroups > MAX_LANE_GROUPS) begin : gen_bad_groups
    $error("LaneGroups must be 1..MAX_LANE_GROUPS");
  end
  if (FeatureBlocks > 65536) begin : gen_bad_features
    $error("feature addresses have 16 bits");
  end

  typedef struct packed {
    logic              valid;
    logic              first;
    logic              last;
    logic              zero;
    logic              only;
    logic              total;
    group_t            group;
    group_count_t      count_a;
    group_count_t      bank;
    logic signed [8:0] weight;
    logic [7:0]        pad_value;
    logic signed [3:0] dx;
  } stage_t;

  // A copy of what is stable, near its users.
  instruction_t op_q;
  always_ff @(posedge clk_i) op_q <= op_i;

  logic issue;
  logic [1:0] fetches_q;  // what port B reads is wanted; by stage, 1 and 2
  logic [3:0] b_write_q, b_read_q;  // port B by stage, 1 to 4
  // Copies for each segment: of the third stage of the one, of the first stage of the other.
  (* keep *) logic [7:0] fetches3_q, b_write1_q;

  // The plane that a tap reads.
  typedef struct packed {
    logic signed [3:0] dx;
    logic signed [6:0] first;        // segment of the window, from that of its block
    logic [15:0]       blocks;       // from a block to the one of that segment, in its phase
    logic [10:0]       segments;
    logic [7:0]        columns;
    logic              odd_columns;
  } plane_t;
  logic signed [3:0] x, y, row;
  plane_t plane, plane_q;
  // What its instruction says of it, by the parity of row and column: worked out before the first
  // iteration, as far as it is the same for all of them.
  logic halves_q;  // planes are phases
  logic [2:0] row_shift_q;
  logic [1:0][10:0] segments_q;
  logic [1:0][7:0] columns_q;
  logic [1:0][1:0][15:0] phase_blocks_q;
  logic [7:0] pad_value, flipped;  // `flipped` adds 128 to signed pixels

  // Stage 1: the issued iteration, where its channel lies, which plane the tap reads, and which
  // weight is wanted.
  iteration_t it1_q;
  logic pairs_q;  // the second window is that of the next group's input
  logic valid1_q;
  logic [15:0] block_base_q, b_block_base_q;  // its block, and that of the second window
  logic [10:0] b_block_q;  // that the second window reads
  logic [15:0] weight_byte_q;
  logic [6:0] taps_q;  // the instruction is there some cycles before its first iteration
  halves_t b_addr1_q;
  logic [7:0] b_banks1_q, b_banks2_q;
  segments_t b_data1_q, b_data2_q;
  logic b_zeros1_q;

  // A second block whose segments are still in the register at the memory's output leaves the port
  // to a write.  Writes that give way come only where nobody else wants the port: readiness does
  // not depend on them.
  assign ready_o      = !(iteration_i.use_b &&
                          (read_valid_i || (write_must_i && !iteration_i.again)));
  assign issue        = valid_i && ready_o;
  assign read_ready_o = !write_must_i;
  always_ff @(posedge clk_i) begin
    fetches_q <= {
      fetches_q[0],
      (issue && iteration_i.use_b && !iteration_i.again) || (read_valid_i && read_ready_o)
    };
  end

  always_ff @(posedge clk_i) begin
    it1_q      <= iteration_i;
    b_block_q  <= iteration_i.block + 11'(!pairs_q);
    plane_q    <= plane;
    taps_q     <= 7'(op_q.kernel) * 7'(op_q.kernel);
    pairs_q    <= pairs_groups(op_q, LaneGroups);
    // A write that gives way comes only where nobody reads, which is known sooner.
    b_addr1_q  <= write_must_i || !read_valid_i ? write_i.address : {2{read_addr_i}};
    b_banks1_q <= write_i.banks;
    b_banks2_q <= b_banks1_q;
    // Enables of their own: registers, of which there are enough, not look-up tables.
    b_zeros1_q <= write_zeros_i;
    for (int segment = 0; segment < 8; segment++) begin
      if (write_stored_i[segment]) b_data1_q[segment] <= write_i.data[segment];
      if (b_write1_q[segment]) b_data2_q[segment] <= b_zeros1_q ? '0 : b_data1_q[segment];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid1_q  <= 1'b0;
      b_write_q <= '0;
      b_read_q  <= '0;
    end else begin
      valid1_q  <= issue;
      b_write_q <= {b_write_q[2:0], write_valid_i};
      b_read_q  <= {b_read_q[2:0], read_valid_i && read_ready_o};
    end
  end
  for (genvar segment = 0; segment < 8; segment++) begin : gen_copy
    (* keep *) always_ff @(posedge clk_i) begin
      fetches3_q[segment] <= fetches_q[1];
      b_write1_q[segment] <= rst_ni && write_valid_i;
    end
  end

  acs_product #(
    .ABits(16),
    .BBits($bits(channel_t)),
    .Bits (16),
    .Dsp  (dsp_products(LaneGroups))
  ) u_channel (
    .clk_i,
    .a_i      (op_q.src_step),
    .b_i      (iteration_i.channel),
    .summand_i(op_q.src_base + 16'(iteration_i.block)),
    .result_o (block_base_q)
  );
  acs_product #(
    .ABits(16),
    .BBits($bits(channel_t)),
    .Bits (16),
    .Dsp  (dsp_products(LaneGroups))
  ) u_b_channel (
    .clk_i,
    .a_i      (op_q.src_step),
    .b_i      (iteration_i.b_channel),
    .summand_i(op_q.src_base + 16'(iteration_i.block) + 16'(!pairs_q)),
    .result_o (b_block_base_q)
  );
  acs_product #(
    .ABits(16),
    .BBits(7),
    .Bits (16),
    .Dsp  (dsp_products(LaneGroups))
  ) u_weight (
    .clk_i,
    .a_i      (16'(iteration_i.column)),
    .b_i      (taps_q),
    .summand_i(16'(iteration_i.tap)),
    .result_o (weight_byte_q)
  );

  always_comb begin
    x = signed'({1'b0, iteration_i.kx}) - signed'({1'b0, op_q.pad});
    y = signed'({1'b0, iteration_i.ky}) - signed'({1'b0, op_q.pad});
    // Of phases, every second row is one: the difference of rows is even, and half of it counts.
    row = windowed_i ? y : '0;
    if (halves_q) row[0] = 1'b0;
    plane.dx = windowed_i ? x : '0;
    if (halves_q) plane.dx = x >>> 1;
    plane.first = signed'({row, 3'b000}) >>> row_shift_q;
    plane.blocks = phase_blocks_q[y[0]][x[0]] + 16'(signed'(plane.first[6:3]));
    plane.segments = segments_q[y[0]];
    plane.columns = columns_q[x[0]];
    plane.odd_columns = halves_q && x[0];
  end

  logic halves;
  logic [2:0] row_shift;
  logic [1:0][10:0] segments;
  logic [1:0][7:0] rows, columns;
  logic [1:0][1:0][15:0] phase_blocks;
  always_comb begin
    halves    = windowed_i && op_q.stride == 2'd2;
    row_shift = 3'd3 - 3'(op_q.row_log2) + 3'(halves);
    for (int odd = 0; odd < 2; odd++) begin
      rows[odd]     = halves ? phase_size(op_q.src_height, odd != 0) : op_q.src_height;
      segments[odd] = 11'(rows[odd]) << op_q.row_log2;
      columns[odd]  = halves ? phase_size(op_q.src_width, odd != 0) : op_q.src_width;
      for (int odd_column = 0; odd_column < 2; odd_column++) begin
        phase_blocks[odd][odd_column] = halves ?
          phase_offset(op_q.src_plane, odd != 0, odd_column != 0) : '0;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    halves_q    <= halves;
    row_shift_q <= row_shift;
    segments_q  <= segments;
    columns_q   <= columns;
    phase_blocks_q <= phase_blocks;
  end

`ifndef SYNTHESIS
  instruction_is_there :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   issue |-> halves_q == halves && row_shift_q == row_shift &&
                             segments_q == segments && columns_q == columns &&
                             phase_blocks_q == phase_blocks)
  else $error("an iteration before what its instruction says of planes");
`endif

  always_comb begin
    pad_value = '0;
    flipped = {op_q.src_signed, 7'b0};
    if (op_q.opcode == OP_POOL) begin
      // Padding must not win a maximum, and must not count in a sum.
      pad_value = op_q.pool_max && op_q.src_signed ? 8'h80 : 8'h00;
    end else if (op_q.opcode == OP_CONV) begin
      pad_value = padding_value(op_q, it1_q.channel);
    end
  end

  logic [1:0][2:0] rotate, rotate2_q, rotate3_q;
  (* keep *) logic [1:0][7:0][2:0] rotate4_q;  // by bit of the pixels
  logic [1:0][7:0] in_plane, in_plane2_q, in_plane3_q, in_plane4_q;
  logic [1:0][7:0][15:0] address, address2_q;

  for (genvar side = 0; side < 2; side++) begin : gen_address
    acs_window_address u_address (
      .raw_i     (raw_i),
      .base_i    (side == SideA ? block_base_q : b_block_base_q),
      .blocks_i  (plane_q.blocks),
      .odd_i     (plane_q.odd_columns),
      .segments_i(plane_q.segments),
      .first_i   (plane_q.first),
      .block_i   (side == SideA ? it1_q.block : b_block_q),
      .rotate_o  (rotate[side]),
      .valid_o   (in_plane[side]),
      .address_o (address[side])
    );
  end

  // Stage 2: addresses at the memory.
  stage_t stage2_q, stage3_q, stage4_q, stage5_q, stage6_q;
  logic [7:0] columns2_q, columns3_q;

  always_ff @(posedge clk_i) begin
    stage2_q <= '{
      valid: valid1_q,
      first: it1_q.first,
      last: it1_q.last,
      zero: it1_q.zero,
      only: it1_q.only,
      total: it1_q.total,
      group: it1_q.group,
      count_a: it1_q.count_a,
      bank: it1_q.bank,
      weight: it1_q.weight,
      pad_value: it1_q.zero ? flipped : pad_value ^ flipped,
      dx: plane_q.dx
    };
    columns2_q     <= plane_q.columns;
    if (!rst_ni) stage2_q.valid <= 1'b0;
    rotate2_q      <= rotate;
    in_plane2_q    <= it1_q.zero ? '0 : in_plane;  // without a source all is padding, of zeros
    address2_q     <= address;
    if (b_write_q[0] || b_read_q[0]) begin
      for (int bank = 0; bank < 8; bank++) address2_q[SideB][bank] <= b_addr1_q[bank/4];
    end
  end

  // Stages 3 and 4: block RAM, and the registers at its outputs.
  segments_t a_data, b_data, a_data_q, b_data_q;
  always_ff @(posedge clk_i) begin
    a_data_q <= a_data;
    for (int segment = 0; segment < 8; segment++) begin
      if (fetches3_q[segment]) b_data_q[segment] <= b_data[segment];
    end
  end
  for (genvar bank = 0; bank < 8; bank++) begin : gen_bank
    acs_bank #(
      .Depth(FeatureBlocks)
    ) u_bank (
      .clk_i,
      .a_addr_i (address2_q[SideA][bank][FW-1:0]),
      .a_data_o (a_data[bank]),
      .b_write_i(b_write_q[1] && b_banks2_q[bank]),
      .b_addr_i (address2_q[SideB][bank][FW-1:0]),
      .b_data_i (b_data2_q[bank]),
      .b_data_o (b_data[bank])
    );
  end
  assign read_data_valid_o = b_read_q[3];
  assign read_data_o       = b_data_q;

  // Stages 4 to 6: segments to lanes, pixels along their row.
  logic [63:0] mask, mask4_q;
  acs_window_mask u_mask (
    .raw_i     (raw_i),
    .columns_i (columns3_q),
    .row_log2_i(op_q.row_log2),
    .dx_i      (stage3_q.dx),
    .mask_o    (mask)
  );

  always_ff @(posedge clk_i) begin
    mask4_q     <= mask;
    rotate3_q   <= rotate2_q;
    in_plane3_q <= in_plane2_q;
    in_plane4_q <= in_plane3_q;
    columns3_q  <= columns2_q;
    stage3_q  <= stage2_q;
    stage4_q  <= stage3_q;
    stage5_q  <= stage4_q;
    stage6_q  <= stage5_q;
    if (!rst_ni) begin
      stage3_q.valid <= 1'b0;
      stage4_q.valid <= 1'b0;
      stage5_q.valid <= 1'b0;
      stage6_q.valid <= 1'b0;
    end
  end

  pixels_t [1:0] next_window, window;
  for (genvar side = 0; side < 2; side++) begin : gen_window
    for (genvar place = 0; place < 8; place++) begin : gen_bit
      (* keep *) always_ff @(posedge clk_i) rotate4_q[side][place] <= rotate3_q[side];
    end
    acs_window_shift u_shift (
      .clk_i,
      .data_i     (side == SideA ? a_data_q : b_data_q),
      .rotate_i   (rotate4_q[side]),
      .valid_i    (in_plane4_q[side]),
      .mask_i     (mask4_q),
      .dx_i       (stage4_q.dx),
      .signed_i   (op_q.src_signed),
      .pad_value_i(stage4_q.pad_value),
      .next_o     (next_window[side]),
      .window_o   (window[side])
    );
  end

  acs_total u_total (
    .clk_i,
    .rst_ni,
    .valid_i (stage6_q.valid && stage6_q.total),
    .first_i (stage6_q.first),
    .last_i  (stage6_q.last),
    .zero_i  (stage6_q.zero),
    .signed_i(op_q.src_signed),
    .pixels_i(window),
    .total_valid_o,
    .total_o
  );

  // Weights: an address for each bank, twice where a round has two blocks.  They need no window, so
  // that there is time for a register behind the choice of a word's byte.
  logic [BW-1:0] next_row, row_step_q;
  logic [2:0] byte2_q, byte3_q, byte4_q;
  logic set2_q;
  logic [LaneGroups-1:0] weight_write_q;
  logic weight_set_q;
  logic [BW-1:0] weight_addr_q;
  logic [63:0] weight_data_q;
  logic [LaneGroups-1:0][7:0] weight_a_q, weight_b_q;

  assign next_row = BW'(it1_q.row_base) + row_step_q;

  always_ff @(posedge clk_i) begin
    weight_write_q <= weight_write_i;
    weight_set_q   <= weight_set_i;
    weight_addr_q  <= weight_addr_i;
    weight_data_q  <= weight_data_i;
    row_step_q <= BW'(op_q.row_words - 16'(record_words(op_q)));
    byte2_q    <= weight_byte_q[2:0];
    byte3_q    <= byte2_q;
    byte4_q    <= byte3_q;
    set2_q     <= it1_q.bank_set;
  end

  for (genvar bank = 0; bank < LaneGroups; bank++) begin : gen_weights
    logic [BW-1:0] a_addr_q, b_addr_q;
    logic [63:0] a_data_w, b_data_w;
    always_ff @(posedge clk_i) begin
      a_addr_q <= (group_count_t'(bank) < it1_q.bank ? next_row : BW'(it1_q.row_base)) +
                  BW'(weight_byte_q[15:3]);
      b_addr_q <= BW'(it1_q.first_base) + BW'(weight_byte_q[15:3]);
      weight_a_q[bank] <= a_data_w[8*byte4_q+:8];
      weight_b_q[bank] <= b_data_w[8*byte4_q+:8];
    end
    acs_weight_bank #(
      .Words(BankWords)
    ) u_bank (
      .clk_i,
      .write_i     (weight_write_q[bank]),
      .write_set_i (weight_set_q),
      .write_addr_i(weight_addr_q),
      .write_data_i(weight_data_q),
      .read_set_i  (set2_q),
      .a_addr_i    (a_addr_q),
      .b_addr_i    (b_addr_q),
      .a_data_o    (a_data_w),
      .b_data_o    (b_data_w)
    );
  end

  for (genvar group = 0; group < LaneGroups; group++) begin : gen_group
    localparam group_count_t Group = group_count_t'(group);
    logic [5:0] from_a;
    logic rows_of_a, rows_of_a5_q;
    group_count_t bank5_q;  // that has its row
    logic [7:0] bank_weight;
    logic valid6_q;  // the iteration is for this lane group
    logic is_a;  // its pixels are of the first block
    (* keep *) logic [WEIGHT_COPIES-1:0][1:0] clear5_q;  // the other one's are not; copies
    logic signed [8:0] weight6_q;
    logic [2:0] last_q;  // stages 7 to 9: operands, product, sum

    // Items of the first block start at bank `bank`, those of the second at bank 0; the rows of
    // two groups are those of one.
    always_comb begin
      from_a = 6'(stage4_q.bank) + 6'(group);
      if (from_a >= 6'(LaneGroups)) from_a = from_a - 6'(LaneGroups);
      rows_of_a = pairs_q || Group < stage4_q.count_a;
      is_a      = stage4_q.only || Group < stage4_q.count_a;
      bank_weight = '0;
      for (int bank = 0; bank < LaneGroups; bank++) begin
        if (bank5_q == group_count_t'(bank)) begin
          bank_weight = rows_of_a5_q ? weight_a_q[bank] : weight_b_q[bank];
        end
      end
    end

    always_ff @(posedge clk_i) begin
      weight6_q <= banks_i ? {bank_weight[7], bank_weight} : stage5_q.weight;
      if (stage5_q.zero || maximum_i) weight6_q <= '0;
      rows_of_a5_q <= rows_of_a;
      bank5_q      <= rows_of_a ? group_count_t'(from_a) : Group - stage4_q.count_a;
      valid6_q <= rst_ni && stage5_q.valid && !stage5_q.total &&
                  (!stage5_q.only || group_count_t'(stage5_q.group) == Group);
      last_q   <= rst_ni ? {last_q[1:0], valid6_q && stage6_q.last} : '0;
    end
    for (genvar copy = 0; copy < WEIGHT_COPIES; copy++) begin : gen_clear
      (* keep *) always_ff @(posedge clk_i) clear5_q[copy] <= {is_a, !is_a};
    end
    assign sums_valid_o[group] = last_q[2];
    for (genvar copy = 0; copy < SUMS_COPIES; copy++) begin : gen_there
      (* keep *) logic there_q;
      (* keep *) always_ff @(posedge clk_i) there_q <= rst_ni && last_q[1];
      assign sums_there_o[group][copy] = there_q;
    end

    acs_lane_group #(
      .SumBits(sum_bits(BankWords)),
      .MultiplierBits(MultiplierBits)
    ) u_lanes (
      .clk_i,
      .pixels_i(next_window),
      .clear_i (clear5_q),
      .valid_i (valid6_q),
      .first_i (stage6_q.first),
      .signed_i(op_q.src_signed),
      .weight_i(weight6_q),
      .sums_o  (sums_o[group])
    );

    if (group == 0) begin : gen_maximum
      acs_maximum u_maximum (
        .clk_i,
        .valid_i (valid6_q),
        .first_i (stage6_q.first),
        .last_i  (stage6_q.last),
        .pixels_i(window[SideA]),
        .maxima_o
      );
    end
  end

  logic
    unused_op_fields,
    unused_iteration_fields,
    unused_stage_fields,
    unused_write_stage,
    unused_address_bits;
  assign unused_op_fields        = ^op_q;
  assign unused_iteration_fields = ^it1_q;
  assign unused_stage_fields     = ^stage6_q;
  assign unused_write_stage      = ^b_write_q[3:2];
  assign unused_address_bits     = ^address2_q;

`ifndef SYNTHESIS
  logic [1:0] reads_b_q;
  always_ff @(posedge clk_i) begin
    reads_b_q <= {reads_b_q[0], issue && iteration_i.use_b && banks_i && !pairs_q};
  end
  second_block_reads_settled_set :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   !(reads_b_q[1] && weight_write_q != 0 && weight_set_q == set2_q))
  else $error("weights of a second block read while their set loads");

  logic [SUMS_DELAY-1:0] expected_q;
  always_ff @(posedge clk_i) begin
    expected_q <= {expected_q[SUMS_DELAY-2:0], issue && iteration_i.last && !iteration_i.total};
    if (!rst_ni) expected_q <= '0;
  end
  sums_in_time :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   expected_q[SUMS_DELAY-1] == (sums_valid_o != 0))
  else $error("sums not SUMS_DELAY cycles after their last iteration");
`endif

`ifndef SYNTHESIS
  logic kept_q;  // what port B read last is the second block of the iteration issued last
  always_ff @(posedge clk_i) begin
    if (!rst_ni || (read_valid_i && read_ready_o)) kept_q <= 1'b0;
    else if (issue && iteration_i.use_b) kept_q <= 1'b1;
  end
  segments_are_there :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   issue && iteration_i.use_b && iteration_i.again |-> kept_q)
  else $error("segments of another read taken for those of a tap");
  a_write_gives_way :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   write_valid_i && !write_must_i |->
                   !(valid_i && iteration_i.use_b && !iteration_i.again) && !read_valid_i)
  else $error("a write in the place of an iteration");
`endif

endmodule

`default_nettype wire
