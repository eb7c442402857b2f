# Generated from hw/spec/engine.yaml by `python -m acsgen.isa`. Do not edit.
"""The instruction set in Python: constants, enums, instructions, channel records, registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Final

from acsgen.isa.bits import BitField, pack, reserved_problems, unpack

SPEC_HASH: Final = 0x7665A72C

#: Bytes in a memory word (AXI beat).
WORD_BYTES: Final = 8
#: Pixel lanes in a lane group; pixels in a block.
LANES: Final = 64
#: Segments in a block; banks of the feature memory.
SEGMENTS: Final = 8
#: Words of one instruction.
INSTRUCTION_WORDS: Final = 8
#: Words of a channel record. Every weight row begins with one, or with two.
RECORD_WORDS: Final = 1
#: Channels of a tensor.
MAX_CHANNELS: Final = 2048
#: Channels of a tensor of which a mask or a table chooses; bits of a mask register.
MAX_LISTED: Final = 1024
#: Mask registers.
MASK_REGISTERS: Final = 32
#: Mask number that means: no mask, every channel is active.
MASK_NONE: Final = 255
#: Largest kernel side of CONV and POOL.
MAX_KERNEL: Final = 7
#: Largest stride of CONV and POOL.
MAX_STRIDE: Final = 2
#: Most output channels whose weights are held at once.
MAX_CHUNK: Final = 128
#: Widest plane: one row must fit the lanes.
MAX_WIDTH: Final = 64
#: Most rows of a plane.
MAX_HEIGHT: Final = 255
#: Logarithm of the segments in the longest row: a block.
MAX_ROW_LOG2: Final = 3
#: Largest pixel, unsigned.
MAX_PIXEL: Final = 255
#: Smallest requantization shift; the residual multiplier has this many fraction bits.
SHIFT_MIN: Final = 14
#: Largest requantization shift.
SHIFT_MAX: Final = 38
#: Largest requantization multiplier (unsigned 16 bit).
MULT_MAX: Final = 65535
#: Fraction bits of the sigmoid table's signed 8-bit argument.
SIGMOID_FRACTION_BITS: Final = 4
#: Entries of the sigmoid table.
TABLE_SIZE: Final = 256
#: Bits of a memory word; mask bits in it.
WORD_BITS: Final = 64
#: Pixels of a segment.
SEGMENT_PIXELS: Final = 8
#: Padding values of an instruction; the last serves all further input channels.
PAD_VALUES: Final = 4


class Opcode(IntEnum):
    """The operation of an instruction."""

    #: Write the result header and stop.
    END = 1
    #: Copy the image (planar uint8, rows padded to whole words) into the feature memory.
    LOAD = 2
    #: Grouped convolution over active output and input channels, with bias, residual and
    #: requantization.
    CONV = 3
    #: Map to map: dst = requantize(src * mult + residual), masked channels become zero plus
    #: residual.
    ELTWISE = 4
    #: Max or average pooling, channel by channel.
    POOL = 5
    #: Global average of each channel's map into the vector memory.
    GAVG = 6
    #: Copy a map's segments into the vector memory, channel-major; pad pixels included.
    FLATTEN = 7
    #: Fully connected layer from the vector memory: to a vector, through the sigmoid table, to wide
    #: results, or to a mask.
    LINEAR = 8
    #: Multiply each channel's map by its entry of a vector (squeeze-and-excitation).
    SCALE = 9
    #: Stop as END does if the last GATE decided so, or if a counter is past its limit; go on
    #: otherwise.
    EXIT = 10


class LinearMode(IntEnum):
    """Where the results of LINEAR go."""

    #: Requantized 8-bit results into the vector memory.
    VECTOR = 0
    #: Requantized signed 8-bit argument looked up in the sigmoid table; unsigned result.
    SIGMOID = 1
    #: Results requantized without narrowing, int32, to the result buffer (class logits).
    WIDE = 2
    #: Accumulator > threshold, a bit per channel, into a mask register and the result buffer.
    GATE = 3


class Status(IntEnum):
    """How a run ended."""

    #: The program ran to END.
    OK = 1
    #: An opcode that is not in the specification.
    ILLEGAL_OPCODE = 2
    #: A field outside its range, or a size that the engine's memories do not hold.
    BAD_FIELD = 3
    #: A map outside the feature memory.
    FEATURE_RANGE = 4
    #: A parameter address outside the parameter buffer.
    PARAM_RANGE = 5
    #: A write outside the result buffer.
    RESULT_RANGE = 6
    #: An image larger than the image buffer.
    IMAGE_RANGE = 7
    #: The program buffer ended without END.
    NO_END = 8
    #: A memory read or write answered with an error (RTL).
    BUS_ERROR = 9
    #: Memory owed an answer and stopped (RTL); no result header is written.
    BUS_TIMEOUT = 10


class ResultHeader(IntEnum):
    """Words at the head of the result buffer."""

    #: Version hash of the engine's specification.
    SPEC_HASH = 0
    #: Status code.
    STATUS = 1
    #: Instruction at which the program stopped: an END, an EXIT, or the one that is to blame.
    FAULT_INDEX = 2
    #: Instructions executed.
    INSTRUCTIONS = 3
    #: Inner iterations of the lane array: a (round, active input channel, tap) each.
    ARRAY_ITERATIONS = 4
    #: Multiply-accumulates on valid output pixels, taps over padding counted.
    MACS_EXECUTED = 5
    #: Multiply-accumulates not done because a mask bit was 0.
    MACS_SKIPPED = 6
    #: Output channels computed by CONV.
    CHANNELS_EXECUTED = 7
    #: Output channels of CONV skipped by a mask.
    CHANNELS_SKIPPED = 8
    #: Words read from memory.
    READ_WORDS = 9
    #: Words written to memory, this header excluded.
    WRITTEN_WORDS = 10
    #: Clock cycles from start to END; 0 where the engine has no cycle counter (HLS).
    CYCLES = 11
    #: Cycles in which the array waited for memory; 0 where not counted.
    STALL_CYCLES = 12


class Register(IntEnum):
    """Byte offsets of the AXI4-Lite registers; a pointer's high word follows its low word."""

    #: bit 0 start, 1 done (clears on read), 2 idle, 3 ready, 7 auto-restart, 9 interrupt.
    CONTROL = 0x00
    #: bit 0: global interrupt enable.
    GIE = 0x04
    #: bit 0 done, bit 1 ready.
    IER = 0x08
    #: bit 0 done, bit 1 ready; toggle on write.
    ISR = 0x0C
    #: Program, INSTRUCTION_WORDS words an instruction.
    PROGRAM = 0x10
    #: Weights, channel records, tables and thresholds.
    PARAMS = 0x1C
    #: Image: planar uint8, each row padded to whole words.
    IMAGE = 0x28
    #: Result buffer: header, logits, masks, trace.
    RESULT = 0x34
    #: Size of the program buffer, words.
    PROGRAM_WORDS = 0x40
    #: Size of the parameter buffer, words.
    PARAMS_WORDS = 0x48
    #: Size of the image buffer, words.
    IMAGE_WORDS = 0x50
    #: Size of the result buffer, words.
    RESULT_WORDS = 0x58
    #: 1: copy every layer's result to its trace_addr.
    TRACE = 0x60
    #: Version hash of this specification.
    SPEC_HASH = 0x68
    #: Lane groups in bits 7:0, feature KiB in 23:8, bit 31: cycle counters present.
    CONFIGURATION = 0x78
    #: Status code of the last run; 0 before the first.
    STATUS = 0x88
    #: Instruction at which the last run stopped.
    FAULT_INDEX = 0x98


