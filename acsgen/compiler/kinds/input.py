"""The image is copied into the feature memory."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import result
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    no_constants,
    plain,
    size_limits,
)
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntInput
from acsgen.isa.generated import WORD_BYTES, Instruction, Opcode


def _lower(operands: Operands, step: Step, layer: IntInput) -> Instruction:
    return Instruction(Opcode.LOAD, **operands.result(step))


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    rows, words = op.channels * op.dst_height, -(-op.dst_width // WORD_BYTES)
    return Counters(read_words=rows * words)


def _listing(op: Instruction) -> list[str]:
    return [f"image -> {result(op, op.channels)}"]


COMPILER_KINDS.add(
    IntInput.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.LOAD, cost=_cost, listing=_listing),
    ),
)
