"""A map as a vector: its segments are copied, pad pixels included."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import source
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    VectorFormat,
    no_constants,
)
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntFlatten, IntGraph
from acsgen.isa.generated import SEGMENTS, Instruction, Opcode


def _limits(graph: IntGraph, layer: IntFlatten) -> Limits:
    """None of its own: the instruction counts the channels of the map, not of the vector."""
    yield from ()


def _vector_format(graph: IntGraph, layouts: Layouts, layer: IntFlatten) -> VectorFormat:
    copied = layouts.format(graph[layer.x], split=False)
    return VectorFormat(copied.byte_index().ravel(), copied.blocks * SEGMENTS, copied)


def _lower(operands: Operands, step: Step, layer: IntFlatten) -> Instruction:
    source = operands.stored(step.reads[0])
    return Instruction(
        Opcode.FLATTEN,
        src_base=operands.base(step.reads[0]),
        src_step=source.step,
        channels=source.channels,
        vec_dst=operands.vector(layer.name),
        trace_addr=operands.trace(layer),
    )


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    return Counters()


def _listing(op: Instruction) -> list[str]:
    return [f"{source(op, op.channels)} -> vec[{op.vec_dst}]"]


COMPILER_KINDS.add(
    IntFlatten.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=_vector_format,
        lower=_lower,
        remark="pad pixels included",
        instruction=InstructionKind(Opcode.FLATTEN, cost=_cost, listing=_listing),
    ),
)