#: Words in the head of the result buffer.
HEADER_WORDS: Final = 13

#: For every buffer the register of its address and the register of its size in words.
BUFFER_REGISTERS: Final = {
    "program": (Register.PROGRAM, Register.PROGRAM_WORDS),
    "params": (Register.PARAMS, Register.PARAMS_WORDS),
    "image": (Register.IMAGE, Register.IMAGE_WORDS),
    "result": (Register.RESULT, Register.RESULT_WORDS),
}
#: Addresses of buffers: the low word of two.
POINTER_REGISTERS: Final = (
    Register.PROGRAM,
    Register.PARAMS,
    Register.IMAGE,
    Register.RESULT,
)
#: Values that a run reads, besides addresses.
INPUT_REGISTERS: Final = (
    Register.PROGRAM_WORDS,
    Register.PARAMS_WORDS,
    Register.IMAGE_WORDS,
    Register.RESULT_WORDS,
    Register.TRACE,
)
#: Values that a run writes.
OUTPUT_REGISTERS: Final = (
    Register.SPEC_HASH,
    Register.CONFIGURATION,
    Register.STATUS,
    Register.FAULT_INDEX,
)

INSTRUCTION_FIELDS: Final = (
    BitField("opcode", word=0, lsb=0, bits=8),
    BitField("kernel", word=0, lsb=8, bits=4),
    BitField("stride", word=0, lsb=12, bits=2),
    BitField("pad", word=0, lsb=14, bits=3),
    BitField("src_signed", word=0, lsb=17, bits=1),
    BitField("dst_signed", word=0, lsb=18, bits=1),
    BitField("res_enable", word=0, lsb=19, bits=1),
    BitField("res_signed", word=0, lsb=20, bits=1),
    BitField("dst_split", word=0, lsb=21, bits=1),
    BitField("pool_max", word=0, lsb=22, bits=1),
    BitField("has_table", word=0, lsb=23, bits=1),
    BitField("linear_mode", word=0, lsb=24, bits=2),
    BitField("row_log2", word=0, lsb=26, bits=2),
    BitField("mask_in", word=0, lsb=28, bits=8),
    BitField("mask_out", word=0, lsb=36, bits=8),
    BitField("shift", word=0, lsb=44, bits=6),
    BitField("pixels", word=0, lsb=50, bits=14),
    BitField("masked_zero", word=3, lsb=44, bits=1),
    BitField("src_base", word=1, lsb=0, bits=16),
    BitField("src_step", word=1, lsb=16, bits=16),
    BitField("dst_base", word=1, lsb=32, bits=16),
    BitField("dst_step", word=1, lsb=48, bits=16),
    BitField("res_base", word=2, lsb=0, bits=16),
    BitField("res_step", word=2, lsb=16, bits=16),
    BitField("src_height", word=2, lsb=32, bits=8),
    BitField("src_width", word=2, lsb=40, bits=8),
    BitField("dst_height", word=2, lsb=48, bits=8),
    BitField("dst_width", word=2, lsb=56, bits=8),
    BitField("groups", word=3, lsb=0, bits=12),
    BitField("channels_in", word=3, lsb=12, bits=12),
    BitField("channels", word=3, lsb=24, bits=12),
    BitField("chunk", word=3, lsb=36, bits=8),
    BitField("src_plane", word=3, lsb=48, bits=16),
    BitField("weight_addr", word=4, lsb=0, bits=32),
    BitField("row_words", word=4, lsb=32, bits=16),
    BitField("res_mult", word=4, lsb=48, bits=16),
    BitField("table_addr", word=5, lsb=0, bits=32),
    BitField("pad_value0", word=5, lsb=32, bits=8),
    BitField("pad_value1", word=5, lsb=40, bits=8),
    BitField("pad_value2", word=5, lsb=48, bits=8),
    BitField("pad_value3", word=5, lsb=56, bits=8),
    BitField("vec_src", word=6, lsb=0, bits=16),
    BitField("vec_dst", word=6, lsb=16, bits=16),
    BitField("threshold_addr", word=6, lsb=32, bits=32),
    BitField("result_addr", word=7, lsb=0, bits=24),
    BitField("trace_addr", word=7, lsb=24, bits=24),
    BitField("mult", word=7, lsb=48, bits=16),
    BitField("exit_on_gate", word=0, lsb=8, bits=1),
    BitField("macs_limit", word=1, lsb=0, bits=48),
    BitField("cycles_limit", word=2, lsb=0, bits=48),
)

