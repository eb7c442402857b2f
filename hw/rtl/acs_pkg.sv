// Types that the engine's modules share.
`default_nettype none

package acs_pkg;

  typedef logic [7:0][63:0] segments_t;  // a block as its eight segments
  typedef logic [1:0][15:0] halves_t;  // a block's address in the lower and in the upper banks
  typedef logic [63:0][7:0] pixels_t;  // a block as its 64 pixels

  // The sums of two lanes, as one multiplier adds them up: `lower` and `upper`.
  typedef struct packed {
    logic [15:0] carries;  // the lower lane's bits from 16 on
    logic [47:0] value;    // of (upper << 16) + lower
  } pair_t;

  // The sums of a lane group: `weights` times 128 less, each of them.
  typedef struct packed {
    logic [24:0]  weights;
    pair_t [31:0] pairs;
  } sums_t;

  // By how many places acs_requantize divides beyond SHIFT_MIN, and which bits fall off.
  localparam int unsigned MAX_PLACES = acs_isa_pkg::SHIFT_MAX - acs_isa_pkg::SHIFT_MIN;
  typedef struct packed {
    logic [MAX_PLACES-1:0] below;
    logic [4:0]            number;
  } places_t;

  // The factor of residuals.  A residual has no sign: of signed ones 128 more is taken, and 128
  // times the factor less, which is the offset.
  typedef struct packed {
    logic signed [24:0] offset;
    logic [15:0]        once;
  } factor_t;

  function automatic factor_t factor_of(input logic [15:0] once, input logic is_signed);
    factor_t factor;
    factor.once   = once;
    factor.offset = is_signed ? -signed'({2'b0, once, 7'b0}) : '0;
    return factor;
  endfunction

  // Bits of a sum: a product is below 2^15, and a bank holds the weights of at least one row.
  function automatic int unsigned sum_bits(input int unsigned bank_words);
    return bank_words < 8192 ? 16 + $clog2(8 * bank_words) : 32;
  endfunction

  // Each lane group takes 32 DSP slices.  With more than four of them an XC7Z020 has none for small
  // products, and look-up tables enough.
  function automatic bit dsp_products(input int unsigned lane_groups);
    return lane_groups <= 4;
  endfunction

  // Two pixels share a multiplier with a factor of so many bits.
  localparam int unsigned PAIR_BITS = 25;

  // Bits of the wider factor of the part's multipliers, where nobody says it: few lanes need not
  // share.
  function automatic int unsigned multiplier_bits(input int unsigned lane_groups);
    return lane_groups <= 2 ? 18 : PAIR_BITS;
  endfunction

  // Lane groups, and how many of them.
  localparam int unsigned MAX_LANE_GROUPS = 16;
  typedef logic [3:0] group_t;
  typedef logic [4:0] group_count_t;

  // Cycles from the last iteration of a round to its sums.
  localparam int unsigned SUMS_DELAY = 9;
  // Copies of a lane group's weight, of its sign and of which window is cleared, each for as many
  // of its lanes.
  localparam int unsigned WEIGHT_COPIES = 8;

  // Copies of the signal that a lane group's sums are there, each for as many of its lanes.
  localparam int unsigned SUMS_COPIES = 8;

  // Cycles from the first slice of an item to the last write of the item before it, at most, with a
  // register on its way to the feature memory.
  localparam int unsigned STORE_DELAY = 8;

  // The most rounds whose last iteration was issued and whose lane groups are still taken.
  localparam int unsigned MAX_ROUNDS = 16;

  // Words in memory: the address of the first one in bytes, and how many there are.
  typedef struct packed {
    logic [63:0] address;
    logic [31:0] words;
  } span_t;

  // The buffers that the host names in registers.
  typedef struct packed {
    span_t result;
    span_t image;
    span_t params;
    span_t instructions;     // the program
  } buffers_t;

  // The numbers by which reads name their buffer on the bus.
  localparam logic [1:0] BUFFER_PROGRAM = 2'd0;
  localparam logic [1:0] BUFFER_PARAMS = 2'd1;
  localparam logic [1:0] BUFFER_IMAGE = 2'd2;

  // Readers of memory, by precedence.  The first ones belong to acs_front.
  localparam int unsigned READER_PROGRAM = 0;
  localparam int unsigned READER_VECTORS = 1;
  localparam int unsigned READER_TABLE = 2;
  localparam int unsigned READER_IMAGE = 3;
  localparam int unsigned READER_WEIGHTS = 4;
  localparam int unsigned FRONT_READERS = 3;
  localparam int unsigned READERS = 5;

  // Words that may be on their way from memory, asked for and not yet used.
  localparam int unsigned READ_AHEAD = 512;

  // The AXI4 master, without the signals that never change: bursts count up, beats have eight
  // bytes.
  typedef struct packed {
    logic [63:0] addr;
    logic [7:0]  len;
    logic [1:0]  user;       // number of the buffer
  } axi_ar_t;

  typedef struct packed {
    logic [63:0] data;
    logic [1:0]  resp;
    logic        last;
  } axi_r_t;

  typedef struct packed {
    logic [63:0] addr;
    logic [7:0]  len;
  } axi_aw_t;

  typedef struct packed {
    logic [63:0] data;
    logic        enabled;    // strobes of all bytes: the word is written
    logic        last;
  } axi_w_t;

  // Reading: signals from the master, signals to the master.
  typedef struct packed {
    logic    ar_valid;
    axi_ar_t ar;
    logic    r_ready;
  } axi_read_req_t;

  typedef struct packed {
    logic   ar_ready;
    logic   r_valid;
    axi_r_t r;
  } axi_read_rsp_t;

  // Writing: the same.
  typedef struct packed {
    logic    aw_valid;
    axi_aw_t aw;
    logic    w_valid;
    axi_w_t  w;
    logic    b_ready;
  } axi_write_req_t;

  typedef struct packed {
    logic       aw_ready;
    logic       w_ready;
    logic       b_valid;
    logic [1:0] b_resp;
  } axi_write_rsp_t;

  // The AXI4-Lite slave: signals from the host, signals to the host.
  typedef struct packed {
    logic [31:0] data;
    logic [3:0]  strb;
  } axil_w_t;

  typedef struct packed {
    logic [31:0] data;
    logic [1:0]  resp;
  } axil_r_t;

  typedef struct packed {
    logic       aw_valid;
    logic [7:0] aw_addr;
    logic       w_valid;
    axil_w_t    w;
    logic       b_ready;
    logic       ar_valid;
    logic [7:0] ar_addr;
    logic       r_ready;
  } axil_req_t;

  typedef struct packed {
    logic       aw_ready;
    logic       w_ready;
    logic       b_valid;
    logic [1:0] b_resp;
    logic       ar_ready;
    logic       r_valid;
    axil_r_t    r;
  } axil_rsp_t;

  // The two sides of an instruction on channels: a flag each, or a number of channels each.
  typedef struct packed {
    logic outputs;
    logic inputs;
  } sides_t;

  typedef struct packed {
    acs_isa_pkg::channels_t outputs;
    acs_isa_pkg::channels_t inputs;
  } channel_counts_t;

  // A word on offer.
  typedef struct packed {
    logic        valid;
    logic [63:0] data;
  } word_t;

  // What acs_copy copies.
  typedef struct packed {
    logic        from_vector;
    logic        to_vector;  // otherwise to the result buffer
    logic [15:0] block;      // first block
    logic [15:0] vector_addr;  // first word of the vector: source or target
    logic [19:0] words;
  } copy_t;

  // What happens, to be counted, a cycle each.
  typedef struct packed {
    logic iteration;
    logic second_iteration;  // of another group, at once
    logic group;             // all rows of a group were used
    logic channel_table;     // a table of channels was read
    logic stall;             // the array waits for memory
  } events_t;

  // A list of weight rows.
  typedef struct packed {
    logic                   masked;    // of the masked channels, and only their records
    logic                   complete;  // no more rows will be in it
    acs_isa_pkg::channels_t rows;      // in the list by now
  } row_list_t;

  // Words of weights that the first rows of a set hold, as many rows as a round takes, before they
  // are complete.
  typedef struct packed {
    logic        bank_set;
    logic [15:0] words;
  } early_words_t;

  // A block of results.
  typedef struct packed {
    logic [15:0] base;       // first block of its channel
    logic [10:0] number;     // block of the channel
    segments_t   data;
  } result_block_t;

  // A write to port B of the feature memory: a block, or the segments of the named banks.
  typedef struct packed {
    halves_t    address;
    logic [7:0] banks;
    segments_t  data;
  } block_write_t;

  // Bits of the number of a word of a mask.
  localparam int unsigned MASK_WORD_BITS = $clog2(acs_isa_pkg::MAX_LISTED / 64);

  // 64 bits of a mask register.
  typedef struct packed {
    logic        valid;
    // Register, then word of its mask.
    logic [$clog2(acs_isa_pkg::MASK_REGISTERS)+MASK_WORD_BITS-1:0] address;
    logic [63:0] data;
  } mask_write_t;

  // A gate on its way to its mask: channels behind those that are decided have to wait.
  typedef struct packed {
    logic                   busy;
    acs_isa_pkg::channels_t decided;
  } deciding_t;

  // A table that memory was asked for: channels over all groups, and inputs of a group.
  typedef struct packed {
    acs_isa_pkg::channels_t inputs;
    acs_isa_pkg::channels_t outputs;
    acs_isa_pkg::channels_t of_group;
  } table_job_t;

  // An entry of the table of inputs or of the table of outputs.
  typedef struct packed {
    logic       inputs;
    logic       outputs;
    logic                 half;    // of two tables
    acs_isa_pkg::listed_t address;
    acs_isa_pkg::listed_t earlier; // the place of the same input in the group before
    acs_isa_pkg::listed_t channel;
  } table_write_t;

  // One iteration of the lane array, as issued.
  typedef struct packed {
    logic        first;      // of its round: sums start here
    logic        last;       // of its round: sums leave here
    logic        zero;       // no source: sums are zero
    logic        use_b;      // a second block is in the round
    logic        again;      // it reads the segments that the iteration before it read
    logic        only;       // for one lane group, `group`
    logic        total;      // for none: the sum of the block's pixels is wanted
    group_t      group;
    logic [10:0] block;      // first block of the round
    acs_isa_pkg::channel_t channel;  // source channel
    acs_isa_pkg::channel_t b_channel;  // that of the second block; of the next group, where two run
    acs_isa_pkg::channel_t column;   // its place in the weight rows
    logic [2:0]  ky;
    logic [2:0]  kx;
    logic [5:0]  tap;        // ky * kernel + kx
    group_count_t count_a;   // items of the first block
    group_count_t bank;      // weight bank of the first item
    logic [15:0] row_base;   // where the first item's row begins in its bank
    logic [15:0] first_base; // where the first rows of its group begin in their banks
    logic        bank_set;   // weight set
    logic signed [8:0] weight;  // instead of a weight from the banks
  } iteration_t;

  // Words that acs_front asked memory for, for a LINEAR: of its thresholds, then of its rows.
  typedef struct packed {
    logic        gate;       // thresholds come first
    acs_isa_pkg::channels_t channels;  // rows
    logic [15:0] row_words;
    logic [27:0] weights;    // words of weights of all rows
  } linear_job_t;

  // Neighbouring words of a weight row, by number; the row begins with its record.
  typedef struct packed {
    logic [15:0] first;
    logic [15:0] last;
  } run_t;

  // A number of rows, which may be beyond the map, or before it.
  typedef logic signed [10:0] source_rows_t;

  // A round of a CONV that is to come, from acs_rounds.
  typedef struct packed {
    group_count_t count_a;   // items of the first block
    group_count_t count;     // all items
    logic        use_b;      // some are of a second block, or group
    logic        paired;     // of a second group
    logic [10:0] block;      // the first block
    acs_isa_pkg::channels_t position;  // of the first item in its chunk
    acs_isa_pkg::channels_t restart;  // of the first item in the second block or group
    acs_isa_pkg::channels_t need;  // rows of the chunk up to the end of the first block
    acs_isa_pkg::channels_t chunk_first;  // row of the pass where the chunk begins
    group_count_t bank;      // weight bank of the first item
    logic [15:0] row_base;   // where the first item's row begins in its bank
    logic [15:0] first_base; // where the first rows of its group begin in their banks
    logic        first;      // its rows are the first ones of the chunk
    logic        chunk_ends;
    logic        pass_ends;
    source_rows_t rows;      // rows of the source up to the last one that it reads
  } plan_t;

  // A round on its way to requantization: which items the sums of its lane groups belong to.
  typedef struct packed {
    group_count_t count_a;
    group_count_t count;     // all items
    group_t      group;      // lane group of the first item
    logic        paired;     // items behind those of the first block are of another group
    logic [10:0] block;
    acs_isa_pkg::channel_t first;  // position of the first item in its chunk
    acs_isa_pkg::channel_t restart;  // and of the first one in the second block or group
    acs_isa_pkg::channel_t list_first;  // position of the chunk in the list of channels
    logic        masked;     // the list of masked channels
    logic        bank_set;   // record set
    logic        chunk_end;  // last round of its chunk
  } round_t;

  // Constants of an item.
  typedef struct packed {
    logic signed [31:0] bias;
    logic [15:0]        mult;
    logic [5:0]         shift;
  } constants_t;

  // An item of a round on its way through requantization.
  typedef struct packed {
    constants_t  constants;
    logic [15:0] base;       // first block of its channel
    logic [10:0] number;     // block of the channel
    group_t      group;      // lane group of its sums
    group_t      left;       // items that follow in its round
  } item_t;

  // Amounts of an instruction that are products of its fields.
  typedef struct packed {
    logic [23:0] inputs;        // channels, over all groups
    logic [23:0] outputs;
    logic [22:0] dense;         // pairs of inputs and outputs without masks
    logic [19:0] per_pair;      // MACs of such a pair
    logic [24:0] image_words;
    logic [27:0] linear_words;  // of the weight rows
    logic [27:0] flat_blocks;   // that FLATTEN copies
    logic [27:0] trace_blocks;  // of the result map
    logic        source_apart;  // no block belongs to two channels of the source
    logic        result_apart;  // nor of the result
    logic        beside;        // nor to the source and to the result
  } amounts_t;

  // An instruction on its way to the sequencer.
  typedef struct packed {
    acs_isa_pkg::instruction_words_t words;
    amounts_t                        amounts;
    logic [7:0]                      status;  // STATUS_OK, or the fault with which it ends the run
    logic                            joins;   // it is STATUS_OK, and the array runs it
    logic                            scans;   // a CONV whose only list is that of its outputs
    logic                            streams; // a CONV that may follow the rows of its source
  } judged_t;

  // What modules want to know of the instruction that runs without decoding it.
  typedef struct packed {
    logic   conv;
    logic   gavg;
    logic   maximum;         // a POOL that takes the maximum
    sides_t listed;          // a mask decides on the channels
    logic   source_apart;    // as in amounts_t
    logic   result_apart;
  } kind_t;

  /* verilator lint_off UNUSEDSIGNAL */
  function automatic kind_t kind_of(input acs_isa_pkg::instruction_t op, input amounts_t amounts);
    kind_t kind;
    kind.conv           = op.opcode == acs_isa_pkg::OP_CONV;
    kind.gavg           = op.opcode == acs_isa_pkg::OP_GAVG;
    kind.maximum        = op.opcode == acs_isa_pkg::OP_POOL && op.pool_max;
    kind.listed.inputs  = op.mask_in != 8'(acs_isa_pkg::MASK_NONE);
    kind.listed.outputs = op.mask_out != 8'(acs_isa_pkg::MASK_NONE) &&
                          acs_isa_pkg::masks_result(op);
    kind.source_apart   = amounts.source_apart;
    kind.result_apart   = amounts.result_apart;
    return kind;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  // An instruction as it runs: it traces only where the trace register says so.
  function automatic acs_isa_pkg::instruction_t traced_decode(
    input acs_isa_pkg::instruction_words_t words, input logic trace);
    acs_isa_pkg::instruction_t decoded;
    decoded = acs_isa_pkg::decode(words);
    if (!trace) decoded.trace_addr = '0;
    return decoded;
  endfunction

  /* verilator lint_off UNUSEDSIGNAL */
  // Whether words of weights that only masked inputs would meet are left out when rows are read.
  function automatic logic skips_words(input acs_isa_pkg::instruction_t op);
    return op.opcode == acs_isa_pkg::OP_CONV && op.mask_in != 8'(acs_isa_pkg::MASK_NONE) &&
           op.groups == 1 && !op.has_table;
  endfunction

  // Whether a chunk takes several groups: no mask decides about rows or inputs, so that the groups
  // follow one another at once, and a group's rows are not more than a chunk takes.
  function automatic logic joins_groups(input acs_isa_pkg::instruction_t op);
    return op.mask_in == 8'(acs_isa_pkg::MASK_NONE) && op.mask_out == 8'(acs_isa_pkg::MASK_NONE) &&
           op.channels <= acs_isa_pkg::channels_t'(op.chunk);
  endfunction

  // Whether rounds take two groups at a time, where the outputs of one would leave lane groups idle
  // and there is no second block: the second window is that of the next group's input, which pads
  // alike.  The rows of both lie in the banks as those of one group do.
  function automatic logic pairs_groups(input acs_isa_pkg::instruction_t op,
                                        input int unsigned lane_groups);
    return op.opcode == acs_isa_pkg::OP_CONV && joins_groups(op) && op.groups != 1 &&
      op.channels <= acs_isa_pkg::channels_t'(lane_groups / 2) &&
      plane_blocks(op.dst_height, op.row_log2) == 1 && op.pad_value0 == op.pad_value1 &&
      op.pad_value0 == op.pad_value2 && op.pad_value0 == op.pad_value3;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  // Whether another group fits into the set of banks behind one that ends there.  Its rows begin at
  // the first bank, as do those of every group.  The loader and the rounds decide by this alike.
  function automatic logic another_fits(
    input acs_isa_pkg::channels_t rows,  // of the set, at the end of the group
    input acs_isa_pkg::channels_t more,  // of a group
    input logic [15:0] base,  // words of a bank before the group
    input logic [15:0] next,  // and at its end
    input logic [16:0] bank_words);
    return rows + more <= acs_isa_pkg::channels_t'(acs_isa_pkg::MAX_CHUNK) &&
           {1'b0, next, 1'b0} <= {1'b0, bank_words} + {2'b0, base};
  endfunction

  // A shift outside its range acts as the nearer bound.
  function automatic logic [5:0] bounded_shift(input logic [7:0] shift);
    if (shift < 8'(acs_isa_pkg::SHIFT_MIN)) return 6'(acs_isa_pkg::SHIFT_MIN);
    if (shift > 8'(acs_isa_pkg::SHIFT_MAX)) return 6'(acs_isa_pkg::SHIFT_MAX);
    return shift[5:0];
  endfunction

  // Blocks of a plane with this many rows.
  function automatic logic [10:0] plane_blocks(input logic [7:0] rows, input logic [1:0] row_log2);
    return 11'((({3'b0, rows} << row_log2) + 11'd7) >> 3);
  endfunction

  // Rows in the phase planes of a split map; also columns.
  function automatic logic [7:0] phase_size(input logic [7:0] size, input logic phase);
    return 8'((9'(size) + 9'd1 - 9'(phase)) >> 1);
  endfunction

  // Where the phase plane of these parities begins in its channel, in blocks.
  function automatic logic [15:0] phase_offset(input logic [15:0] plane, input logic odd_row,
                                               input logic odd_column);
    return (odd_column ? plane : '0) + (odd_row ? {plane[14:0], 1'b0} : '0);
  endfunction

  // Of two neighbouring segments, the pixels of every second column.
  function automatic logic [63:0] every_second(input logic [63:0] low, input logic [63:0] high,
                                               input logic odd);
    logic [63:0] half;
    for (int j = 0; j < 4; j++) begin
      half[8*j+:8]    = odd ? low[16*j+8+:8] : low[16*j+:8];
      half[32+8*j+:8] = odd ? high[16*j+8+:8] : high[16*j+:8];
    end
    return half;
  endfunction

  function automatic logic [1:0] phase_row_log2(input logic [1:0] row_log2);
    return row_log2 == 0 ? 2'd0 : row_log2 - 2'd1;
  endfunction

endpackage

`default_nettype wire
