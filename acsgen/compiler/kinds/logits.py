"""The classifier, whose wide results go to the result buffer."""

from __future__ import annotations

from acsgen.compiler.kinds._connected import add_rows, instruction, requantizing_records
from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, plain, size_limits
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntGraph, IntLogits
from acsgen.isa.generated import Instruction, LinearMode


def _constants(graph: IntGraph, layouts: Layouts, layer: IntLogits, builder: ParamsBuilder) -> None:
    add_rows(graph, layouts, layer, requantizing_records(layer), builder)


def _lower(operands: Operands, step: Step, layer: IntLogits) -> Instruction:
    return instruction(
        operands,
        layer,
        linear_mode=LinearMode.WIDE,
        dst_signed=1,
        result_addr=operands.addresses.results[layer.name],
    )


COMPILER_KINDS.add(
    IntLogits.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
    ),
)