RECORD_FIELDS: Final = (
    BitField("bias", word=0, lsb=0, bits=32, signed=True),
    BitField("mult", word=0, lsb=32, bits=16),
    BitField("shift", word=0, lsb=48, bits=8),
)

_USED: Final = {
    Opcode.END: ("opcode",),
    Opcode.LOAD: (
        "opcode dst_split row_log2 dst_base dst_step dst_height dst_width",
        "channels trace_addr",
    ),
    Opcode.CONV: (
        "opcode kernel stride pad src_signed dst_signed res_enable res_signed",
        "dst_split has_table row_log2 mask_in mask_out pixels masked_zero",
        "src_base src_step dst_base dst_step res_base res_step src_height",
        "src_width dst_height dst_width groups channels_in channels chunk",
        "src_plane weight_addr row_words res_mult table_addr pad_value0",
        "pad_value1 pad_value2 pad_value3 trace_addr",
    ),
    Opcode.ELTWISE: (
        "opcode src_signed dst_signed res_enable res_signed dst_split",
        "row_log2 mask_in mask_out shift src_base src_step dst_base dst_step",
        "res_base res_step dst_height dst_width channels res_mult trace_addr",
        "mult",
    ),
    Opcode.POOL: (
        "opcode kernel stride pad src_signed dst_signed dst_split pool_max",
        "row_log2 mask_in shift src_base src_step dst_base dst_step",
        "src_height src_width dst_height dst_width channels src_plane",
        "trace_addr mult",
    ),
    Opcode.GAVG: (
        "opcode src_signed dst_signed row_log2 mask_in shift src_base",
        "src_step src_height src_width channels vec_dst trace_addr mult",
    ),
    Opcode.FLATTEN: ("opcode src_base src_step channels vec_dst trace_addr",),
    Opcode.LINEAR: (
        "opcode src_signed dst_signed linear_mode mask_out channels",
        "weight_addr row_words vec_src vec_dst threshold_addr result_addr",
        "trace_addr",
    ),
    Opcode.SCALE: (
        "opcode src_signed dst_signed dst_split row_log2 mask_in shift",
        "src_base src_step dst_base dst_step dst_height dst_width channels",
        "vec_src trace_addr mult",
    ),
    Opcode.EXIT: ("opcode exit_on_gate macs_limit cycles_limit",),
}
#: Names of the fields that every opcode uses.  Fields may share bits if no opcode uses both.
USED_FIELDS: Final = {opcode: frozenset(" ".join(names).split()) for opcode, names in _USED.items()}

