"""Pixelwise operations on one map, or on two."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import every_block, from_to, masks, requantization, residual
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    no_constants,
    plain,
    size_limits,
)
from acsgen.compiler.layout import is_map
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntEltwise, IntGraph
from acsgen.isa.generated import Instruction, Opcode


def _limits(graph: IntGraph, layer: IntEltwise) -> Limits:
    yield from size_limits(graph, layer)
    if not is_map(layer):
        yield "an elementwise layer on a vector", "apply it to the map, before pooling"


def _lower(operands: Operands, step: Step, layer: IntEltwise) -> Instruction:
    return Instruction(
        Opcode.ELTWISE,
        **operands.source(step),
        **operands.result(step),
        **operands.residual(layer.residual, layer.res_mult),
        mask_out=operands.result_mask(layer.mask),
        mult=layer.mult,
        shift=layer.shift,
    )


def _listing(op: Instruction) -> list[str]:
    return [from_to(op), *residual(op), *masks(op), requantization(op)]


COMPILER_KINDS.add(
    IntEltwise.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=True,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.ELTWISE, cost=every_block, listing=_listing),
    ),
)
