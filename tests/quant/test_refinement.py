"""A network that predicts otherwise in integers too often is quantized again, and better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from acsgen.frontend import layers_of, run_layers
from acsgen.importers.network import imported_network
from acsgen.ir.format import Format
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.refinement import Refinement
from acsgen.quant import quantize as module
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize, quantize_and_judge
from acsgen.quant.rounding import Moments, rounded_together
from acsgen.quant.scales import integer_weights
from tests.nets.images import slopes
from tests.nets.modules import export

SHAPE = (3, 16, 16)


class Inverted(nn.Module):
    """An inverted residual of MobileNetV2."""

    def __init__(self, ins: int, outs: int, stride: int, act: type[nn.Module]) -> None:
        super().__init__()
        wide = 4 * ins
        self.body = nn.Sequential(
            nn.Conv2d(ins, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            act(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            act(),
            nn.Conv2d(wide, outs, 1, bias=False),
            nn.BatchNorm2d(outs),
        )
        self.adds = stride == 1 and ins == outs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.body(x)
        return x + y if self.adds else y

    def spread(self, decades: float, generator: torch.Generator) -> None:
        """Make the channels between the convolutions differ in size, and their readers undo it."""
        _, norm, _, deep, deep_norm, _, project, _ = self.body
        count = len(norm.weight)
        sizes = torch.logspace(-decades / 2, decades / 2, count)
        first, second = (sizes[torch.randperm(count, generator=generator)] for _ in range(2))
        with torch.no_grad():
            for part, factors in ((norm, first), (deep_norm, second)):
                part.weight.mul_(factors)
                part.bias.mul_(factors)
            deep.weight.div_(first[:, None, None, None])
            project.weight.div_(second[None, :, None, None])


def mobilenet(decades: float, seed: int) -> tuple[LayerGraph, NDArray[np.uint8], NDArray[np.uint8]]:
    """A random network like MobileNetV2, images to calibrate and images that it has not seen.

    Batch norms have the statistics of the images and random factors; the head decides by the image.
    ReLU6 is in networks without spread alone: it would cut the channels that are made large.
    """
    act = nn.ReLU if decades else nn.ReLU6
    pixels = slopes(seed, 856, SHAPE)
    seen = torch.from_numpy(pixels[:256]).float() / 255
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, 12, 3, 1, 1, bias=False),
        nn.BatchNorm2d(12),
        act(),
        Inverted(12, 12, 1, act),
        Inverted(12, 16, 2, act),
        nn.Conv2d(16, 48, 1, bias=False),
        nn.BatchNorm2d(48),
        act(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(48, 10),
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                sizes, biases = torch.randn((2, len(part.weight)), generator=generator)
                part.weight.copy_(torch.exp(0.3 * sizes))
                part.bias.copy_(0.3 * biases)
                part.momentum = None
        net.train()(seen)
        for part in net.eval().modules():
            if isinstance(part, Inverted) and decades:
                part.spread(decades, generator)
        logits = net(seen)
        net[-1].bias.sub_(logits.mean(0)).div_(logits.std(0))
        net[-1].weight.div_(logits.std(0)[:, None])
    program = export(net, SHAPE, torch.float32)
    graph, _ = layers_of(imported_network(Path("net.pt2"), program, {}, "pt2"))
    return graph, pixels[:256], pixels[256:]


def agreement(
    graph: LayerGraph, integers: IntGraph, images: NDArray[np.uint8]
) -> tuple[float, float]:
    """Share of equal predictions, and error of the logits as a share of their spread."""
    found = GoldenModel(integers).run(images, keep="outputs").logits
    exact = run_layers(graph, torch.from_numpy(images), dtype=torch.float64)
    answer = exact[graph.outputs[-1]].numpy()
    error = found * integers[integers.outputs[-1]].format.scales(found.shape[1]) - answer
    share = np.mean(found.argmax(axis=1) == answer.argmax(axis=1))
    return float(share), float(np.std(error) / np.std(answer))


def test_networks_like_mobilenet_agree_on_new_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """One network agrees on an image more or less by chance; several together do not."""
    shares: dict[int, list[float]] = {0: [], 3: []}
    plain_shares = []
    for decades, seed in ((0, 0), (0, 1), (0, 2), (3, 0), (3, 1), (3, 2)):
        graph, calibration, new = mobilenet(decades, seed)
        integers, told = quantize_and_judge(graph, calibration)
        share, error = agreement(graph, integers, new)
        with monkeypatch.context() as patch:
            patch.setattr(module, "REFINE_BELOW", 0.0)
            plain = quantize(graph, calibration)
        plain_share, plain_error = agreement(graph, plain, new)
        assert told.used, (decades, seed)
        assert error < 0.95 * plain_error, (decades, seed)
        shares[decades].append(share)
        plain_shares.append(plain_share)
    assert np.mean(shares[0]) >= 0.95
    assert np.mean(shares[3]) >= 0.95
    assert np.mean([*shares[0], *shares[3]]) > np.mean(plain_shares) + 0.005


def test_it_is_told_whether_the_second_try_is_taken() -> None:
    graph, calibration, _ = mobilenet(3, 2)
    integers, told = quantize_and_judge(graph, calibration)
    assert told.images == 256
    assert told.used
    share, _ = agreement(graph, integers, calibration)
    assert told.refined == share
    again, told_again = quantize_and_judge(graph, calibration)
    assert told_again == told
    for layer, other in zip(integers, again, strict=True):
        assert layer.format == other.format
        assert np.array_equal(getattr(layer, "weight", 0), getattr(other, "weight", 0))


def test_a_network_that_agrees_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, calibration, _ = mobilenet(3, 2)
    monkeypatch.setattr(module, "REFINE_BELOW", 0.9)
    integers, told = quantize_and_judge(graph, calibration)
    assert told == Refinement(256, told.plain)
    share, _ = agreement(graph, integers, calibration)
    assert told.plain == share


def test_a_second_try_that_is_worse_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding that does harm: all weights down."""
    graph, calibration, _ = mobilenet(0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "REFINE_BELOW", 0.0)
        plain = quantize(graph, calibration)

    def down(integers, moments, signed, weight_max):  # type: ignore[no-untyped-def]
        weight = np.clip(np.floor(integers.exact), -127, 127).astype(np.int8)
        return type(integers)(weight, integers.acc_scale, integers.exact)

    monkeypatch.setattr("acsgen.quant.progress.rounded_together", down)
    integers, told = quantize_and_judge(graph, calibration)
    assert not told.used
    assert told.refined is not None
    for layer, other in zip(integers, plain, strict=True):
        assert np.array_equal(getattr(layer, "weight", 0), getattr(other, "weight", 0))