#: For every opcode the bits that must be zero, as (word, bits).
RESERVED_BITS: Final = {
    Opcode.END: (
        (0, 0xFFFF_FFFF_FFFF_FF00),
        (1, 0xFFFF_FFFF_FFFF_FFFF),
        (2, 0xFFFF_FFFF_FFFF_FFFF),
        (3, 0xFFFF_FFFF_FFFF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0xFFFF_FFFF_FFFF_FFFF),
    ),
    Opcode.LOAD: (
        (0, 0xFFFF_FFFF_F3DF_FF00),
        (1, 0x0000_0000_FFFF_FFFF),
        (2, 0x0000_FFFF_FFFF_FFFF),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0xFFFF_0000_00FF_FFFF),
    ),
    Opcode.CONV: (
        (0, 0x0003_F000_0340_0000),
        (3, 0x0000_E000_0000_0000),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0xFFFF_0000_00FF_FFFF),
    ),
    Opcode.ELTWISE: (
        (0, 0xFFFC_0000_03C1_FF00),
        (2, 0x0000_FFFF_0000_0000),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0x0000_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0x0000_0000_00FF_FFFF),
    ),
    Opcode.POOL: (
        (0, 0xFFFC_0FF0_0398_0000),
        (2, 0x0000_0000_FFFF_FFFF),
        (3, 0x0000_FFF0_00FF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0x0000_0000_00FF_FFFF),
    ),
    Opcode.GAVG: (
        (0, 0xFFFC_0FF0_03F9_FF00),
        (1, 0xFFFF_FFFF_0000_0000),
        (2, 0xFFFF_0000_FFFF_FFFF),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_0000_FFFF),
        (7, 0x0000_0000_00FF_FFFF),
    ),
    Opcode.FLATTEN: (
        (0, 0xFFFF_FFFF_FFFF_FF00),
        (1, 0xFFFF_FFFF_0000_0000),
        (2, 0xFFFF_FFFF_FFFF_FFFF),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_0000_FFFF),
        (7, 0xFFFF_0000_00FF_FFFF),
    ),
    Opcode.LINEAR: (
        (0, 0xFFFF_F00F_FCF9_FF00),
        (1, 0xFFFF_FFFF_FFFF_FFFF),
        (2, 0xFFFF_FFFF_FFFF_FFFF),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0xFFFF_0000_0000_0000),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0xFFFF_0000_0000_0000),
    ),
    Opcode.SCALE: (
        (0, 0xFFFC_0FF0_03D9_FF00),
        (2, 0x0000_FFFF_FFFF_FFFF),
        (3, 0xFFFF_FFF0_00FF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_0000),
        (7, 0x0000_0000_00FF_FFFF),
    ),
    Opcode.EXIT: (
        (0, 0xFFFF_FFFF_FFFF_FE00),
        (1, 0xFFFF_0000_0000_0000),
        (2, 0xFFFF_0000_0000_0000),
        (3, 0xFFFF_FFFF_FFFF_FFFF),
        (4, 0xFFFF_FFFF_FFFF_FFFF),
        (5, 0xFFFF_FFFF_FFFF_FFFF),
        (6, 0xFFFF_FFFF_FFFF_FFFF),
        (7, 0xFFFF_FFFF_FFFF_FFFF),
    ),
}

