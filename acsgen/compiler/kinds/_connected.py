"""Fully connected layers, whose results go to a vector, to the result buffer, or to a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler.kinds.base import kind_of
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntFullyConnected, IntGraph, IntLinear, IntLogits
from acsgen.isa.generated import WORD_BYTES, Instruction, Opcode, Record


def add_rows(
    graph: IntGraph,
    layouts: Layouts,
    layer: IntFullyConnected,
    records: Sequence[Record],
    builder: ParamsBuilder,
) -> None:
    """Add the weight rows of a layer, one behind each record."""
    builder.rows(layer.name, records, _weights(graph, layouts, layer))


def requantizing_records(layer: IntLinear | IntLogits) -> list[Record]:
    """The records of outputs that are requantized."""
    return [
        Record(bias=int(bias), mult=int(mult), shift=int(shift))
        for bias, mult, shift in zip(layer.bias, layer.mult, layer.shift, strict=True)
    ]


def _weights(graph: IntGraph, layouts: Layouts, layer: IntFullyConnected) -> NDArray[np.int8]:
    """Return the rows over the bytes of the source vector; bytes that are no values weigh zero."""
    source = graph[layer.x]
    stored = kind_of(source).vector_format(graph, layouts, source)
    spread = np.zeros((len(layer.weight), stored.words * WORD_BYTES), np.int8)
    spread[:, stored.places] = layer.weight
    return spread


def instruction(operands: Operands, layer: IntFullyConnected, **target: int) -> Instruction:
    """The instruction of a layer, whose result goes where the fields ``target`` say."""
    rows = operands.constants.rows[layer.name]
    return Instruction(
        Opcode.LINEAR,
        src_signed=operands.sign(layer.x),
        channels=layer.shape[0],
        weight_addr=rows.address,
        row_words=rows.row_words,
        vec_src=operands.vector(layer.x),
        **target,
    )


def rows_cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    """The counters of the weight rows and of their products, without the way of the sums."""
    read = op.channels * op.row_words
    macs = op.channels * (op.row_words - op.record_words) * WORD_BYTES
    return Counters(macs_executed=macs, read_words=read)


def listing(op: Instruction, target: str) -> list[str]:
    """The operands of an instruction, whose result goes where ``target`` says."""
    return [
        f"vec[{op.vec_src}] -> {target}",
        f"{op.channels} outputs",
        f"par[{op.weight_addr}] rows of {op.row_words}",
    ]