@pytest.mark.unit
@pytest.mark.parametrize("groups", [1, 4])
def test_weights_rounded_together_make_a_smaller_error(groups: int) -> None:
    rng = np.random.default_rng(groups)
    inputs, outputs = 24, 12
    causes = rng.normal(0, 1, (inputs, 4)) @ rng.normal(0, 20, (4, 500))
    x = np.clip(np.rint(causes + rng.normal(0, 5, causes.shape) + 120), 0, 255)
    weight = rng.normal(0, 1, (outputs, inputs // groups, 1, 1))
    nearest = integer_weights(weight, Format(1.0, False), np.zeros(outputs), groups=groups)
    moments = Moments(groups, inputs // groups)
    windows = x.reshape(groups, inputs // groups, -1)
    moments.add(windows[..., :200])
    moments.add(windows[..., 200:])
    found = rounded_together(nearest, moments, np.zeros((outputs, 1), np.bool_))

    def errors(integers: NDArray[np.int8]) -> NDArray[np.float64]:
        apart = (integers - nearest.exact).reshape(groups, outputs // groups, -1)
        return np.asarray((apart @ windows).std(axis=2).reshape(-1))

    assert np.mean(errors(found.weight)) < 0.8 * np.mean(errors(nearest.weight))
    assert np.abs(found.weight.astype(int)).max() <= 127


@pytest.mark.unit
def test_narrow_weights_stay_narrow() -> None:
    rng = np.random.default_rng(2)
    x = np.clip(np.rint(rng.normal(0, 1, (16, 3)) @ rng.normal(0, 30, (3, 400)) + 100), 0, 255)
    moments = Moments(1, 16)
    moments.add(x[None])
    nearest = integer_weights(
        rng.normal(0, 1, (6, 16)), Format(1.0, False), np.zeros(6), weight_max=7
    )
    found = rounded_together(nearest, moments, np.zeros((6, 1), np.bool_), weight_max=7)
    assert np.abs(found.weight).max() == 7
    apart = x.T @ (nearest.weight - nearest.exact).T, x.T @ (found.weight - nearest.exact).T
    assert np.mean(apart[1].std(axis=0)) < 0.8 * np.mean(apart[0].std(axis=0))


@pytest.mark.unit
def test_independent_inputs_keep_the_nearest_weights() -> None:
    """Dead inputs too, whatever their weights."""
    x = np.zeros((1, 4, 8))
    x[0, :3] = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1] * 2, [1, -1] * 4]) * 100
    moments = Moments(1, 4)
    moments.add(x)
    weight = np.array([[1.0, -0.4973, 0.5013, 0.7771], [0.003, 0.2, 0.1, -1.0]])
    nearest = integer_weights(weight, Format(1.0, True), np.zeros(2))
    found = rounded_together(nearest, moments, np.ones((2, 1), np.bool_))
    assert np.array_equal(found.weight, nearest.weight)


@pytest.mark.unit
def test_an_output_that_might_overflow_keeps_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = np.clip(np.rint(rng.normal(0, 1, (16, 3)) @ rng.normal(0, 30, (3, 400)) + 100), 0, 255)
    moments = Moments(1, 16)
    moments.add(x[None])
    nearest = integer_weights(rng.normal(0, 1, (6, 16)), Format(1.0, False), np.zeros(6))
    unsigned = np.zeros((6, 1), np.bool_)
    free = rounded_together(nearest, moments, unsigned)
    assert not np.array_equal(free.weight, nearest.weight)
    monkeypatch.setattr("acsgen.quant.rounding.MAX_PRODUCTS", 1)
    assert np.array_equal(rounded_together(nearest, moments, unsigned).weight, nearest.weight)
