"""Gates: fully connected layers whose sums are compared with thresholds, into a mask register."""

from __future__ import annotations

from acsgen.compiler.kinds._connected import add_rows, instruction, listing, rows_cost
from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    plain,
    size_limits,
)
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntEntropy, IntGate, IntGraph
from acsgen.isa.generated import (
    MAX_LISTED,
    SHIFT_MIN,
    WORD_BITS,
    Instruction,
    LinearMode,
    Opcode,
    Record,
)


def _limits(graph: IntGraph, layer: IntGate | IntEntropy) -> Limits:
    yield from size_limits(graph, layer)
    if layer.shape[0] > MAX_LISTED:
        what = f"a mask of {layer.shape[0]} channels, a mask register has {MAX_LISTED} bits"
        yield what, "gate a narrower layer, or leave this gate out"


def _compare_sums(
    graph: IntGraph, layouts: Layouts, layer: IntGate | IntEntropy, builder: ParamsBuilder
) -> None:
    """Add rows whose sums are compared as they are, and the thresholds."""
    records = [Record(bias=int(bias), shift=SHIFT_MIN) for bias in layer.bias]
    add_rows(graph, layouts, layer, records, builder)
    builder.thresholds(layer.name, layer.threshold)


def _decide(operands: Operands, step: Step, layer: IntGate | IntEntropy) -> Instruction:
    """The instruction of a layer whose sums are compared with thresholds."""
    return instruction(
        operands,
        layer,
        linear_mode=LinearMode.GATE,
        mask_out=operands.addresses.buffers[step.writes],
        threshold_addr=operands.constants.thresholds[layer.name],
        result_addr=operands.addresses.results[layer.name],
    )


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    """Thresholds, two to a word, come behind the rows; the mask goes out, a bit a channel."""
    walk.decide(layer, op)
    words = Counters(read_words=-(-op.channels // 2), written_words=-(-op.channels // WORD_BITS))
    return rows_cost(walk, op, layer) + words


def _listing(op: Instruction) -> list[str]:
    target = f"m{op.mask_out} > par[{op.threshold_addr}], result[{op.result_addr}]"
    return listing(op, target)


#: Of every kind that is compared with run-time thresholds.
DECIDES = CompilerKind(
    limits=_limits,
    leaves_out_zeros=False,
    constants=_compare_sums,
    vector_format=plain,
    lower=_decide,
    remark="",
    instruction=InstructionKind(
        Opcode.LINEAR, cost=_cost, listing=_listing, modes=(LinearMode.GATE,)
    ),
)

COMPILER_KINDS.add(IntGate.KIND, DECIDES)
