"""Fully connected layers from vector to vector."""

from __future__ import annotations

from acsgen.compiler.kinds._connected import (
    add_rows,
    instruction,
    listing,
    requantizing_records,
    rows_cost,
)
from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, plain, size_limits
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntGraph, IntLinear
from acsgen.isa.generated import Instruction, LinearMode, Opcode


def _constants(graph: IntGraph, layouts: Layouts, layer: IntLinear, builder: ParamsBuilder) -> None:
    add_rows(graph, layouts, layer, requantizing_records(layer), builder)


def _lower(operands: Operands, step: Step, layer: IntLinear) -> Instruction:
    return instruction(
        operands,
        layer,
        linear_mode=LinearMode.SIGMOID if layer.sigmoid else LinearMode.VECTOR,
        dst_signed=operands.sign(layer.name),
        vec_dst=operands.vector(layer.name),
        trace_addr=operands.trace(layer),
    )


def _listing(op: Instruction) -> list[str]:
    sigmoid = "sigmoid " if op.linear_mode == LinearMode.SIGMOID else ""
    return listing(op, f"{sigmoid}vec[{op.vec_dst}]")


COMPILER_KINDS.add(
    IntLinear.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(
            Opcode.LINEAR,
            cost=rows_cost,
            listing=_listing,
            modes=(LinearMode.VECTOR, LinearMode.SIGMOID),
        ),
    ),
)