#: Opcodes by their roles; properties of an instruction have the same names.
ROLES: Final = {
    "reads_image": (Opcode.LOAD,),
    "reads_map": (
        Opcode.CONV,
        Opcode.ELTWISE,
        Opcode.POOL,
        Opcode.GAVG,
        Opcode.FLATTEN,
        Opcode.SCALE,
    ),
    "reads_pixels": (
        Opcode.CONV,
        Opcode.ELTWISE,
        Opcode.POOL,
        Opcode.GAVG,
        Opcode.SCALE,
    ),
    "copies_map": (Opcode.FLATTEN,),
    "moves_window": (
        Opcode.CONV,
        Opcode.POOL,
    ),
    "pixelwise": (
        Opcode.ELTWISE,
        Opcode.SCALE,
    ),
    "adds_map": (
        Opcode.CONV,
        Opcode.ELTWISE,
    ),
    "reads_vector": (
        Opcode.LINEAR,
        Opcode.SCALE,
    ),
    "reads_rows": (
        Opcode.CONV,
        Opcode.LINEAR,
    ),
    "reads_thresholds": (Opcode.LINEAR,),
    "grouped": (Opcode.CONV,),
    "masks_result": (
        Opcode.CONV,
        Opcode.ELTWISE,
    ),
    "writes_map": (
        Opcode.LOAD,
        Opcode.CONV,
        Opcode.ELTWISE,
        Opcode.POOL,
        Opcode.SCALE,
    ),
    "writes_vector": (
        Opcode.GAVG,
        Opcode.FLATTEN,
        Opcode.LINEAR,
    ),
    "writes_mask": (Opcode.LINEAR,),
    "has_channels": (
        Opcode.LOAD,
        Opcode.CONV,
        Opcode.ELTWISE,
        Opcode.POOL,
        Opcode.GAVG,
        Opcode.FLATTEN,
        Opcode.LINEAR,
        Opcode.SCALE,
    ),
    "writes_result": (Opcode.LINEAR,),
}
#: Roles that opcodes with modes have in these modes only.
ROLE_MODES: Final = {
    "reads_thresholds": (LinearMode.GATE,),
    "writes_vector": (
        LinearMode.VECTOR,
        LinearMode.SIGMOID,
    ),
    "writes_mask": (LinearMode.GATE,),
    "writes_result": (
        LinearMode.WIDE,
        LinearMode.GATE,
    ),
}


def fields_of(opcode: Opcode) -> tuple[BitField, ...]:
    """Return the fields that an opcode uses, in the order of the specification."""
    return tuple(f for f in INSTRUCTION_FIELDS if f.name in USED_FIELDS[opcode])


