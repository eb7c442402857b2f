"""Turns scheduled steps into instructions."""

from __future__ import annotations

from acsgen.compiler.kinds import kind_of
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.isa.generated import MASK_NONE, SHIFT_MIN, Instruction, Opcode

#: Multiplier that, with SHIFT_MIN fraction bits, is one.
UNIT_MULT = 1 << SHIFT_MIN


def lower(operands: Operands, step: Step) -> Instruction:
    """Return the instruction of ``step``."""
    if step.copy:
        return _copy(operands, step)
    lower_layer = kind_of(step.layer).lower
    assert lower_layer is not None, f"{step.layer.name} is placement, and has no step"
    return lower_layer(operands, step, step.layer)


def _copy(operands: Operands, step: Step) -> Instruction:
    fields = {**operands.source(step), **operands.result(step), "trace_addr": 0}
    return Instruction(
        Opcode.ELTWISE, **fields, mask_out=MASK_NONE, mult=UNIT_MULT, shift=SHIFT_MIN
    )
