"""Fully connected layers from vector to vector."""

from __future__ import annotations

from acsgen.compiler.kinds._connected import add_rows, instruction, requantizing_records
from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, plain, size_limits
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntGraph, IntLinear
from acsgen.isa.generated import Instruction, LinearMode


def _constants(graph: IntGraph, layouts: Layouts, layer: IntLinear, builder: ParamsBuilder) -> None:
    add_rows(graph, layouts, layer, requantizing_records(layer), builder)


def _lower(operands: Operands, step: Step, layer: IntLinear) -> Instruction:
    return instruction(
        operands,
        layer,
        linear_mode=LinearMode.SIGMOID if layer.sigmoid else LinearMode.VECTOR,
        dst_signed=int(layer.signed),
        vec_dst=operands.vector(layer.name),
        trace_addr=operands.trace(layer),
    )


COMPILER_KINDS.add(
    IntLinear.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
    ),
)
