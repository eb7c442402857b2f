"""The classifier, whose wide results go to the result buffer."""

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
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntGraph, IntLogits
from acsgen.isa.generated import Instruction, LinearMode, Opcode


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


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    written = -(-op.channels // 2)
    return rows_cost(walk, op, layer) + Counters(written_words=written)


def _listing(op: Instruction) -> list[str]:
    return listing(op, f"result[{op.result_addr}]")


COMPILER_KINDS.add(
    IntLogits.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(
            Opcode.LINEAR, cost=_cost, listing=_listing, modes=(LinearMode.WIDE,)
        ),
    ),
)
