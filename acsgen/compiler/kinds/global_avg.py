"""The mean of each channel, into the vector memory."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import masks, requantization, source
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
from acsgen.ir.integer import IntGlobalAvg
from acsgen.isa.generated import Instruction, Opcode


def _lower(operands: Operands, step: Step, layer: IntGlobalAvg) -> Instruction:
    source = operands.stored(step.reads[0])
    return Instruction(
        Opcode.GAVG,
        **operands.source(step),
        dst_signed=operands.sign(layer.name),
        src_height=source.height,
        src_width=source.width,
        row_log2=source.row_log2,
        channels=source.channels,
        vec_dst=operands.vector(layer.name),
        trace_addr=operands.trace(layer),
        mult=layer.mult,
        shift=layer.shift,
    )


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    return Counters()


def _listing(op: Instruction) -> list[str]:
    return [f"{source(op, op.channels)} -> vec[{op.vec_dst}]", *masks(op), requantization(op)]


COMPILER_KINDS.add(
    IntGlobalAvg.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=True,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.GAVG, cost=_cost, listing=_listing),
    ),
)
