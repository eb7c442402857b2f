"""The parameter buffer: weight rows with their channel records, channel tables, gate thresholds.

A weight row is the record of one output channel and its int8 weights, in the order in which the
engine reads the source: (input channel of the group, kernel row, kernel column) for a convolution,
the bytes of the source vector for a fully connected layer.  In front of both is the record of the
channel when it is masked, where an instruction has such records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from acsgen_host.thresholds import pack as pack_thresholds
from acsgen_host.words import pack
from numpy.typing import NDArray

from acsgen.ir.groups import channel_groups
from acsgen.ir.integer import IntArray, IntConv
from acsgen.isa.generated import WORD_BYTES, Record
from acsgen.program.words import Words


@dataclass(frozen=True)
class ConvRows:
    """A convolution's weights in the order in which the engine walks them.

    Attributes:
        groups: groups of ``channels_in`` inputs and ``channels`` outputs.
        order: destination channel of every row, ``(groups * channels,)``.
        table: source channels, then destination channels; None where both are in natural order.
        weights: int8 rows ``(groups * channels, channels_in * K * K)``.
    """

    groups: int
    channels_in: int
    channels: int
    order: IntArray
    table: IntArray | None
    weights: NDArray[np.int8]


def conv_rows(layer: IntConv) -> ConvRows:
    """Return the rows of a convolution, divided into the groups that its zeros allow."""
    outs, ins = layer.weight.shape[0], layer.weight.shape[1] * layer.groups
    found = channel_groups(layer.weight, layer.groups)
    if found is None:
        groups = layer.groups
        inputs = np.arange(ins).reshape(groups, -1)
        outputs = np.arange(outs).reshape(groups, -1)
    else:
        groups, inputs, outputs = found.groups, found.inputs, found.outputs
    dense = _declared_groups_expanded(layer)
    weights = dense[outputs[:, :, None], inputs[:, None, :]]
    order = np.concatenate([inputs.ravel(), outputs.ravel()])
    natural = np.concatenate([np.arange(ins), np.arange(outs)])
    return ConvRows(
        groups=groups,
        channels_in=ins // groups,
        channels=outs // groups,
        order=outputs.ravel(),
        table=None if np.array_equal(order, natural) else order,
        weights=weights.reshape(outs, -1),
    )


def _declared_groups_expanded(layer: IntConv) -> NDArray[np.int8]:
    """Return the dense weight ``(O, I, K, K)``, zero outside the declared groups."""
    outs, group_ins, *kernel = layer.weight.shape
    dense = np.zeros((outs, group_ins * layer.groups, *kernel), np.int8)
    group_outs = outs // layer.groups
    for g in range(layer.groups):
        rows = slice(g * group_outs, (g + 1) * group_outs)
        dense[rows, g * group_ins : (g + 1) * group_ins] = layer.weight[rows]
    return dense


def weight_words(row_bytes: int) -> int:
    """Return the words that the weights of a row take, the record not counted."""
    return -(-row_bytes // WORD_BYTES)


def row_heads(records: Sequence[Record], masked: Sequence[Record] | None = None) -> Words:
    """Return the words ``(O, n)`` before the weights of rows: masked records first, if any."""
    kinds = [records] if masked is None else [masked, records]
    words = [np.array([record.encode() for record in kind], np.uint64) for kind in kinds]
    return np.concatenate(words, axis=1)


@dataclass(frozen=True)
class Rows:
    """Weight rows of a layer.

    Attributes:
        address: of the first one.
        row_words: words of each, records included.
        weight_words: words of each, records not counted.
    """

    address: int
    row_words: int
    weight_words: int


@dataclass(frozen=True)
class Constants:
    """The parameter buffer and the places in it, by layer name.

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


class ParamsBuilder:
    """Appends the constants of layers to the parameter buffer, and notes where they lie.

    Thresholds are gathered at the end, so that a host replaces all of them in one piece.
    """

    def __init__(self) -> None:
        self._parts: list[Words] = []
        self._size = 0
        self._rows: dict[str, Rows] = {}
        self._convolutions: dict[str, ConvRows] = {}
        self._tables: dict[str, int] = {}
        self._thresholds: list[tuple[str, Words]] = []

    def convolution(
        self,
        layer: str,
        records: Sequence[Record],
        rows: ConvRows,
        masked: Sequence[Record] | None,
    ) -> None:
        """Append the rows of a convolution, and the table of its channels if it has one."""
        self.rows(layer, records, rows.weights, masked)
        self._convolutions[layer] = rows
        if rows.table is not None:
            self._tables[layer] = self._append(pack(rows.table, "<u2"))

    def rows(
        self,
        layer: str,
        records: Sequence[Record],
        weights: NDArray[np.int8],
        masked: Sequence[Record] | None = None,
    ) -> None:
        """Append weight rows ``(O, bytes)``, each behind its records and padded to whole words.

        ``masked`` are the records of the channels when they are masked; None where the layer's
        instruction has none.
        """
        words = weight_words(weights.shape[1])
        padded = np.zeros((len(weights), words * WORD_BYTES), np.int8)
        padded[:, : weights.shape[1]] = weights
        body = padded.view("<u8").astype(np.uint64)
        rows = np.concatenate([row_heads(records, masked), body], axis=1)
        self._rows[layer] = Rows(self._append(rows.ravel()), rows.shape[1], words)

    def thresholds(self, gate: str, values: IntArray) -> None:
        """Note a gate's int32 thresholds; :meth:`finish` says where they lie."""
        self._thresholds.append((gate, pack_thresholds(values)))

    def finish(self) -> Constants:
        """Append the thresholds and return the whole buffer."""
        thresholds = {gate: self._append(words) for gate, words in self._thresholds}
        words = np.concatenate([*self._parts, np.zeros(0, np.uint64)])
        return Constants(words, self._rows, self._convolutions, self._tables, thresholds)

    def _append(self, words: Words) -> int:
        address = self._size
        self._parts.append(words)
        self._size += len(words)
        return address
