"""The MAC count: by hand, by brute force over kernels, and as masks thin out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acsgen.cost.macs import count_macs
from acsgen.ir.gating import gate_layers
from acsgen.ir.groups import kernel_pattern
from acsgen.ir.integer import Format, IntConv, IntGraph
from acsgen.ir.masks import whole

ONE = np.ones(1)


def _conv(name: str, x: str, outs: int, ins: int, **extra: object) -> IntConv:
    """A 3x3 convolution on an 8x8 map with all weights 1."""
    fields: dict[str, object] = {
        "weight": np.ones((outs, ins, 3, 3), np.int8),
        "masked_bias": np.zeros(outs, np.int32),
        "stride": 1,
        "pad": 1,
        "groups": 1,
        **extra,
    }
    constants = {
        key: np.full(outs, value) for key, value in (("bias", 0), ("mult", 0), ("shift", 14))
    }
    return IntConv(name, name, (outs, 8, 8), Format(1.0, False), x=x, **constants, **fields)


def _graph(masked_bias: int = 0, residual: str | None = None) -> IntGraph:
    from acsgen.ir.integer import IntGate, IntGlobalAvg, IntInput, IntLogits

    numbers = {"bias": np.zeros(4, np.int32), "weight": np.ones((4, 4), np.int8)}
    requantized = {"mult": np.ones(4, np.int32), "shift": np.full(4, 14)}
    mean = {"mult": 1, "shift": 14}
    return IntGraph(
        "g",
        (
            IntInput("image", "", (3, 8, 8), Format(1.0, False), pad_value=np.zeros(3, np.uint8)),
            _conv("stem", "image", 4, 3),
            _conv("gate.conv", "stem", 4, 4),
            IntGlobalAvg("gate.mean", "", (4,), Format(1.0, False), x="gate.conv", **mean),
            IntGate(
                "gate",
                "",
                (4,),
                Format(1.0, False),
                x="gate.mean",
                **numbers,
                threshold=np.zeros(4, np.int32),
                acc_scale=np.ones(4),
                alpha=0.5,
            ),
            _conv(
                "inner",
                "stem",
                4,
                4,
                mask=whole("gate", 4),
                masked_bias=np.full(4, masked_bias, np.int32),
                residual=residual,
            ),
            _conv("outer", "inner", 4, 4, residual="stem", mask=whole("gate", 4)),
            _conv("last", "outer", 4, 4),
            IntGlobalAvg("mean", "", (4,), Format(1.0, False), x="last", **mean),
            IntLogits("logits", "", (4,), Format(1.0, True), x="mean", **numbers, **requantized),
        ),
        ("logits",),
    )


def test_by_hand() -> None:
    masks = {"gate": np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], np.uint8)}
    macs = count_macs(_graph(), masks, 3)
    tap = 64 * 9
    rows = {row.name: row for row in macs.rows}
    assert rows["stem"].executed.tolist() == [12 * tap] * 3
    assert rows["inner"].executed.tolist() == [16 * tap, 4 * tap, 0]
    assert rows["outer"].executed.tolist() == [16 * tap, tap, 0]  # inputs skipped as well
    assert rows["last"].executed.tolist() == [16 * tap] * 3  # a residual is no zero
    assert rows["logits"].executed.tolist() == [16] * 3
    assert macs.dense == (12 + 3 * 16) * tap + 16
    assert macs.gates.tolist() == [16 * tap + 16] * 3
    assert macs.executed.tolist() == [macs.dense + 16 * tap + 16 - n * tap for n in (0, 27, 32)]


@pytest.mark.parametrize(("masked_bias", "residual"), [(1, None), (0, "stem")])
def test_inputs_that_are_not_zero_when_masked_are_counted(
    masked_bias: int, residual: str | None
) -> None:
    masks = {"gate": np.array([[1, 0, 0, 0]], np.uint8)}
    rows = {row.name: row for row in count_macs(_graph(masked_bias, residual), masks, 1).rows}
    assert rows["outer"].executed.tolist() == [4 * 64 * 9]


def test_layers_that_serve_gates_only() -> None:
    assert gate_layers(_graph()) == {"gate.conv", "gate.mean", "gate"}


def _grouped_graph(weight: np.ndarray, groups: int) -> IntGraph:
    base = _graph()
    changed = _conv("outer", "inner", 4, 4, weight=weight, groups=groups, mask=whole("gate", 4))
    return replace(base, layers=tuple(changed if la.name == "outer" else la for la in base.layers))


@pytest.mark.parametrize("declared", [1, 2])
def test_every_mask_of_a_grouped_convolution(declared: int) -> None:
    """DGConv's interleaved groups {0, 2} and {1, 3}, and declared ones {0, 1} and {2, 3}."""
    weight = np.ones((4, 4 // declared, 3, 3), np.int8)
    if declared == 1:
        o, c = np.ogrid[:4, :4]
        weight[((o ^ c) & 1) == 1] = 0
    graph = _grouped_graph(weight, declared)
    pairs = kernel_pattern(weight, declared)
    masks = np.array(list(itertools.product([0, 1], repeat=4)), np.uint8)
    macs = count_macs(graph, {"gate": masks}, len(masks))
    row = next(row for row in macs.rows if row.name == "outer")
    assert row.dense == 8 * 64 * 9
    expected = [np.sum(pairs & (m[:, None] & m[None, :]).astype(bool)) * 64 * 9 for m in masks]
    assert row.executed.tolist() == expected


@settings(max_examples=30)
@given(st.integers(0, 15), st.integers(0, 3))
def test_closing_a_channel_never_adds_work(mask: int, channel: int) -> None:
    opened = np.array([[mask >> c & 1 for c in range(4)]], np.uint8)
    closed = opened.copy()
    closed[0, channel] = 0
    graph = _graph()
    more, fewer = (count_macs(graph, {"gate": m}, 1).executed for m in (opened, closed))
    assert (fewer < more).all() if opened[0, channel] else (fewer == more).all()
