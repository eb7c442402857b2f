"""Channels of one map that differ a thousandfold are no worse off than channels that do not."""

from __future__ import annotations

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


@pytest.mark.parametrize("readers", ["conv", "pool", "depthwise"])
@pytest.mark.parametrize("decades", [2, 3, 6])
def test_a_spread_costs_no_precision(decades: float, readers: str) -> None:
    _, without = error(0, readers)
    integers, with_spread = error(decades, readers)
    assert with_spread < 1.5 * without + 0.005
    own = [layer.name for layer in integers if layer.format.one_scale is None]
    assert "2" in own


def test_channels_of_like_size_share_one_scale() -> None:
    integers, _ = error(0, "conv")
    assert all(layer.format.one_scale is not None for layer in integers)
