"""The image is copied into the feature memory."""

from __future__ import annotations

from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    no_constants,
    plain,
    size_limits,
)
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntInput
from acsgen.isa.generated import Instruction, Opcode


def _lower(operands: Operands, step: Step, layer: IntInput) -> Instruction:
    return Instruction(Opcode.LOAD, **operands.result(step))


COMPILER_KINDS.add(
    IntInput.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
    ),
)
