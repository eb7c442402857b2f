"""Calibration: what values the float network's layers take on example images.

Two statistics are gathered.  A histogram of each result says how to scale it; for a masked
convolution it also holds, at a lower weight, what the channels that were skipped would have
computed, because run-time thresholds and integer rounding may open them.  The mean of each weighted
sum says what the integer sum should average to, which makes up for rounded weights (bias
correction; Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
2019, section 4.2).

The network is run in float64. Processors sum in different orders and round differently, but in
float64 these differences are far below what the integers made of the statistics can resolve, so
that every processor makes the same integer network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.frontend.execute import run_layers
from acsgen.ir.layers import Conv, Eltwise, Gate, Input, Layer, LayerGraph, Linear, Logits
from acsgen.quant.histogram import Histogram

#: Weight in the histogram of a value that the mask kept from being computed.
SKIPPED_WEIGHT = 0.1

_Weighted = (Conv, Linear, Gate, Logits)


@dataclass(frozen=True)
class Calibration:
    """Statistics over the calibration images, by layer name.

    Attributes:
        histograms: magnitudes of every map and vector.
        means: for layers with weights, the mean of ``w*x + bias`` over images and pixels, before
            mask, residual and activation, ``(O,)``.
    """

    histograms: dict[str, Histogram]
    means: dict[str, NDArray[np.float64]]


@torch.no_grad()
def calibrate(graph: LayerGraph, images: Tensor, batch: int = 16) -> Calibration:
    """Run the float network on ``images`` and gather statistics.

    Args:
        graph: the network.
        images: uint8 ``[N, C, H, W]``, N at least 1.
        batch: images computed at once.
    """
    probed = _with_sums(graph)
    measured = [layer for layer in graph if not isinstance(layer, (Input, Gate, Logits))]
    weighted = [layer for layer in graph if isinstance(layer, _Weighted)]
    histograms = {layer.name: Histogram() for layer in measured}
    totals = {layer.name: np.zeros(layer.shape[0]) for layer in weighted}
    for start in range(0, len(images), batch):
        values = run_layers(probed, images[start : start + batch], dtype=torch.float64)
        for layer in measured:
            histograms[layer.name].add(values[layer.name])
            if isinstance(layer, (Conv, Eltwise)) and layer.mask is not None:
                histograms[layer.name].add(_skipped(layer, layer.mask, values), SKIPPED_WEIGHT)
        for layer in weighted:
            sums = values[_sum_name(layer)]
            sums = sums.reshape(*sums.shape[:2], -1)
            totals[layer.name] += sums.mean(dim=2).sum(dim=0).numpy()
    means = {name: total / len(images) for name, total in totals.items()}
    return Calibration(histograms, means)


def _skipped(layer: Conv | Eltwise, mask: str, values: Mapping[str, Tensor]) -> Tensor:
    """The result that a masked layer would have where its mask is 0; zero elsewhere."""
    opened = values[_sum_name(layer) if isinstance(layer, Conv) else layer.x]
    if layer.residual is not None:
        opened = opened + values[layer.residual]
    if layer.relu:
        opened = opened.clamp(min=0)
    closed = 1.0 - values[mask].to(opened.dtype)
    return opened * closed.view(closed.shape + (1,) * (opened.dim() - 2))


def _sum_name(layer: Layer) -> str:
    return f"{layer.name}/sum"


def _with_sums(graph: LayerGraph) -> LayerGraph:
    """The same network with the weighted sum of each layer as a layer of its own."""
    layers: list[Layer] = []
    for layer in graph:
        name = _sum_name(layer)
        if isinstance(layer, Conv):
            layers.append(replace(layer, name=name, relu=False, residual=None, mask=None))
            if layer.mask is None or not np.any(layer.masked_bias):
                layer = _rest_of(layer, name)
        elif isinstance(layer, (Linear, Gate, Logits)):
            layers.append(
                Linear(
                    name=name,
                    where=layer.where,
                    shape=layer.shape,
                    x=layer.x,
                    weight=layer.weight,
                    bias=layer.bias,
                    activation="none",
                )
            )
        layers.append(layer)
    return LayerGraph(graph.name, tuple(layers))


def _rest_of(layer: Conv, sums: str) -> Eltwise:
    """What a convolution does after its weighted sum (where a masked channel's is zero)."""
    return Eltwise(
        name=layer.name,
        where=layer.where,
        shape=layer.shape,
        x=sums,
        relu=layer.relu,
        residual=layer.residual,
        mask=layer.mask,
    )
