"""Channels of one map that differ a thousandfold are no worse off than channels that do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from acsgen.frontend import layers_of, run_layers
from acsgen.importers.network import imported_network
from acsgen.ir.integer import IntGraph
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from tests.nets.images import slopes
from tests.nets.modules import export

WIDTH = 8


def network(decades: float, readers: str = "conv") -> nn.Module:
    """A network of which one map's channels differ in size, and the next layer makes up for it."""
    torch.manual_seed(1)
    spread = torch.logspace(-decades / 2, decades / 2, WIDTH)
    inner: list[nn.Module] = [nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.ReLU()]
    if readers == "pool":
        inner += [nn.MaxPool2d(2)]
    if readers == "depthwise":
        inner += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH), nn.ReLU()]
    body = nn.Sequential(
        nn.Conv2d(3, WIDTH, 3, padding=1),
        nn.ReLU(),
        *inner,
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(WIDTH, 5),
    )
    grown, shrunk = body[2], body[len(inner) + 2]
    assert isinstance(grown, nn.Conv2d)
    assert isinstance(shrunk, nn.Conv2d)
    assert grown.bias is not None
    with torch.no_grad():
        grown.weight.mul_(spread[:, None, None, None])
        grown.bias.mul_(spread)
        if readers == "depthwise":
            body[4].bias.mul_(spread)
        shrunk.weight.div_(spread[None, :, None, None])
    return body.eval()


def error(decades: float, readers: str) -> tuple[IntGraph, float]:
    """The integer network, and the error of its logits as a share of their spread over images."""
    program = export(network(decades, readers), (3, 8, 8), torch.float32)
    graph, _ = layers_of(imported_network(Path("net.pt2"), program, {}, "pt2"))
    images = slopes(0, 64)
    integers = quantize(graph, images)
    scale = integers[integers.outputs[-1]].format.one_scale
    assert scale is not None
    found = GoldenModel(integers).run(images).logits * scale
    exact = run_layers(graph, torch.from_numpy(images), dtype=torch.float64)[graph.outputs[-1]]
    return integers, float(np.std(found - exact.numpy()) / np.std(exact.numpy()))


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no network be quantized a second time, so that like is compared with like."""
    monkeypatch.setattr("acsgen.quant.quantize.REFINE_BELOW", 0.0)


@pytest.mark.parametrize("readers", ["conv", "pool", "depthwise"])
@pytest.mark.parametrize("decades", [2, 3, 6])
def test_a_spread_costs_no_precision(decades: float, readers: str, once: None) -> None:
    _, without = error(0, readers)
    integers, with_spread = error(decades, readers)
    assert with_spread < 1.5 * without + 0.005
    own = [layer.name for layer in integers if layer.format.one_scale is None]
    assert "2" in own


def test_channels_of_like_size_share_one_scale(once: None) -> None:
    integers, _ = error(0, "conv")
    assert integers["0"].format.one_scale is not None
    assert integers["2"].format.one_scale is not None


class Block(nn.Module):
    """Two convolutions beside an identity; ``trunk`` scales what the identity carries."""

    def __init__(self, inner: torch.Tensor, trunk: torch.Tensor) -> None:
        super().__init__()
        self.first = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        assert self.first.bias is not None
        assert self.second.bias is not None
        with torch.no_grad():
            self.first.weight.mul_(inner[:, None, None, None]).div_(trunk[None, :, None, None])
            self.first.bias.mul_(inner)
            self.second.weight.mul_(trunk[:, None, None, None]).div_(inner[None, :, None, None])
            self.second.bias.mul_(trunk)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = torch.relu(x + self.second(torch.relu(self.first(x))))
        return y


def residual(decades: float, seed: int) -> nn.Module:
    """A residual network whose identities, inner maps and average are spread."""
    inner, trunk = (_factors(decades, seed + part) for part in (0, 100))
    torch.manual_seed(seed)
    stem = nn.Conv2d(3, WIDTH, 3, padding=1)
    net = nn.Sequential(
        stem,
        nn.ReLU(),
        Block(inner, trunk),
        Block(inner, trunk),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(WIDTH, 10),
    )
    assert stem.bias is not None
    with torch.no_grad():
        stem.weight.mul_(trunk[:, None, None, None])
        stem.bias.mul_(trunk)
        net[-1].weight.div_(trunk[None])
    return net


def inverted(decades: float, seed: int) -> nn.Module:
    """A block of MobileNetV2: wide 1x1, depthwise 3x3 and narrow 1x1, with ReLU6 between."""
    # Factors below 1, so that ReLU6 cuts no channel.
    factors = [_factors(decades, seed + part) for part in (0, 100)]
    wide, deep = (part / part.max() for part in factors)
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, WIDTH, 1),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, 16, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )
    with torch.no_grad():
        net[0].weight.mul_(wide[:, None, None, None])
        net[0].bias.mul_(wide)
        net[2].weight.mul_((deep / wide)[:, None, None, None])
        net[2].bias.mul_(deep)
        net[4].weight.div_(deep[None, :, None, None])
    return net


class Doubled(nn.Module):
    """A map, and the same map through ReLU, added up."""

    def __init__(self, first: nn.Conv2d) -> None:
        super().__init__()
        self.first = first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(x)
        total: torch.Tensor = torch.relu(y) + y
        return total


class Excited(nn.Module):
    """Squeeze and excitation, then a residual: both maps of the sum have scales to be chosen."""

    def __init__(self, first: nn.Conv2d, factors: torch.Tensor) -> None:
        super().__init__()
        self.first, self.second = first, nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.narrow, self.wide = nn.Linear(WIDTH, 4), nn.Linear(4, WIDTH)
        with torch.no_grad():
            self.second.weight.mul_(factors[:, None, None, None] / factors[None, :, None, None])
            self.second.bias.mul_(factors)
            self.narrow.weight.div_(factors[None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        y = self.second(x)
        weights = torch.sigmoid(self.wide(torch.relu(self.narrow(y.mean((2, 3))))))
        total: torch.Tensor = torch.relu(x + y * weights[:, :, None, None])
        return total


class Joined(nn.Module):
    """Two maps behind each other, as in a DenseNet: half of the readers' inputs each."""

    def __init__(self, first: nn.Conv2d, factors: torch.Tensor) -> None:
        super().__init__()
        self.first, self.second = first, nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Conv2d(2 * WIDTH, WIDTH, 1)
        with torch.no_grad():
            self.second.weight.div_(factors[None, :, None, None])
            self.last.weight[:, :WIDTH].div_(factors[None, :, None, None])
            self.last.weight.mul_(factors[:, None, None, None])
            self.last.bias.mul_(factors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        y: torch.Tensor = torch.relu(self.last(torch.cat([x, torch.relu(self.second(x))], dim=1)))
        return y


def bound(kind: str) -> Callable[[float, int], nn.Module]:
    """Networks whose spread map goes into sums and concatenations."""

    def build(decades: float, seed: int) -> nn.Module:
        factors = _factors(decades, seed)
        torch.manual_seed(seed)
        first, reader = nn.Conv2d(3, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        assert first.bias is not None
        with torch.no_grad():
            first.weight.mul_(factors[:, None, None, None])
            first.bias.mul_(factors)
            reader.weight.div_(factors[None, :, None, None])
        inner = {
            "doubled": lambda: Doubled(first),
            "excited": lambda: Excited(first, factors),
            "joined": lambda: Joined(first, factors),
        }[kind]()
        tail = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10)]
        return nn.Sequential(inner, reader, *tail)

    return build