@dataclass(frozen=True)
class Instruction:
    """One instruction; fields that its opcode does not use stay zero."""

    opcode: Opcode
    #: Kernel side.
    kernel: int = 0
    #: 1, or 2: the source is then in split layout (four phase planes).
    stride: int = 0
    #: Padding on every side, in pixels.
    pad: int = 0
    #: Source values are signed.
    src_signed: int = 0
    #: Results saturate to -128..127; otherwise to 0..255, which is the ReLU.
    dst_signed: int = 0
    #: Add the residual map before saturation.
    res_enable: int = 0
    #: Residual values are signed.
    res_signed: int = 0
    #: Write the result in split layout.
    dst_split: int = 0
    #: 1: maximum over valid pixels; 0: sum, scaled by mult and shift.
    pool_max: int = 0
    #: Channel order of inputs and outputs comes from a table at table_addr.
    has_table: int = 0
    #: Where LINEAR results go (linear_modes).
    linear_mode: int = 0
    #: log2 of segments in a row of the raster plane being written (LOAD, CONV, POOL, ELTWISE,
    #: SCALE) or read (GAVG).
    row_log2: int = 0
    #: Mask of the source: channels with a 0 bit hold exact zero and are not read.
    mask_in: int = 0
    #: Mask of the result (CONV, ELTWISE), or the mask register that GATE writes.
    mask_out: int = 0
    #: Requantization shift of operations with one for all channels.
    shift: int = 0
    #: Valid result pixels of a channel (height*width of the whole map), for the MAC counters.
    pixels: int = 0
    #: Every masked_bias is zero: nothing is read for masked channels, which become
    #: requantize(residual * res_mult, SHIFT_MIN), or zero without residual. Set by the compiler
    #: whenever true. Otherwise weight rows begin with masked records if mask_out is not MASK_NONE,
    #: and the one of each masked channel is read.
    masked_zero: int = 0
    #: Source map, first block.
    src_base: int = 0
    #: Blocks from one source channel to the next.
    src_step: int = 0
    #: Result map, first block.
    dst_base: int = 0
    #: Blocks from one result channel to the next.
    dst_step: int = 0
    #: Residual map, first block; same plane shape as the result, raster layout.
    res_base: int = 0
    #: Blocks from one residual channel to the next.
    res_step: int = 0
    #: Source rows of the whole map (both phases, when split).
    src_height: int = 0
    #: Source columns of the whole map.
    src_width: int = 0
    #: Result rows.
    dst_height: int = 0
    #: Result columns.
    dst_width: int = 0
    #: Convolution groups.
    groups: int = 0
    #: Input channels of a group.
    channels_in: int = 0
    #: Output channels of a group (CONV), outputs (LINEAR), channels (others).
    channels: int = 0
    #: Output channels whose weights are loaded together.
    chunk: int = 0
    #: Blocks of one phase plane of a split source.
    src_plane: int = 0
    #: First weight row in the parameter buffer.
    weight_addr: int = 0
    #: Words of a weight row, channel records included.
    row_words: int = 0
    #: Residual multiplier with SHIFT_MIN fraction bits.
    res_mult: int = 0
    #: Channel-order table in the parameter buffer: groups*channels_in inputs, then groups*channels
    #: outputs, 16 bits each.
    table_addr: int = 0
    #: Padding value of input channel 0 (the network's input is stored un-normalized; zero
    #: elsewhere).
    pad_value0: int = 0
    #: Padding value of input channel 1.
    pad_value1: int = 0
    #: Padding value of input channel 2.
    pad_value2: int = 0
    #: Padding value of input channels 3 and above.
    pad_value3: int = 0
    #: Source in the vector memory, in words.
    vec_src: int = 0
    #: Result in the vector memory, in words.
    vec_dst: int = 0
    #: GATE thresholds in the parameter buffer, int32, two to a word.
    threshold_addr: int = 0
    #: Word of the result buffer for WIDE and GATE.
    result_addr: int = 0
    #: Word of the result buffer where the result is copied when the trace register is set; 0: not
    #: traced.
    trace_addr: int = 0
    #: Requantization multiplier of operations with one for all channels.
    mult: int = 0
    #: Stop if bit 0 of the mask that the last GATE of the run wrote is 1.
    exit_on_gate: int = 0
    #: Stop if macs_executed is greater. All ones: no limit.
    macs_limit: int = 0
    #: Stop if there were more cycles since the start when the instruction is judged. All ones: no
    #: limit; an engine without a cycle counter has none.
    cycles_limit: int = 0

    def encode(self) -> tuple[int, ...]:
        """Return the instruction's words.

        Raises :class:`ValueError` naming every field that does not fit or is not this opcode's.
        """
        words = pack(fields_of(self.opcode), asdict(self), INSTRUCTION_WORDS, self.opcode.name)
        if self.unused:
            raise ValueError(f"{self.opcode.name}: does not use {', '.join(self.unused)}")
        return words

    @property
    def unused(self) -> tuple[str, ...]:
        """Fields that have a value, and are not this opcode's."""
        used = USED_FIELDS[self.opcode]
        values = asdict(self)
        return tuple(name for name, value in values.items() if value and name not in used)

    @classmethod
    def decode(cls, words: Sequence[int]) -> Instruction:
        """Return the instruction in ``words``.

        Raises :class:`ValueError` on an unknown opcode or when a bit that must be zero is set.
        """
        opcode = Opcode(unpack(INSTRUCTION_FIELDS, words)["opcode"])
        wrong = reserved_problems(INSTRUCTION_FIELDS, words, RESERVED_BITS[opcode])
        if wrong:
            raise ValueError(f"{opcode.name}: does not use {', '.join(wrong)}")
        values = unpack(fields_of(opcode), words)
        del values["opcode"]
        return cls(opcode, **values)

    @property
    def has_masked_records(self) -> bool:
        """Whether its weight rows begin with the records that its channels have when masked."""
        masked = self.masks_result and self.mask_out != MASK_NONE and not self.masked_zero
        return self.reads_rows and masked

    @property
    def record_words(self) -> int:
        """The words of a weight row that are before its weights."""
        return RECORD_WORDS * (2 if self.has_masked_records else 1)

    def _has(self, role: str) -> bool:
        """Whether the opcode has a role, in its mode if it has modes."""
        if self.opcode not in ROLES[role]:
            return False
        has_modes = "linear_mode" in USED_FIELDS[self.opcode]
        return not has_modes or self.linear_mode in ROLE_MODES.get(role, (self.linear_mode,))

    @property
    def reads_image(self) -> bool:
        """Reads the image."""
        return self._has("reads_image")

    @property
    def reads_map(self) -> bool:
        """Reads a map of the feature memory."""
        return self._has("reads_map")

    @property
    def reads_pixels(self) -> bool:
        """Reads pixels of a map's active channels, through the lanes."""
        return self._has("reads_pixels")

    @property
    def copies_map(self) -> bool:
        """Copies the blocks of a map as they are into the vector memory."""
        return self._has("copies_map")

    @property
    def moves_window(self) -> bool:
        """Moves a window over the map that it reads."""
        return self._has("moves_window")

    @property
    def pixelwise(self) -> bool:
        """Reads a map of the result's own shape, pixel by pixel."""
        return self._has("pixelwise")

    @property
    def adds_map(self) -> bool:
        """Adds a residual map when res_enable says so."""
        return self._has("adds_map")

    @property
    def reads_vector(self) -> bool:
        """Reads a vector."""
        return self._has("reads_vector")

    @property
    def reads_rows(self) -> bool:
        """Reads weight rows from the parameter buffer."""
        return self._has("reads_rows")

    @property
    def reads_thresholds(self) -> bool:
        """Reads thresholds from the parameter buffer."""
        return self._has("reads_thresholds")

    @property
    def grouped(self) -> bool:
        """Has as many channels as `channels` says in each of its groups."""
        return self._has("grouped")

    @property
    def masks_result(self) -> bool:
        """Its mask_out switches channels of the result off."""
        return self._has("masks_result")

    @property
    def writes_map(self) -> bool:
        """Writes a map into the feature memory."""
        return self._has("writes_map")

    @property
    def writes_vector(self) -> bool:
        """Writes a vector."""
        return self._has("writes_vector")

    @property
    def writes_mask(self) -> bool:
        """Writes the mask register that mask_out names."""
        return self._has("writes_mask")

    @property
    def has_channels(self) -> bool:
        """Makes channels, at least one."""
        return self._has("has_channels")

    @property
    def writes_result(self) -> bool:
        """Writes the result buffer, traced or not."""
        return self._has("writes_result")


@dataclass(frozen=True)
class Record:
    """Constants of one output channel: the head of its weight row, alone or behind a masked one."""

    #: Accumulator start of an active channel. In a masked record, the accumulator: 0, or the value
    #: that BatchNorm makes of zero when the mask acts before it.
    bias: int = 0
    #: Requantization multiplier.
    mult: int = 0
    #: Requantization shift, SHIFT_MIN..SHIFT_MAX; a value outside acts as the nearer bound.
    shift: int = 0

    def encode(self) -> tuple[int, ...]:
        """Return the record's words; raises :class:`ValueError` naming fields that do not fit."""
        return pack(RECORD_FIELDS, asdict(self), RECORD_WORDS, "channel record")

    @classmethod
    def decode(cls, words: Sequence[int]) -> Record:
        """Return the record in ``words``."""
        return cls(**unpack(RECORD_FIELDS, words))
