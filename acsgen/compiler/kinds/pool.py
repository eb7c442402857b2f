"""Maximum and average over windows, channel by channel."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import (
    from_to,
    masks,
    requantization,
    window,
)
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    no_constants,
    plain,
    size_limits,
    window_limits,
)
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntGraph, IntPool
from acsgen.isa.generated import Instruction, Opcode


def _limits(graph: IntGraph, layer: IntPool) -> Limits:
    yield from size_limits(graph, layer)
    yield from window_limits(layer.kernel, layer.stride, layer.pad)


def _lower(operands: Operands, step: Step, layer: IntPool) -> Instruction:
    average = layer.mode == "avg"
    return Instruction(
        Opcode.POOL,
        **operands.source(step),
        **operands.window(step, layer.kernel, layer.stride, layer.pad),
        **operands.result(step),
        src_plane=operands.phase_plane(step),
        pool_max=int(not average),
        mult=layer.mult if average else 0,
        shift=layer.shift if average else 0,
    )


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    return Counters()


def _listing(op: Instruction) -> list[str]:
    parts = [from_to(op), f"{'max' if op.pool_max else 'average'} {window(op)}", *masks(op)]
    return parts if op.pool_max else [*parts, requantization(op)]


COMPILER_KINDS.add(
    IntPool.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=True,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.POOL, cost=_cost, listing=_listing),
    ),
)