def _factors(decades: float, seed: int) -> torch.Tensor:
    order = torch.randperm(WIDTH, generator=torch.Generator().manual_seed(seed))
    return torch.logspace(-decades / 2, decades / 2, WIDTH)[order]


def agreement(net: nn.Module) -> tuple[IntGraph, float, float]:
    """The integer network, and over 600 new images the share of equal predictions and the error of
    the logits as a share of their spread. The head is made to decide by the image: logits without
    their mean, all of one size."""
    pixels = slopes(3, 856, (3, 16, 16))
    with torch.no_grad():
        logits = net.eval()(torch.from_numpy(pixels[:256]).float() / 255)
        head = net[-1]  # type: ignore[index]
        head.bias.sub_(logits.mean(0)).div_(logits.std(0))
        head.weight.div_(logits.std(0)[:, None])
    program = export(net, (3, 16, 16), torch.float32)
    graph, _ = layers_of(imported_network(Path("net.pt2"), program, {}, "pt2"))
    integers = quantize(graph, pixels[:256])
    new = pixels[256:]
    scale = integers[integers.outputs[-1]].format.one_scale
    assert scale is not None
    found = GoldenModel(integers).run(new).logits * scale
    exact = run_layers(graph, torch.from_numpy(new), dtype=torch.float64)[graph.outputs[-1]].numpy()
    share = np.mean(found.argmax(axis=1) == exact.argmax(axis=1))
    return integers, float(share), float(np.std(found - exact) / np.std(exact))


@pytest.mark.parametrize("build", [residual, inverted])
@pytest.mark.parametrize("seed", [0, 1])
def test_logits_are_as_exact_as_without_spread(
    build: Callable[[float, int], nn.Module], seed: int, once: None
) -> None:
    _, _, without = agreement(build(0, seed))
    for decades in (1.5, 3, 4):
        _, share, found = agreement(build(decades, seed))
        assert found < 1.3 * without, decades
        # Some logits of a narrow network are close together, with spread and without.
        assert share >= 0.95 or build is inverted, decades


@pytest.mark.parametrize("kind", ["doubled", "excited", "joined"])
def test_sums_and_concatenations_take_scales_by_channel(kind: str, once: None) -> None:
    """One scale for a map lost more than half of the predictions here."""
    _, _, without = agreement(bound(kind)(0, 0))
    for decades in (2, 3, 4):
        _, _, found = agreement(bound(kind)(decades, 0))
        assert found < 1.3 * without, decades


def test_an_average_that_hardly_differs_is_measured_from_its_middle() -> None:
    """Without the subtraction its last bit is a large part of what tells images apart."""
    integers, share, _ = agreement(network(0))
    assert any(layer.name.endswith(".centred") for layer in integers)
    assert share >= 0.95


def test_a_dead_channel_does_not_decide_the_scale_of_weights() -> None:
    net = network(3)
    dead, reader = net[2], net[4]  # type: ignore[index]
    with torch.no_grad():
        dead.bias[3] = -50.0
        reader.weight[:, 3] *= 1e3
    assert agreement(net)[1] >= 0.95
