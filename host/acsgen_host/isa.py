# Generated from hw/spec/engine.yaml by `python -m acsgen.isa`. Do not edit.
"""The engine as the driver sees it: registers, result header, status texts, version hash."""

SPEC_HASH = 0x7665A72C

# Bytes in a memory word (AXI beat).
WORD_BYTES = 8
# Bits of a memory word; mask bits in it.
WORD_BITS = 64
# Words of one instruction.
INSTRUCTION_WORDS = 8
# Channels of a tensor.
MAX_CHANNELS = 2048
# Mask registers.
MASK_REGISTERS = 32

# Byte offsets of the AXI4-Lite registers; a pointer's high word follows its low word.
# bit 0 start, 1 done (clears on read), 2 idle, 3 ready, 7 auto-restart, 9 interrupt.
REG_CONTROL = 0x00
# bit 0: global interrupt enable.
REG_GIE = 0x04
# bit 0 done, bit 1 ready.
REG_IER = 0x08
# bit 0 done, bit 1 ready; toggle on write.
REG_ISR = 0x0C
# Program, INSTRUCTION_WORDS words an instruction.
REG_PROGRAM = 0x10
# Weights, channel records, tables and thresholds.
REG_PARAMS = 0x1C
# Image: planar uint8, each row padded to whole words.
REG_IMAGE = 0x28
# Result buffer: header, logits, masks, trace.
REG_RESULT = 0x34
# Size of the program buffer, words.
REG_PROGRAM_WORDS = 0x40
# Size of the parameter buffer, words.
REG_PARAMS_WORDS = 0x48
# Size of the image buffer, words.
REG_IMAGE_WORDS = 0x50
# Size of the result buffer, words.
REG_RESULT_WORDS = 0x58
# 1: copy every layer's result to its trace_addr.
REG_TRACE = 0x60
# Version hash of this specification.
REG_SPEC_HASH = 0x68
# Lane groups in bits 7:0, feature KiB in 23:8, bit 31: cycle counters present.
REG_CONFIGURATION = 0x78
# Status code of the last run; 0 before the first.
REG_STATUS = 0x88
# Instruction at which the last run stopped.
REG_FAULT_INDEX = 0x98

# The same by name, for a dump; those of POINTERS have two words, those of OUTPUTS the engine sets.
REGISTERS = {
    "control": 0x00,
    "gie": 0x04,
    "ier": 0x08,
    "isr": 0x0C,
    "program": 0x10,
    "params": 0x1C,
    "image": 0x28,
    "result": 0x34,
    "program_words": 0x40,
    "params_words": 0x48,
    "image_words": 0x50,
    "result_words": 0x58,
    "trace": 0x60,
    "spec_hash": 0x68,
    "configuration": 0x78,
    "status": 0x88,
    "fault_index": 0x98,
}
POINTERS = ("program", "params", "image", "result")
OUTPUTS = ("spec_hash", "configuration", "status", "fault_index")

# Words of the result buffer's header, in order.
RESULT_HEADER = (
    "spec_hash",
    "status",
    "fault_index",
    "instructions",
    "array_iterations",
    "macs_executed",
    "macs_skipped",
    "channels_executed",
    "channels_skipped",
    "read_words",
    "written_words",
    "cycles",
    "stall_cycles",
)

# Limits of an EXIT, which are written into the program: word of the instruction, first bit, bits.
EXIT_LIMITS = {
    "macs_limit": (1, 0, 48),
    "cycles_limit": (2, 0, 48),
}

STATUS_OK = 1
STATUS_ILLEGAL_OPCODE = 2
STATUS_BAD_FIELD = 3
STATUS_FEATURE_RANGE = 4
STATUS_PARAM_RANGE = 5
STATUS_RESULT_RANGE = 6
STATUS_IMAGE_RANGE = 7
STATUS_NO_END = 8
STATUS_BUS_ERROR = 9
STATUS_BUS_TIMEOUT = 10

STATUS_NAME = {
    1: "OK",
    2: "ILLEGAL_OPCODE",
    3: "BAD_FIELD",
    4: "FEATURE_RANGE",
    5: "PARAM_RANGE",
    6: "RESULT_RANGE",
    7: "IMAGE_RANGE",
    8: "NO_END",
    9: "BUS_ERROR",
    10: "BUS_TIMEOUT",
}
STATUS_TEXT = {
    1: "The program ran to END.",
    2: "An opcode that is not in the specification.",
    3: "A field outside its range, or a size that the engine's memories do not hold.",
    4: "A map outside the feature memory.",
    5: "A parameter address outside the parameter buffer.",
    6: "A write outside the result buffer.",
    7: "An image larger than the image buffer.",
    8: "The program buffer ended without END.",
    9: "A memory read or write answered with an error (RTL).",
    10: "Memory owed an answer and stopped (RTL); no result header is written.",
}
