"""A map times one factor per channel from the vector memory."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import every_block, from_to, masks, requantization
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    no_constants,
    plain,
    size_limits,
)
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntFlatten, IntGraph, IntScale
from acsgen.isa.generated import Instruction, Opcode


def _limits(graph: IntGraph, layer: IntScale) -> Limits:
    yield from size_limits(graph, layer)
    vector = graph[layer.vector]
    if vector.format.any_signed or isinstance(vector, IntFlatten):
        yield (
            "scales a map by a vector that is signed or flattened",
            "scale by the result of a fully connected layer with sigmoid or ReLU",
        )


def _lower(operands: Operands, step: Step, layer: IntScale) -> Instruction:
    return Instruction(
        Opcode.SCALE,
        **operands.source(step),
        **operands.result(step),
        vec_src=operands.vector(layer.vector),
        mult=layer.mult,
        shift=layer.shift,
    )


def _listing(op: Instruction) -> list[str]:
    return [from_to(op), f"by vec[{op.vec_src}]", *masks(op), requantization(op)]


COMPILER_KINDS.add(
    IntScale.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=True,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.SCALE, cost=every_block, listing=_listing),
    ),
)
