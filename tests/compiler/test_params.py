"""The parameter buffer: rows, records, tables and thresholds lie as the engine reads them."""

from __future__ import annotations

import numpy as np
import pytest
from acsgen_host.thresholds import pack as pack_thresholds
from acsgen_host.words import as_bytes

from acsgen.compiler.constants import build_constants
from acsgen.compiler.layout import choose_layouts
from acsgen.compiler.params import conv_rows
from acsgen.ir.integer import IntConv, IntLinear
from acsgen.isa.generated import RECORD_WORDS, WORD_BYTES, Record
from tests.nets.integer_graphs import GraphBuilder

pytestmark = pytest.mark.unit


def conv_of(b: GraphBuilder, name: str) -> IntConv:
    layer = b.layer(name)
    assert isinstance(layer, IntConv)
    return layer


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "masked"])
def test_rows_begin_with_their_records_and_are_padded_with_zeros(masked: bool) -> None:
    b = GraphBuilder(1)
    x = b.input(3)
    # Without a mask no channel ever has the bias of a masked one.
    name = b.conv(x, 5, mask=b.gate(b.gavg(x), 5) if masked else None, masked_bias=True)
    b.logits(b.gavg(name))
    graph, layer = b.graph(), conv_of(b, name)
    constants = build_constants(graph, choose_layouts(graph))
    rows = constants.rows[name]
    heads = 2 * RECORD_WORDS if masked else RECORD_WORDS
    assert (rows.row_words, rows.weight_words) == (heads + 4, 4)  # 27 weights
    for o in range(5):
        words = constants.words[rows.address + o * rows.row_words :][: rows.row_words]
        for bias in [layer.masked_bias, layer.bias][0 if masked else 1 :]:
            record = Record.decode([int(w) for w in words[:RECORD_WORDS]])
            assert record == Record(int(bias[o]), int(layer.mult[o]), int(layer.shift[o]))
            words = words[RECORD_WORDS:]
        weights = as_bytes(words).view(np.int8)
        assert np.array_equal(weights[:27], layer.weight[o].ravel())
        assert not weights[27:].any()


def test_declared_groups_need_no_table() -> None:
    b = GraphBuilder(2)
    name = b.conv(b.input(8), 16, groups=4)
    rows = conv_rows(conv_of(b, name))
    assert (rows.groups, rows.channels_in, rows.channels, rows.table) == (4, 2, 4, None)
    assert np.array_equal(rows.weights, conv_of(b, name).weight.reshape(16, -1))


def test_hidden_groups_get_a_table_that_puts_every_weight_back() -> None:
    index = np.arange(8)
    zeros = (index[:, None] ^ index) & 0b010 != 0
    b = GraphBuilder(3)
    name = b.conv(b.input(8), 8, zeros=zeros)
    layer = conv_of(b, name)
    rows = conv_rows(layer)
    assert rows.groups == 2
    assert rows.table is not None
    inputs, outputs = rows.table[:8].reshape(2, 4), rows.table[8:]
    dense = np.zeros((8, 8, 9), np.int64)
    for row, o in enumerate(outputs):
        dense[o, inputs[row // 4]] = rows.weights[row].reshape(4, 9)
    assert np.array_equal(dense, layer.weight.reshape(8, 8, 9))


def test_table_holds_inputs_then_outputs_in_16_bits() -> None:
    index = np.arange(6)
    zeros = index[:, None] % 3 != index % 3
    b = GraphBuilder(4)
    name = b.conv(b.input(6), 6, zeros=zeros)
    b.logits(b.gavg(name))
    graph = b.graph()
    constants = build_constants(graph, choose_layouts(graph))
    entries = as_bytes(constants.words[constants.tables[name] :][:3]).view("<u2")
    assert entries.tolist() == [0, 3, 1, 4, 2, 5, 0, 3, 1, 4, 2, 5]


def test_weights_of_a_flattened_map_skip_its_pad_pixels() -> None:
    b = GraphBuilder(5)
    x = b.conv(b.input(3, 5, 6), 2)
    name = b.linear(b.flatten(x), 4)
    b.logits(name)
    graph = b.graph()
    layer = graph[name]
    assert isinstance(layer, IntLinear)
    constants = build_constants(graph, choose_layouts(graph))
    rows = constants.rows[name]
    assert rows.row_words == RECORD_WORDS + 2 * 8  # two channels of one block
    stored = as_bytes(constants.words[rows.address :][: 4 * rows.row_words]).reshape(4, -1)
    weights = stored[:, RECORD_WORDS * WORD_BYTES :].view(np.int8).reshape(4, 2, 8, 8)
    assert np.array_equal(weights[:, :, :5, :6], layer.weight.reshape(4, 2, 5, 6))
    weights[:, :, :5, :6] = 0
    assert not weights.any()


def test_thresholds_are_packed_low_half_first() -> None:
    words = pack_thresholds(np.array([-1, 2**31 - 1, 5]))
    assert [int(w) for w in words] == [0x7FFF_FFFF_FFFF_FFFF, 5]
