"""The grammar: each way in which a layer can break it is found and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from acsgen.ir.format import Format
from acsgen.ir.graph import InvalidGraph
from acsgen.ir.integer import INT32_MAX, IntGraph
from acsgen.ir.kinds import KINDS
from acsgen.ir.masks import MaskSlice, whole
from tests.nets.integer_graphs import GraphBuilder
from tests.nets.layer_graphs import every_kind

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def graph() -> IntGraph:
    """A layer of every kind; each has the name of its kind."""
    b = GraphBuilder(0)
    stem = b.conv(b.input(3, 8, 8), 6)
    gate = b.gate(b.gavg(stem), 6)
    y = b.conv(stem, 6, residual=stem, mask=gate)
    b.linear(b.join(b.gavg(stem), b.gavg(stem)), 3)
    y = b.eltwise(b.scale(y, b.linear(b.gavg(y), 6, sigmoid=True)), mask=gate)
    y = b.pool(b.concat(stem, y))
    flat = b.flatten(y)
    b.logits(flat)
    b.exit(flat)
    b.logits(flat)
    names = {layer.name: layer.KIND for layer in b.layers}
    assert set(names.values()) == set(KINDS)
    return b.graph()


def changed(graph: IntGraph, kind: str, **changes: Any) -> tuple[str, ...]:
    """What is said of the graph when the last layer of a kind is another one."""
    layer = [layer for layer in graph if kind == layer.KIND][-1]
    other = replace(layer, **changes)
    with pytest.raises(InvalidGraph) as caught:
        replace(graph, layers=tuple(other if part is layer else part for part in graph))
    return tuple(text.removeprefix(f"{layer.name}: ") for text in caught.value.violations)


def last(graph: IntGraph, kind: str) -> Any:
    return [layer for layer in graph if kind == layer.KIND][-1]


#: What is changed of the last layer of a kind, given the graph, and the beginning of what is said.
BROKEN: dict[str, tuple[str, Any, str]] = {
    "shape of a result": (
        "scale",
        lambda g: {"shape": (6, 8, 9)},
        "x (conv4) has shape [6, 8, 8], not [C, H, W] with C = 6, H = 8, W = 9",
    ),
    "windows": ("pool", lambda g: {"shape": (12, 5, 4)}, "5x4 pixels, 4x4 windows fit"),
    "weights of a group": (
        "conv",
        lambda g: {"groups": 2},
        "weight has shape [6, 6, 3, 3], not [O, I/groups, K, K]",
    ),
    "a kernel that is not square": (
        "conv",
        lambda g: {"weight": last(g, "conv").weight[:, :, :1]},
        "weight has shape [6, 6, 1, 3], not [O, I/groups, K, K]",
    ),
    "an array of another length": (
        "linear",
        lambda g: {"bias": np.zeros(5, int)},
        "bias has shape [5], not [O] with O = 6, I = 6",
    ),
    "a weight": (
        "logits",
        lambda g: {"weight": last(g, "logits").weight * 0 - 128},
        "weight in -128..-128, allowed -127..127",
    ),
    "a multiplier": (
        "eltwise",
        lambda g: {"mult": 1 << 16},
        "mult in 65536..65536, allowed 0..65535",
    ),
    "a multiplier of a residual": (
        "conv",
        lambda g: {"res_mult": -1},
        "res_mult in -1..-1, allowed",
    ),
    "a shift": ("global_avg", lambda g: {"shift": 13}, "shift in 13..13, allowed 14..38"),
    "a number that is no integer": (
        "scale",
        lambda g: {"mult": 0.5},
        "mult is float64, not integers",
    ),
    "a pixel": (
        "input",
        lambda g: {"pad_value": np.array([0, 0, 256])},
        "pad_value in 0..256, allowed 0..255",
    ),
    "a threshold": (
        "gate",
        lambda g: {"threshold": np.full(6, 2**31)},
        "threshold in 2147483648..2147483648, allowed -2147483648..2147483647",
    ),
    "an accumulator": (
        "linear",
        lambda g: {"bias": np.full(6, INT32_MAX)},
        "accumulator of output 5 can reach ",
    ),
    "a vector in place of a map": (
        "pool",
        lambda g: {"x": last(g, "linear").name},
        "x is linear10, a vector, not a map",
    ),
    "a mask in place of a vector": (
        "scale",
        lambda g: {"vector": last(g, "gate").name},
        "vector is gate3, a mask, not a vector",
    ),
    "an output in place of a vector": (
        "flatten",
        lambda g: {"x": "gavg2"},
        "x is gavg2, a vector, not a map",
    ),
    "a map as a mask": (
        "eltwise",
        lambda g: {"mask": whole("conv1", 6)},
        "mask has bits of conv1, a map",
    ),
    "too few bits": (
        "eltwise",
        lambda g: {"mask": whole("gate3", 5)},
        "mask has shape [5], not [C] with ",
    ),
    "bits that a mask does not have": (
        "eltwise",
        lambda g: {"mask": (MaskSlice("gate3", 1, 6),)},
        "mask has the bits 1 to 6 of gate3, which has 6",
    ),
    "a slice of nothing": (
        "eltwise",
        lambda g: {"mask": (*whole("gate3", 6), MaskSlice(None, 0, 0))},
        "a slice of mask has 0 channels",
    ),
    "scales of other channels": (
        "conv",
        lambda g: {"format": Format((1.0, 2.0), False)},
        "its format tells 2 channels apart, the result has 6",
    ),
    "scales and signs of other channels": (
        "conv",
        lambda g: {"format": Format((1.0,) * 6, (True, False))},
        "its format has scales and signs of 2 and 6 channels",
    ),
    "a scale of nothing": (
        "conv",
        lambda g: {"format": Format(0.0, False)},
        "scale 0.0 is no finite number above zero",
    ),
    "logits of several scales": (
        "logits",
        lambda g: {"format": Format(tuple(1.0 + n for n in range(10)), True)},
        "its results have different scales",
    ),
    "a maximum of another format": (
        "pool",
        lambda g: {"format": Format(2.0, False)},
        "max pooling makes Format(scale=2.0, signed=False) of Format(scale=1.0, signed=False)",
    ),
    "flattened to another format": (
        "flatten",
        lambda g: {"format": Format(1.0, True)},
        "flattening makes Format(scale=1.0, signed=True) of ",
    ),
    "flattened to fewer values": (
        "flatten",
        lambda g: {"shape": (191,)},
        "191 values, the map has 192",
    ),
    "concatenated to another format": (
        "concat",
        lambda g: {"format": Format(3.0, False)},
        "concatenation makes Format(scale=3.0, signed=False) of ",
    ),
    "concatenated to fewer channels": (
        "concat",
        lambda g: {"shape": (11, 8, 8)},
        "11 channels, the maps have 12",
    ),
    "channels of other maps": (
        "concat",
        lambda g: {"channels": (5, 7)},
        "channels [5, 7], the maps have [6, 6]",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sentence_is_said(name: str, graph: IntGraph) -> None:
    kind, change, said = BROKEN[name]
    assert any(text.startswith(said) for text in changed(graph, kind, **change(graph)))


def test_all_that_is_wrong_is_said_at_once(graph: IntGraph) -> None:
    found = changed(graph, "conv", res_mult=-1, bias=np.zeros(5, int), format=Format(-1.0, True))
    assert len(found) == 3


def test_the_layer_graph_has_the_same_shapes_and_references() -> None:
    layers = every_kind(0)
    stem = layers["stem"]
    wrong = replace(stem, bias=np.zeros(7))
    with pytest.raises(InvalidGraph, match=r"stem: bias has shape \[7\], not \[O\]"):
        replace(layers, layers=tuple(wrong if layer is stem else layer for layer in layers))
    pool = layers["max"]
    wrong = replace(pool, shape=(7, 3, 4))
    with pytest.raises(InvalidGraph, match="max: 3x4 pixels, 4x4 windows fit"):
        replace(layers, layers=tuple(wrong if layer is pool else layer for layer in layers))


@pytest.mark.parametrize("name", KINDS)
def test_every_constant_of_the_grammar_is_a_field(name: str) -> None:
    """A misspelt name would leave a constant unchecked."""
    kind = KINDS[name]
    known = {*kind.layer.__dataclass_fields__, *kind.integer.__dataclass_fields__}
    assert set(kind.grammar.constants) <= known
    arrays = {
        "weight",
        "bias",
        "masked_bias",
        "mult",
        "shift",
        "res_mult",
        "threshold",
        "pad_value",
    }
    assert arrays & known <= set(kind.grammar.constants)


def test_a_run_may_end_between_two_answers_only(graph: IntGraph) -> None:
    with pytest.raises(InvalidGraph, match="which is not between two outputs"):
        replace(graph, layers=graph.layers[:-1], outputs=graph.outputs[:-1])
