"""Averages before a classifier are stored four times where predictions agree too rarely."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from acsgen.compiler import compile_graph
from acsgen.flow.agreement import WARN_BELOW
from acsgen.frontend import layers_of
from acsgen.importers.network import imported_network
from acsgen.ir.integer import (
    Format,
    IntConv,
    IntGlobalAvg,
    IntGraph,
    IntInput,
    IntLayer,
    IntLogits,
)
from acsgen.ir.layers import LayerGraph
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.finer_averages import repeatable
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import REPEAT_BELOW, quantize, quantize_and_judge
from acsgen.quant.thresholds import force_masks
from tests.differential.engines import Engines, check_network
from tests.nets.modules import PooledGate, export
from tests.quant.test_refinement import agreement

SHAPE = (3, 16, 16)
Images = NDArray[np.uint8]


class Gated(nn.Module):
    """A map whose first two channels are open for some images; the third one is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.gate = PooledGate(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask: torch.Tensor = self.gate(x)
        return torch.relu(self.conv(x)) * mask

    def divide(self, spread: torch.Tensor, x: torch.Tensor) -> None:
        """Undo what makes the channels of ``x`` differ in size, and set the gate for ``x``."""
        decide = self.gate.fc
        decide.weight.div_(spread[None])
        decide.bias.zero_()
        found = decide(x.mean((2, 3)))
        sure = 10 * found.abs().max()
        decide.bias.copy_(sure.expand(8))
        # Between the two that lie farthest apart in the middle, so that rounding flips no bit.
        ordered = found[:, :2].sort(0).values[len(found) // 4 : -len(found) // 4]
        widest = (ordered[1:] - ordered[:-1]).argmax(0)
        for channel, index in enumerate(widest.tolist()):
            decide.bias[channel] = -ordered[index : index + 2, channel].mean()
        decide.bias[2] = -sure
        self.conv.weight.div_(spread[None, :, None, None])


class Plain(nn.Sequential):
    """The same map without a gate."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())

    def divide(self, spread: torch.Tensor, x: torch.Tensor) -> None:
        """Undo what makes the channels of ``x`` differ in size."""
        self[0].weight.div_(spread[None, :, None, None])


def depthwise(
    decades: float, seed: int, kind: type[Plain] | type[Gated] = Plain
) -> tuple[LayerGraph, Images, Images]:
    """A random network with a depthwise layer, whose channels differ in size and whose reader
    undoes it; images to calibrate, and images that it has not seen."""
    torch.manual_seed(seed)
    spread = torch.logspace(-decades / 2, decades / 2, 8)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.ReLU(),
        last := kind(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    coarse = np.random.default_rng(0).random((800, 3, 4, 4)).astype(np.float32)
    fine = nn.functional.interpolate(torch.from_numpy(coarse), SHAPE[1:], mode="bicubic")
    pixels = (fine.clamp(0, 1).numpy() * 255).astype(np.uint8)
    with torch.no_grad():
        net[2].weight.mul_(spread[:, None, None, None])
        net[2].bias.mul_(spread)
        calibration = torch.from_numpy(pixels[:200]).float() / 255
        last.divide(spread, net.eval()[:4](calibration))
        logits = net(calibration)
        net[-1].bias.sub_(logits.mean(0)).div_(logits.std(0))
        net[-1].weight.div_(logits.std(0)[:, None])
    program = export(net, SHAPE, torch.float32)
    graph, _ = layers_of(imported_network(Path("net.pt2"), program, {}, "pt2"))
    return graph, pixels[:200], pixels[200:]


def test_networks_with_depthwise_layers_agree_on_new_images() -> None:
    """Those that predicted otherwise too often: half of the logits' error is gone."""
    before, after = [], []
    for decades, seed in ((1, 1), (2, 0), (3, 0), (3, 1)):
        graph, calibration, new = depthwise(decades, seed)
        plain, told = quantize_and_judge(graph, calibration, finer_averages=False)
        assert told.repeated is None, (decades, seed)
        finer, told = quantize_and_judge(graph, calibration)
        assert told.averages == ("5.avgpool.centred",), (decades, seed)
        assert {layer.name for layer in finer} >= set(told.added)
        share, error = agreement(graph, plain, new)
        finer_share, finer_error = agreement(graph, finer, new)
        assert finer_error < 0.72 * error, (decades, seed)
        assert finer_share >= WARN_BELOW, (decades, seed)
        assert told.repeated == agreement(graph, finer, calibration)[0]
        before.append(share)
        after.append(finer_share)
    assert min(before) < WARN_BELOW
    assert np.mean(after) > np.mean(before) + 0.01


def test_a_network_that_agrees_keeps_its_integers() -> None:
    graph, calibration, _ = depthwise(3, 4)
    integers, told = quantize_and_judge(graph, calibration)
    assert told.refined is not None
    assert told.refined >= REPEAT_BELOW
    assert told.repeated is None
    assert told.averages == told.added == ()
    assert same(integers, quantize(graph, calibration, finer_averages=False))


def test_copies_that_do_not_help_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies that are all alike, with weights that know nothing of it."""
    graph, calibration, _ = depthwise(3, 1)
    plain = quantize(graph, calibration, finer_averages=False)
    monkeypatch.setattr("acsgen.quant.finer_averages.OFFSETS", (40, 60, 80, 100))
    integers, told = quantize_and_judge(graph, calibration)
    assert told.repeated is not None
    assert told.averages == ()
    assert same(integers, plain)


def same(one: IntGraph, other: IntGraph) -> bool:
    return all(
        layer.format == second.format
        and np.array_equal(getattr(layer, "weight", 0), getattr(second, "weight", 0))
        and np.array_equal(getattr(layer, "bias", 0), getattr(second, "bias", 0))
        for layer, second in zip(one, other, strict=True)
    )


def test_every_board_has_room_for_the_most_copies() -> None:
    graph, calibration, _ = depthwise(3, 1)
    integers = quantize(graph, calibration)
    for board in ("zedboard", "pynq-z1", "ultra96v2"):
        compile_graph(integers, EngineConfig.for_board(load_board(board)))


@pytest.mark.rtl
def test_gates_on_the_map_of_finer_averages(engines: Engines) -> None:
    """Both engines, with the gate as it is, open, closed and mixed: a closed channel is zero on the
    map, and each copy of its average that of a constant."""
    graph, calibration, new = depthwise(1, 7, Gated)
    integers, told = quantize_and_judge(graph, calibration)
    assert told.averages == ("5.avgpool.centred",)
    copies = [layer for layer in integers if isinstance(layer, IntConv) and layer.groups == 8]
    masked = {layer.x for layer in copies if layer.name.startswith("5.avgpool")}
    assert len(masked) == 1
    (gate,) = integers.gates
    source = integers[masked.pop()]
    assert isinstance(source, IntConv)
    assert [part.mask for part in source.mask] == [gate.name]

    results = []
    for bits in (None, True, False):
        chosen = {} if bits is None else force_masks(integers, {gate.name: bits})
        results.append(GoldenModel(integers).run(new[:100], chosen))
    masks = results[0].masks[gate.name]
    assert masks[:, 2].max() == 0
    assert all(0.2 < share < 0.8 for share in masks[:, :2].mean(0))
    averages = [result.values["5.avgpool.centred"] for result in results]
    assert np.ptp(averages[2], axis=0).max() == 0, "nothing of the image is left"
    # What is open has the average that it has with the gate open, in all four copies.
    for copy in range(4):
        taken = slice(8 * copy, 8 * copy + 8)
        wanted = np.where(masks == 1, averages[1][:, taken], averages[2][:, taken])
        assert np.array_equal(averages[0][:, taken], wanted)
    check_network(integers, engines(4, True))


# -- by hand ---------------------------------------------------------------------------------------


def small(ratio: float, side: int = 4, channels: int = 3) -> IntGraph:
    """An image, whose averages are computed of differences from 100 and stored in units of which a
    unit of the map has ``ratio``."""
    ones = np.ones(channels, np.int32)
    shape = (channels, side, side)
    scaled = ratio / side**2
    shift = min(38, 15 - math.frexp(scaled)[1])
    layers: tuple[IntLayer, ...] = (
        IntInput("input", "", shape, Format(1.0, False), pad_value=0 * ones),
        IntConv(
            "differences", "", shape, Format(1.0, True), x="input",
            weight=np.full((channels, 1, 1, 1), 127, np.int8), bias=-100 * 127 * ones,
            masked_bias=0 * ones, mult=np.rint(2**22 / 127 * ones).astype(np.int32),
            shift=22 * ones, stride=1, pad=0, groups=channels,
        ),
        IntGlobalAvg(
            "average", "", (channels,), Format(1 / ratio, True), x="differences",
            mult=round(scaled * 2**shift), shift=shift,
        ),
        IntLogits(
            "logits", "", (2,), Format(1.0, True), x="average",
            weight=np.ones((2, channels), np.int8), bias=np.zeros(2, np.int32),
            mult=np.full(2, 2**14, np.int32), shift=np.full(2, 14, np.int32),
        ),
    )  # fmt: skip
    return IntGraph("small", layers, ("logits",))


@pytest.mark.unit
@pytest.mark.parametrize(("ratio", "quarters"), [(0.3, 1), (1.3, 5), (5.0, 17), (20.0, 59)])
def test_four_copies_have_two_bits_more(ratio: float, quarters: int) -> None:
    """Their sum is the average, rounded to a quarter of their unit, beside a constant."""
    graph = small(ratio)
    (place,) = repeatable(graph).values()
    assert place.quarters == quarters
    layers = (graph["input"], *place.layers())
    joined = layers[-1]
    assert joined.name == "average"
    assert joined.shape == (12,)
    rng = np.random.default_rng(0)
    level = rng.integers(98, 102, (500, 3, 1, 1))
    images = (level + rng.integers(-1, 2, (500, 3, 4, 4))).astype(np.uint8)
    logits = replace(graph["logits"], weight=np.ones((2, 12), np.int8))
    made = IntGraph("copies", (*layers, logits), ("logits",))
    vectors = GoldenModel(made).run(images).values["average"].astype(int).reshape(500, 4, 3)
    total = images.astype(int).sum(axis=(2, 3)) - 1600
    exact = total * quarters / 16
    # Half a quarter up or down, and the last place of the multiplier.
    assert np.ptp(vectors.sum(axis=1) - exact) <= 1.01
    # One copy alone is off by as much as half a unit, which are two quarters.
    alone = vectors[:, 1] * 4 - exact
    if quarters > 1:
        assert np.ptp(alone) > 2
    assert joined.format.one_scale == pytest.approx(4 / quarters)


@pytest.mark.unit
def test_only_averages_that_a_classifier_alone_reads_are_repeated() -> None:
    graph = small(5.0)
    assert list(repeatable(graph)) == ["average"]
    layers = {layer.name: layer for layer in graph}

    def without(**changed: IntLayer) -> dict[str, object]:
        made = {**layers, **changed}
        return dict(repeatable(IntGraph("small", tuple(made.values()), ("logits",))))

    convolution = layers["differences"]
    assert isinstance(convolution, IntConv)
    unsigned = replace(convolution, format=Format(1.0, False))
    assert without(differences=unsigned, average=replace(layers["average"])) == {}
    dense = replace(convolution, groups=1, weight=np.ones((3, 3, 1, 1), np.int8))
    assert without(differences=dense) == {}
    assert dict(repeatable(small(0.1))) == {}
    assert dict(repeatable(small(5.0, channels=257))) == {}
