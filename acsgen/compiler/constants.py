"""Turns the layers' constants into the parameter buffer, and says where everything went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler.layout import Layouts
from acsgen.compiler.params import (
    ConvRows,
    ParamsBuilder,
    conv_rows,
    weight_words,
)
from acsgen.ir.integer import (
    IntConv,
    IntFlatten,
    IntGate,
    IntGraph,
    IntLinear,
    IntLogits,
)
from acsgen.isa.generated import LANES, RECORD_WORDS, SHIFT_MIN, Record
from acsgen.program.map_format import MapFormat
from acsgen.program.words import Words

FullyConnected = (IntLinear, IntLogits, IntGate)


@dataclass(frozen=True)
class Rows:
    """Weight rows of a layer: the first one's address and the words of each, record included."""

    address: int
    row_words: int


@dataclass(frozen=True)
class Constants:
    """The parameter buffer and what lies where in it, by layer name.

    Attributes:
        words: the buffer.
        rows: weight rows.
        convolutions: the channel order of the convolutions' rows.
        tables: addresses of channel tables, of convolutions not in natural order.
        thresholds: addresses of gate thresholds.
    """

    words: Words
    rows: dict[str, Rows]
    convolutions: dict[str, ConvRows]
    tables: dict[str, int]
    thresholds: dict[str, int]


def build_constants(graph: IntGraph, layouts: Layouts) -> Constants:
    """Return the parameter buffer of ``graph``, whose flattened maps lie as ``layouts`` says."""
    builder = ParamsBuilder()
    rows: dict[str, Rows] = {}
    convolutions: dict[str, ConvRows] = {}
    tables: dict[str, int] = {}
    for layer in graph:
        if isinstance(layer, IntConv):
            found = conv_rows(layer)
            convolutions[layer.name] = found
            records = [_conv_record(layer, int(o)) for o in found.order]
            rows[layer.name] = _append(builder, records, found.weights)
            if found.table is not None:
                tables[layer.name] = builder.table(found.table)
        elif isinstance(layer, FullyConnected):
            weights = _linear_weights(graph, layouts, layer)
            records = [_linear_record(layer, o) for o in range(len(weights))]
            rows[layer.name] = _append(builder, records, weights)
            if isinstance(layer, IntGate):
                builder.thresholds(layer.name, layer.threshold)
    words, thresholds = builder.finish()
    return Constants(words, rows, convolutions, tables, thresholds)


def _append(builder: ParamsBuilder, records: list[Record], weights: NDArray[np.int8]) -> Rows:
    address = builder.rows(records, weights)
    return Rows(address, RECORD_WORDS + weight_words(weights.shape[1]))


def _conv_record(layer: IntConv, channel: int) -> Record:
    return Record(
        bias=int(layer.bias[channel]),
        masked_bias=int(layer.masked_bias[channel]),
        mult=int(layer.mult[channel]),
        shift=int(layer.shift[channel]),
    )


def _linear_record(layer: IntLinear | IntLogits | IntGate, channel: int) -> Record:
    bias = int(layer.bias[channel])
    if isinstance(layer, IntGate):
        return Record(bias=bias, shift=SHIFT_MIN)
    return Record(bias=bias, mult=int(layer.mult[channel]), shift=int(layer.shift[channel]))


def _linear_weights(
    graph: IntGraph, layouts: Layouts, layer: IntLinear | IntLogits | IntGate
) -> NDArray[np.int8]:
    """Return the rows over the bytes of the source vector; bytes that are no values weigh zero."""
    flat = flattened_format(graph, layouts, layer.x)
    if flat is None:
        return layer.weight.astype(np.int8)
    spread = np.zeros((len(layer.weight), flat.blocks * LANES), np.int8)
    spread[:, flat.byte_index().ravel()] = layer.weight
    return spread


def flattened_format(graph: IntGraph, layouts: Layouts, name: str) -> MapFormat | None:
    """Return the map format in which the vector ``name`` lies if a FLATTEN made it, else None."""
    source = graph[name]
    if not isinstance(source, IntFlatten):
        return None
    return layouts.format(graph[source.x], split=False)
