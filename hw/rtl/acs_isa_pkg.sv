// Generated from hw/spec/engine.yaml by `python -m acsgen.isa`. Do not edit.
//
// The engine's instruction set: constants, instruction and channel-record decoding, roles, status
// codes, the result header, register offsets, and the sigmoid table.
`default_nettype none

// A module uses the constants that it needs, no module uses all of them.
/* verilator lint_off UNUSEDPARAM */
package acs_isa_pkg;

  localparam logic [31:0] SPEC_HASH = 32'h7665A72C;

  // Bytes in a memory word (AXI beat).
  localparam int unsigned WORD_BYTES = 8;
  // Pixel lanes in a lane group; pixels in a block.
  localparam int unsigned LANES = 64;
  // Segments in a block; banks of the feature memory.
  localparam int unsigned SEGMENTS = 8;
  // Words of one instruction.
  localparam int unsigned INSTRUCTION_WORDS = 8;
  // Words of a channel record. Every weight row begins with one, or with two.
  localparam int unsigned RECORD_WORDS = 1;
  // Channels of a tensor.
  localparam int unsigned MAX_CHANNELS = 2048;
  // Channels of a tensor of which a mask or a table chooses; bits of a mask register.
  localparam int unsigned MAX_LISTED = 1024;
  // Mask registers.
  localparam int unsigned MASK_REGISTERS = 32;
  // Mask number that means: no mask, every channel is active.
  localparam int unsigned MASK_NONE = 255;
  // Largest kernel side of CONV and POOL.
  localparam int unsigned MAX_KERNEL = 7;
  // Largest stride of CONV and POOL.
  localparam int unsigned MAX_STRIDE = 2;
  // Most output channels whose weights are held at once.
  localparam int unsigned MAX_CHUNK = 128;
  // Widest plane: one row must fit the lanes.
  localparam int unsigned MAX_WIDTH = 64;
  // Most rows of a plane.
  localparam int unsigned MAX_HEIGHT = 255;
  // Logarithm of the segments in the longest row: a block.
  localparam int unsigned MAX_ROW_LOG2 = 3;
  // Largest pixel, unsigned.
  localparam int unsigned MAX_PIXEL = 255;
  // Smallest requantization shift; the residual multiplier has this many fraction bits.
  localparam int unsigned SHIFT_MIN = 14;
  // Largest requantization shift.
  localparam int unsigned SHIFT_MAX = 38;
  // Largest requantization multiplier (unsigned 16 bit).
  localparam int unsigned MULT_MAX = 65535;
  // Fraction bits of the sigmoid table's signed 8-bit argument.
  localparam int unsigned SIGMOID_FRACTION_BITS = 4;
  // Entries of the sigmoid table.
  localparam int unsigned TABLE_SIZE = 256;
  // Bits of a memory word; mask bits in it.
  localparam int unsigned WORD_BITS = 64;
  // Pixels of a segment.
  localparam int unsigned SEGMENT_PIXELS = 8;
  // Padding values of an instruction; the last serves all further input channels.
  localparam int unsigned PAD_VALUES = 4;

  // Operations.
  // Write the result header and stop.
  localparam logic [7:0] OP_END = 8'd1;
  // Copy the image (planar uint8, rows padded to whole words) into the feature memory.
  localparam logic [7:0] OP_LOAD = 8'd2;
  // Grouped convolution over active output and input channels, with bias, residual and
  // requantization.
  localparam logic [7:0] OP_CONV = 8'd3;
  // Map to map: dst = requantize(src * mult + residual), masked channels become zero plus residual.
  localparam logic [7:0] OP_ELTWISE = 8'd4;
  // Max or average pooling, channel by channel.
  localparam logic [7:0] OP_POOL = 8'd5;
  // Global average of each channel's map into the vector memory.
  localparam logic [7:0] OP_GAVG = 8'd6;
  // Copy a map's segments into the vector memory, channel-major; pad pixels included.
  localparam logic [7:0] OP_FLATTEN = 8'd7;
  // Fully connected layer from the vector memory: to a vector, through the sigmoid table, to wide
  // results, or to a mask.
  localparam logic [7:0] OP_LINEAR = 8'd8;
  // Multiply each channel's map by its entry of a vector (squeeze-and-excitation).
  localparam logic [7:0] OP_SCALE = 8'd9;
  // Stop as END does if the last GATE decided so, or if a counter is past its limit; go on
  // otherwise.
  localparam logic [7:0] OP_EXIT = 8'd10;

  // Statuses.
  // The program ran to END.
  localparam logic [7:0] STATUS_OK = 8'd1;
  // An opcode that is not in the specification.
  localparam logic [7:0] STATUS_ILLEGAL_OPCODE = 8'd2;
  // A field outside its range, or a size that the engine's memories do not hold.
  localparam logic [7:0] STATUS_BAD_FIELD = 8'd3;
  // A map outside the feature memory.
  localparam logic [7:0] STATUS_FEATURE_RANGE = 8'd4;
  // A parameter address outside the parameter buffer.
  localparam logic [7:0] STATUS_PARAM_RANGE = 8'd5;
  // A write outside the result buffer.
  localparam logic [7:0] STATUS_RESULT_RANGE = 8'd6;
  // An image larger than the image buffer.
  localparam logic [7:0] STATUS_IMAGE_RANGE = 8'd7;
  // The program buffer ended without END.
  localparam logic [7:0] STATUS_NO_END = 8'd8;
  // A memory read or write answered with an error (RTL).
  localparam logic [7:0] STATUS_BUS_ERROR = 8'd9;
  // Memory owed an answer and stopped (RTL); no result header is written.
  localparam logic [7:0] STATUS_BUS_TIMEOUT = 8'd10;

  // Where LINEAR results go.
  // Requantized 8-bit results into the vector memory.
  localparam logic [1:0] LINEAR_VECTOR = 2'd0;
  // Requantized signed 8-bit argument looked up in the sigmoid table; unsigned result.
  localparam logic [1:0] LINEAR_SIGMOID = 2'd1;
  // Results requantized without narrowing, int32, to the result buffer (class logits).
  localparam logic [1:0] LINEAR_WIDE = 2'd2;
  // Accumulator > threshold, a bit per channel, into a mask register and the result buffer.
  localparam logic [1:0] LINEAR_GATE = 2'd3;

  // The word of an instruction that holds its opcode.
  localparam int unsigned OPCODE_WORD = 0;

  // Words at the head of the result buffer.
  localparam int unsigned HEADER_SPEC_HASH = 0;
  localparam int unsigned HEADER_STATUS = 1;
  localparam int unsigned HEADER_FAULT_INDEX = 2;
  localparam int unsigned HEADER_INSTRUCTIONS = 3;
  localparam int unsigned HEADER_ARRAY_ITERATIONS = 4;
  localparam int unsigned HEADER_MACS_EXECUTED = 5;
  localparam int unsigned HEADER_MACS_SKIPPED = 6;
  localparam int unsigned HEADER_CHANNELS_EXECUTED = 7;
  localparam int unsigned HEADER_CHANNELS_SKIPPED = 8;
  localparam int unsigned HEADER_READ_WORDS = 9;
  localparam int unsigned HEADER_WRITTEN_WORDS = 10;
  localparam int unsigned HEADER_CYCLES = 11;
  localparam int unsigned HEADER_STALL_CYCLES = 12;
  localparam int unsigned HEADER_WORDS = 13;

  // Registers: byte offset of the (low) data word.
  localparam logic [7:0] REG_CONTROL = 8'h00;
  localparam logic [7:0] REG_GIE = 8'h04;
  localparam logic [7:0] REG_IER = 8'h08;
  localparam logic [7:0] REG_ISR = 8'h0C;
  localparam logic [7:0] REG_PROGRAM = 8'h10;
  localparam logic [7:0] REG_PARAMS = 8'h1C;
  localparam logic [7:0] REG_IMAGE = 8'h28;
  localparam logic [7:0] REG_RESULT = 8'h34;
  localparam logic [7:0] REG_PROGRAM_WORDS = 8'h40;
  localparam logic [7:0] REG_PARAMS_WORDS = 8'h48;
  localparam logic [7:0] REG_IMAGE_WORDS = 8'h50;
  localparam logic [7:0] REG_RESULT_WORDS = 8'h58;
  localparam logic [7:0] REG_TRACE = 8'h60;
  localparam logic [7:0] REG_SPEC_HASH = 8'h68;
  localparam logic [7:0] REG_CONFIGURATION = 8'h78;
  localparam logic [7:0] REG_STATUS = 8'h88;
  localparam logic [7:0] REG_FAULT_INDEX = 8'h98;

  // Numbers of channels or groups, 0 to MAX_CHANNELS; and which channel one is.
  typedef logic [11:0] channels_t;
  typedef logic [10:0] channel_t;
  // One that a mask or a table chooses.
  typedef logic [9:0] listed_t;

  typedef logic [INSTRUCTION_WORDS-1:0][63:0] instruction_words_t;
  typedef logic [RECORD_WORDS-1:0][63:0] record_words_t;

  // One instruction, decoded.
  typedef struct packed {
    // Operation.
    logic [7:0] opcode;
    // Kernel side.
    logic [3:0] kernel;
    // 1, or 2: the source is then in split layout (four phase planes).
    logic [1:0] stride;
    // Padding on every side, in pixels.
    logic [2:0] pad;
    // Source values are signed.
    logic [0:0] src_signed;
    // Results saturate to -128..127; otherwise to 0..255, which is the ReLU.
    logic [0:0] dst_signed;
    // Add the residual map before saturation.
    logic [0:0] res_enable;
    // Residual values are signed.
    logic [0:0] res_signed;
    // Write the result in split layout.
    logic [0:0] dst_split;
    // 1: maximum over valid pixels; 0: sum, scaled by mult and shift.
    logic [0:0] pool_max;
    // Channel order of inputs and outputs comes from a table at table_addr.
    logic [0:0] has_table;
    // Where LINEAR results go (linear_modes).
    logic [1:0] linear_mode;
    // log2 of segments in a row of the raster plane being written (LOAD, CONV, POOL, ELTWISE,
    // SCALE) or read (GAVG).
    logic [1:0] row_log2;
    // Mask of the source: channels with a 0 bit hold exact zero and are not read.
    logic [7:0] mask_in;
    // Mask of the result (CONV, ELTWISE), or the mask register that GATE writes.
    logic [7:0] mask_out;
    // Requantization shift of operations with one for all channels.
    logic [5:0] shift;
    // Valid result pixels of a channel (height*width of the whole map), for the MAC counters.
    logic [13:0] pixels;
    // Every masked_bias is zero: nothing is read for masked channels, which become
    // requantize(residual * res_mult, SHIFT_MIN), or zero without residual. Set by the compiler
    // whenever true. Otherwise weight rows begin with masked records if mask_out is not MASK_NONE,
    // and the one of each masked channel is read.
    logic [0:0] masked_zero;
    // Source map, first block.
    logic [15:0] src_base;
    // Blocks from one source channel to the next.
    logic [15:0] src_step;
    // Result map, first block.
    logic [15:0] dst_base;
    // Blocks from one result channel to the next.
    logic [15:0] dst_step;
    // Residual map, first block; same plane shape as the result, raster layout.
    logic [15:0] res_base;
    // Blocks from one residual channel to the next.
    logic [15:0] res_step;
    // Source rows of the whole map (both phases, when split).
    logic [7:0] src_height;
    // Source columns of the whole map.
    logic [7:0] src_width;
    // Result rows.
    logic [7:0] dst_height;
    // Result columns.
    logic [7:0] dst_width;
    // Convolution groups.
    logic [11:0] groups;
    // Input channels of a group.
    logic [11:0] channels_in;
    // Output channels of a group (CONV), outputs (LINEAR), channels (others).
    logic [11:0] channels;
    // Output channels whose weights are loaded together.
    logic [7:0] chunk;
    // Blocks of one phase plane of a split source.
    logic [15:0] src_plane;
    // First weight row in the parameter buffer.
    logic [31:0] weight_addr;
    // Words of a weight row, channel records included.
    logic [15:0] row_words;
    // Residual multiplier with SHIFT_MIN fraction bits.
    logic [15:0] res_mult;
    // Channel-order table in the parameter buffer: groups*channels_in inputs, then groups*channels
    // outputs, 16 bits each.
    logic [31:0] table_addr;
    // Padding value of input channel 0 (the network's input is stored un-normalized; zero
    // elsewhere).
    logic [7:0] pad_value0;
    // Padding value of input channel 1.
    logic [7:0] pad_value1;
    // Padding value of input channel 2.
    logic [7:0] pad_value2;
    // Padding value of input channels 3 and above.
    logic [7:0] pad_value3;
    // Source in the vector memory, in words.
    logic [15:0] vec_src;
    // Result in the vector memory, in words.
    logic [15:0] vec_dst;
    // GATE thresholds in the parameter buffer, int32, two to a word.
    logic [31:0] threshold_addr;
    // Word of the result buffer for WIDE and GATE.
    logic [23:0] result_addr;
    // Word of the result buffer where the result is copied when the trace register is set; 0: not
    // traced.
    logic [23:0] trace_addr;
    // Requantization multiplier of operations with one for all channels.
    logic [15:0] mult;
    // Stop if bit 0 of the mask that the last GATE of the run wrote is 1.
    logic [0:0] exit_on_gate;
    // Stop if macs_executed is greater. All ones: no limit.
    logic [47:0] macs_limit;
    // Stop if there were more cycles since the start when the instruction is judged. All ones: no
    // limit; an engine without a cycle counter has none.
    logic [47:0] cycles_limit;
  } instruction_t;

  // Constants of one output channel: the head of its weight row, alone or behind a masked one.
  typedef struct packed {
    // Accumulator start of an active channel. In a masked record, the accumulator: 0, or the value
    // that BatchNorm makes of zero when the mask acts before it.
    logic signed [31:0] bias;
    // Requantization multiplier.
    logic [15:0] mult;
    // Requantization shift, SHIFT_MIN..SHIFT_MAX; a value outside acts as the nearer bound.
    logic [7:0] shift;
  } record_t;

  // Bits that no field names are judged by reserved_bits_clear.  Bits that two fields share are
  // given to the field that the opcode uses; the other is zero.
  /* verilator lint_off UNUSEDSIGNAL */
  function automatic instruction_t decode(input instruction_words_t words);
    instruction_t r;
    r.opcode = words[0][7:0];
    r.kernel = r.opcode inside {OP_CONV, OP_POOL} ?
        words[0][11:8] : '0;
    r.stride = words[0][13:12];
    r.pad = words[0][16:14];
    r.src_signed = words[0][17:17];
    r.dst_signed = words[0][18:18];
    r.res_enable = words[0][19:19];
    r.res_signed = words[0][20:20];
    r.dst_split = words[0][21:21];
    r.pool_max = words[0][22:22];
    r.has_table = words[0][23:23];
    r.linear_mode = words[0][25:24];
    r.row_log2 = words[0][27:26];
    r.mask_in = words[0][35:28];
    r.mask_out = words[0][43:36];
    r.shift = words[0][49:44];
    r.pixels = words[0][63:50];
    r.masked_zero = words[3][44:44];
    r.src_base = r.opcode inside {OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_FLATTEN,
        OP_SCALE} ?
        words[1][15:0] : '0;
    r.src_step = r.opcode inside {OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_FLATTEN,
        OP_SCALE} ?
        words[1][31:16] : '0;
    r.dst_base = r.opcode inside {OP_LOAD, OP_CONV, OP_ELTWISE, OP_POOL, OP_SCALE} ?
        words[1][47:32] : '0;
    r.dst_step = words[1][63:48];
    r.res_base = r.opcode inside {OP_CONV, OP_ELTWISE} ?
        words[2][15:0] : '0;
    r.res_step = r.opcode inside {OP_CONV, OP_ELTWISE} ?
        words[2][31:16] : '0;
    r.src_height = r.opcode inside {OP_CONV, OP_POOL, OP_GAVG} ?
        words[2][39:32] : '0;
    r.src_width = r.opcode inside {OP_CONV, OP_POOL, OP_GAVG} ?
        words[2][47:40] : '0;
    r.dst_height = words[2][55:48];
    r.dst_width = words[2][63:56];
    r.groups = words[3][11:0];
    r.channels_in = words[3][23:12];
    r.channels = words[3][35:24];
    r.chunk = words[3][43:36];
    r.src_plane = words[3][63:48];
    r.weight_addr = words[4][31:0];
    r.row_words = words[4][47:32];
    r.res_mult = words[4][63:48];
    r.table_addr = words[5][31:0];
    r.pad_value0 = words[5][39:32];
    r.pad_value1 = words[5][47:40];
    r.pad_value2 = words[5][55:48];
    r.pad_value3 = words[5][63:56];
    r.vec_src = words[6][15:0];
    r.vec_dst = words[6][31:16];
    r.threshold_addr = words[6][63:32];
    r.result_addr = words[7][23:0];
    r.trace_addr = words[7][47:24];
    r.mult = words[7][63:48];
    r.exit_on_gate = r.opcode inside {OP_EXIT} ?
        words[0][8:8] : '0;
    r.macs_limit = r.opcode inside {OP_EXIT} ?
        words[1][47:0] : '0;
    r.cycles_limit = r.opcode inside {OP_EXIT} ?
        words[2][47:0] : '0;
    return r;
  endfunction

  function automatic record_t decode_record(input record_words_t words);
    record_t r;
    r.bias = 32'(signed'(words[0][31:0]));
    r.mult = words[0][47:32];
    r.shift = words[0][55:48];
    return r;
  endfunction

  // Reads the image.
  function automatic logic reads_image(input instruction_t op);
    return op.opcode inside {OP_LOAD};
  endfunction

  // Reads a map of the feature memory.
  function automatic logic reads_map(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_FLATTEN, OP_SCALE};
  endfunction

  // Reads pixels of a map's active channels, through the lanes.
  function automatic logic reads_pixels(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_SCALE};
  endfunction

  // Copies the blocks of a map as they are into the vector memory.
  function automatic logic copies_map(input instruction_t op);
    return op.opcode inside {OP_FLATTEN};
  endfunction

  // Moves a window over the map that it reads.
  function automatic logic moves_window(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_POOL};
  endfunction

  // Reads a map of the result's own shape, pixel by pixel.
  function automatic logic pixelwise(input instruction_t op);
    return op.opcode inside {OP_ELTWISE, OP_SCALE};
  endfunction

  // Adds a residual map when res_enable says so.
  function automatic logic adds_map(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_ELTWISE};
  endfunction

  // Reads a vector.
  function automatic logic reads_vector(input instruction_t op);
    return op.opcode inside {OP_LINEAR, OP_SCALE};
  endfunction

  // Reads weight rows from the parameter buffer.
  function automatic logic reads_rows(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_LINEAR};
  endfunction

  // Reads thresholds from the parameter buffer.
  function automatic logic reads_thresholds(input instruction_t op);
    return op.opcode inside {OP_LINEAR} && op.linear_mode inside {LINEAR_GATE};
  endfunction

  // Has as many channels as `channels` says in each of its groups.
  function automatic logic grouped(input instruction_t op);
    return op.opcode inside {OP_CONV};
  endfunction

  // Its mask_out switches channels of the result off.
  function automatic logic masks_result(input instruction_t op);
    return op.opcode inside {OP_CONV, OP_ELTWISE};
  endfunction

  // Writes a map into the feature memory.
  function automatic logic writes_map(input instruction_t op);
    return op.opcode inside {OP_LOAD, OP_CONV, OP_ELTWISE, OP_POOL, OP_SCALE};
  endfunction

  // Writes a vector.
  function automatic logic writes_vector(input instruction_t op);
    return op.opcode inside {OP_GAVG, OP_FLATTEN} ||
        (op.opcode inside {OP_LINEAR} && op.linear_mode inside {LINEAR_VECTOR, LINEAR_SIGMOID});
  endfunction

  // Writes the mask register that mask_out names.
  function automatic logic writes_mask(input instruction_t op);
    return op.opcode inside {OP_LINEAR} && op.linear_mode inside {LINEAR_GATE};
  endfunction

  // Makes channels, at least one.
  function automatic logic has_channels(input instruction_t op);
    return op.opcode inside {OP_LOAD, OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_FLATTEN, OP_LINEAR,
        OP_SCALE};
  endfunction

  // Writes the result buffer, traced or not.
  function automatic logic writes_result(input instruction_t op);
    return op.opcode inside {OP_LINEAR} && op.linear_mode inside {LINEAR_WIDE, LINEAR_GATE};
  endfunction

  // Whether its weight rows begin with the records that its channels have when masked.
  function automatic logic has_masked_records(input instruction_t op);
    return reads_rows(op) && masks_result(op) && 32'(op.mask_out) != MASK_NONE && !op.masked_zero;
  endfunction

  // The words of a weight row that are before its weights.
  function automatic int unsigned record_words(input instruction_t op);
    return has_masked_records(op) ? 2 * RECORD_WORDS : RECORD_WORDS;
  endfunction

  // Padding value of an input channel: that of the last field for all further ones.
  function automatic logic [7:0] padding_value(input instruction_t op, input channel_t channel);
    logic [7:0] found;
    unique case (channel)
      11'd0: found = op.pad_value0;
      11'd1: found = op.pad_value1;
      11'd2: found = op.pad_value2;
      default: found = op.pad_value3;
    endcase
    return found;
  endfunction

  // Its opcode alone, wherever the specification has put it.
  function automatic logic [7:0] opcode_of(input instruction_words_t words);
    return words[0][7:0];
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  function automatic logic opcode_known(input logic [7:0] opcode);
    return opcode inside {OP_END, OP_LOAD, OP_CONV, OP_ELTWISE, OP_POOL, OP_GAVG, OP_FLATTEN,
        OP_LINEAR, OP_SCALE, OP_EXIT};
  endfunction

  // True when the opcode is known and every bit that it does not use is zero.
  function automatic logic reserved_bits_clear(input logic [7:0] opcode,
                                               input instruction_words_t words);
    instruction_words_t bits;
    bits = '0;
    unique case (opcode)
      OP_END: begin
        bits[0] = 64'hFFFFFFFFFFFFFF00;
        bits[1] = 64'hFFFFFFFFFFFFFFFF;
        bits[2] = 64'hFFFFFFFFFFFFFFFF;
        bits[3] = 64'hFFFFFFFFFFFFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'hFFFFFFFFFFFFFFFF;
      end
      OP_LOAD: begin
        bits[0] = 64'hFFFFFFFFF3DFFF00;
        bits[1] = 64'h00000000FFFFFFFF;
        bits[2] = 64'h0000FFFFFFFFFFFF;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'hFFFF000000FFFFFF;
      end
      OP_CONV: begin
        bits[0] = 64'h0003F00003400000;
        bits[3] = 64'h0000E00000000000;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'hFFFF000000FFFFFF;
      end
      OP_ELTWISE: begin
        bits[0] = 64'hFFFC000003C1FF00;
        bits[2] = 64'h0000FFFF00000000;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'h0000FFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'h0000000000FFFFFF;
      end
      OP_POOL: begin
        bits[0] = 64'hFFFC0FF003980000;
        bits[2] = 64'h00000000FFFFFFFF;
        bits[3] = 64'h0000FFF000FFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'h0000000000FFFFFF;
      end
      OP_GAVG: begin
        bits[0] = 64'hFFFC0FF003F9FF00;
        bits[1] = 64'hFFFFFFFF00000000;
        bits[2] = 64'hFFFF0000FFFFFFFF;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFF0000FFFF;
        bits[7] = 64'h0000000000FFFFFF;
      end
      OP_FLATTEN: begin
        bits[0] = 64'hFFFFFFFFFFFFFF00;
        bits[1] = 64'hFFFFFFFF00000000;
        bits[2] = 64'hFFFFFFFFFFFFFFFF;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFF0000FFFF;
        bits[7] = 64'hFFFF000000FFFFFF;
      end
      OP_LINEAR: begin
        bits[0] = 64'hFFFFF00FFCF9FF00;
        bits[1] = 64'hFFFFFFFFFFFFFFFF;
        bits[2] = 64'hFFFFFFFFFFFFFFFF;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'hFFFF000000000000;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'hFFFF000000000000;
      end
      OP_SCALE: begin
        bits[0] = 64'hFFFC0FF003D9FF00;
        bits[2] = 64'h0000FFFFFFFFFFFF;
        bits[3] = 64'hFFFFFFF000FFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFF0000;
        bits[7] = 64'h0000000000FFFFFF;
      end
      OP_EXIT: begin
        bits[0] = 64'hFFFFFFFFFFFFFE00;
        bits[1] = 64'hFFFF000000000000;
        bits[2] = 64'hFFFF000000000000;
        bits[3] = 64'hFFFFFFFFFFFFFFFF;
        bits[4] = 64'hFFFFFFFFFFFFFFFF;
        bits[5] = 64'hFFFFFFFFFFFFFFFF;
        bits[6] = 64'hFFFFFFFFFFFFFFFF;
        bits[7] = 64'hFFFFFFFFFFFFFFFF;
      end
      default: return 1'b0;
    endcase
    return (words & bits) == '0;
  endfunction

  // Sigmoid of q / 2^SIGMOID_FRACTION_BITS in units of 1/256; q is a signed byte.
  function automatic logic [7:0] sigmoid(input logic [7:0] q);
    unique case (q)
      8'd128: return 8'd0;
      8'd129: return 8'd0;
      8'd130: return 8'd0;
      8'd131: return 8'd0;
      8'd132: return 8'd0;
      8'd133: return 8'd0;
      8'd134: return 8'd0;
      8'd135: return 8'd0;
      8'd136: return 8'd0;
      8'd137: return 8'd0;
      8'd138: return 8'd0;
      8'd139: return 8'd0;
      8'd140: return 8'd0;
      8'd141: return 8'd0;
      8'd142: return 8'd0;
      8'd143: return 8'd0;
      8'd144: return 8'd0;
      8'd145: return 8'd0;
      8'd146: return 8'd0;
      8'd147: return 8'd0;
      8'd148: return 8'd0;
      8'd149: return 8'd0;
      8'd150: return 8'd0;
      8'd151: return 8'd0;
      8'd152: return 8'd0;
      8'd153: return 8'd0;
      8'd154: return 8'd0;
      8'd155: return 8'd0;
      8'd156: return 8'd0;
      8'd157: return 8'd1;
      8'd158: return 8'd1;
      8'd159: return 8'd1;
      8'd160: return 8'd1;
      8'd161: return 8'd1;
      8'd162: return 8'd1;
      8'd163: return 8'd1;
      8'd164: return 8'd1;
      8'd165: return 8'd1;
      8'd166: return 8'd1;
      8'd167: return 8'd1;
      8'd168: return 8'd1;
      8'd169: return 8'd1;
      8'd170: return 8'd1;
      8'd171: return 8'd1;
      8'd172: return 8'd1;
      8'd173: return 8'd1;
      8'd174: return 8'd2;
      8'd175: return 8'd2;
      8'd176: return 8'd2;
      8'd177: return 8'd2;
      8'd178: return 8'd2;
      8'd179: return 8'd2;
      8'd180: return 8'd2;
      8'd181: return 8'd2;
      8'd182: return 8'd2;
      8'd183: return 8'd3;
      8'd184: return 8'd3;
      8'd185: return 8'd3;
      8'd186: return 8'd3;
      8'd187: return 8'd3;
      8'd188: return 8'd4;
      8'd189: return 8'd4;
      8'd190: return 8'd4;
      8'd191: return 8'd4;
      8'd192: return 8'd5;
      8'd193: return 8'd5;
      8'd194: return 8'd5;
      8'd195: return 8'd6;
      8'd196: return 8'd6;
      8'd197: return 8'd6;
      8'd198: return 8'd7;
      8'd199: return 8'd7;
      8'd200: return 8'd8;
      8'd201: return 8'd8;
      8'd202: return 8'd8;
      8'd203: return 8'd9;
      8'd204: return 8'd10;
      8'd205: return 8'd10;
      8'd206: return 8'd11;
      8'd207: return 8'd11;
      8'd208: return 8'd12;
      8'd209: return 8'd13;
      8'd210: return 8'd14;
      8'd211: return 8'd15;
      8'd212: return 8'd15;
      8'd213: return 8'd16;
      8'd214: return 8'd17;
      8'd215: return 8'd18;
      8'd216: return 8'd19;
      8'd217: return 8'd21;
      8'd218: return 8'd22;
      8'd219: return 8'd23;
      8'd220: return 8'd24;
      8'd221: return 8'd26;
      8'd222: return 8'd27;
      8'd223: return 8'd29;
      8'd224: return 8'd31;
      8'd225: return 8'd32;
      8'd226: return 8'd34;
      8'd227: return 8'd36;
      8'd228: return 8'd38;
      8'd229: return 8'd40;
      8'd230: return 8'd42;
      8'd231: return 8'd44;
      8'd232: return 8'd47;
      8'd233: return 8'd49;
      8'd234: return 8'd52;
      8'd235: return 8'd54;
      8'd236: return 8'd57;
      8'd237: return 8'd60;
      8'd238: return 8'd63;
      8'd239: return 8'd66;
      8'd240: return 8'd69;
      8'd241: return 8'd72;
      8'd242: return 8'd75;
      8'd243: return 8'd79;
      8'd244: return 8'd82;
      8'd245: return 8'd86;
      8'd246: return 8'd89;
      8'd247: return 8'd93;
      8'd248: return 8'd97;
      8'd249: return 8'd100;
      8'd250: return 8'd104;
      8'd251: return 8'd108;
      8'd252: return 8'd112;
      8'd253: return 8'd116;
      8'd254: return 8'd120;
      8'd255: return 8'd124;
      8'd0: return 8'd128;
      8'd1: return 8'd132;
      8'd2: return 8'd136;
      8'd3: return 8'd140;
      8'd4: return 8'd144;
      8'd5: return 8'd148;
      8'd6: return 8'd152;
      8'd7: return 8'd156;
      8'd8: return 8'd159;
      8'd9: return 8'd163;
      8'd10: return 8'd167;
      8'd11: return 8'd170;
      8'd12: return 8'd174;
      8'd13: return 8'd177;
      8'd14: return 8'd181;
      8'd15: return 8'd184;
      8'd16: return 8'd187;
      8'd17: return 8'd190;
      8'd18: return 8'd193;
      8'd19: return 8'd196;
      8'd20: return 8'd199;
      8'd21: return 8'd202;
      8'd22: return 8'd204;
      8'd23: return 8'd207;
      8'd24: return 8'd209;
      8'd25: return 8'd212;
      8'd26: return 8'd214;
      8'd27: return 8'd216;
      8'd28: return 8'd218;
      8'd29: return 8'd220;
      8'd30: return 8'd222;
      8'd31: return 8'd224;
      8'd32: return 8'd225;
      8'd33: return 8'd227;
      8'd34: return 8'd229;
      8'd35: return 8'd230;
      8'd36: return 8'd232;
      8'd37: return 8'd233;
      8'd38: return 8'd234;
      8'd39: return 8'd235;
      8'd40: return 8'd237;
      8'd41: return 8'd238;
      8'd42: return 8'd239;
      8'd43: return 8'd240;
      8'd44: return 8'd241;
      8'd45: return 8'd241;
      8'd46: return 8'd242;
      8'd47: return 8'd243;
      8'd48: return 8'd244;
      8'd49: return 8'd245;
      8'd50: return 8'd245;
      8'd51: return 8'd246;
      8'd52: return 8'd246;
      8'd53: return 8'd247;
      8'd54: return 8'd248;
      8'd55: return 8'd248;
      8'd56: return 8'd248;
      8'd57: return 8'd249;
      8'd58: return 8'd249;
      8'd59: return 8'd250;
      8'd60: return 8'd250;
      8'd61: return 8'd250;
      8'd62: return 8'd251;
      8'd63: return 8'd251;
      8'd64: return 8'd251;
      8'd65: return 8'd252;
      8'd66: return 8'd252;
      8'd67: return 8'd252;
      8'd68: return 8'd252;
      8'd69: return 8'd253;
      8'd70: return 8'd253;
      8'd71: return 8'd253;
      8'd72: return 8'd253;
      8'd73: return 8'd253;
      8'd74: return 8'd254;
      8'd75: return 8'd254;
      8'd76: return 8'd254;
      8'd77: return 8'd254;
      8'd78: return 8'd254;
      8'd79: return 8'd254;
      8'd80: return 8'd254;
      8'd81: return 8'd254;
      8'd82: return 8'd254;
      8'd83: return 8'd255;
      8'd84: return 8'd255;
      8'd85: return 8'd255;
      8'd86: return 8'd255;
      8'd87: return 8'd255;
      8'd88: return 8'd255;
      8'd89: return 8'd255;
      8'd90: return 8'd255;
      8'd91: return 8'd255;
      8'd92: return 8'd255;
      8'd93: return 8'd255;
      8'd94: return 8'd255;
      8'd95: return 8'd255;
      8'd96: return 8'd255;
      8'd97: return 8'd255;
      8'd98: return 8'd255;
      8'd99: return 8'd255;
      8'd100: return 8'd255;
      8'd101: return 8'd255;
      8'd102: return 8'd255;
      8'd103: return 8'd255;
      8'd104: return 8'd255;
      8'd105: return 8'd255;
      8'd106: return 8'd255;
      8'd107: return 8'd255;
      8'd108: return 8'd255;
      8'd109: return 8'd255;
      8'd110: return 8'd255;
      8'd111: return 8'd255;
      8'd112: return 8'd255;
      8'd113: return 8'd255;
      8'd114: return 8'd255;
      8'd115: return 8'd255;
      8'd116: return 8'd255;
      8'd117: return 8'd255;
      8'd118: return 8'd255;
      8'd119: return 8'd255;
      8'd120: return 8'd255;
      8'd121: return 8'd255;
      8'd122: return 8'd255;
      8'd123: return 8'd255;
      8'd124: return 8'd255;
      8'd125: return 8'd255;
      8'd126: return 8'd255;
      8'd127: return 8'd255;
      default: return 8'd0;
    endcase
  endfunction

endpackage
/* verilator lint_on UNUSEDPARAM */

`default_nettype wire
