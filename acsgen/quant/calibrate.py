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

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.frontend.execute import run_layers
from acsgen.ir.layers import Layer, LayerGraph
from acsgen.quant.histogram import Histogram
from acsgen.quant.kinds import kind_of

#: Weight in the histogram of a value that the mask kept from being computed.
SKIPPED_WEIGHT = 0.1


@dataclass(frozen=True)
class Calibration:
    """Statistics over the calibration images, by layer name.

    Attributes:
        histograms: magnitudes of every map and vector.
        means: for layers with weights, the mean of ``w*x + bias`` over images and pixels, before
            mask, residual and activation, ``(O,)``.
        variances: of the same sums, ``(O,)``.
        largest: largest magnitude in each channel of every map and vector, ``(C,)``, also of
            channels that were skipped.
        lowest: least value of each entry of every vector, ``(C,)``.
        highest: likewise the greatest.
        answers: the logits of every output, ``[N, C]``.
    """

    histograms: dict[str, Histogram]
    means: dict[str, NDArray[np.float64]]
    variances: dict[str, NDArray[np.float64]]
    largest: dict[str, NDArray[np.float64]]
    lowest: dict[str, NDArray[np.float64]]
    highest: dict[str, NDArray[np.float64]]
    answers: dict[str, NDArray[np.float64]]


@torch.no_grad()
def calibrate(graph: LayerGraph, images: Tensor, batch: int = 16) -> Calibration:
    """Run the float network on ``images`` and gather statistics.

    Args:
        graph: the network.
        images: uint8 ``[N, C, H, W]``, N at least 1.
        batch: images computed at once.
    """
    probed = _with_sums(graph)
    measured = [layer for layer in graph if kind_of(layer).measured]
    weighted = [layer for layer in graph if kind_of(layer).sums is not None]
    histograms = {layer.name: Histogram() for layer in measured}
    totals = {layer.name: np.zeros(layer.shape[0]) for layer in weighted}
    squares = {layer.name: np.zeros(layer.shape[0]) for layer in weighted}
    largest = {layer.name: np.zeros(layer.shape[0]) for layer in measured}
    vectors = [layer for layer in measured if len(layer.shape) == 1]
    lowest = {layer.name: np.full(layer.shape, np.inf) for layer in vectors}
    highest = {layer.name: np.full(layer.shape, -np.inf) for layer in vectors}
    answers: dict[str, list[Tensor]] = {name: [] for name in graph.outputs}
    for start in range(0, len(images), batch):
        values = run_layers(probed, images[start : start + batch], dtype=torch.float64)
        for layer in measured:
            histograms[layer.name].add(values[layer.name])
            _note_largest(largest[layer.name], values[layer.name])
            skipped = kind_of(layer).skipped(layer, values, _sum_name(layer))
            if skipped is not None:
                histograms[layer.name].add(skipped, SKIPPED_WEIGHT)
                _note_largest(largest[layer.name], skipped)
        for layer in vectors:
            found = values[layer.name].double().numpy()
            np.minimum(lowest[layer.name], found.min(axis=0), out=lowest[layer.name])
            np.maximum(highest[layer.name], found.max(axis=0), out=highest[layer.name])
        for name in graph.outputs:
            answers[name].append(values[name])
        for layer in weighted:
            sums = values[_sum_name(layer)]
            sums = sums.reshape(*sums.shape[:2], -1)
            totals[layer.name] += sums.mean(dim=2).sum(dim=0).numpy()
            squares[layer.name] += sums.square().mean(dim=2).sum(dim=0).numpy()
    means = {name: total / len(images) for name, total in totals.items()}
    variances = {
        name: np.maximum(square / len(images) - means[name] ** 2, 0.0)
        for name, square in squares.items()
    }
    logits = {name: torch.cat(parts).numpy() for name, parts in answers.items()}
    return Calibration(
        histograms,
        means,
        variances,
        largest=_singles(largest),
        lowest=_singles(lowest),
        highest=_singles(highest),
        answers=logits,
    )


def _singles(results: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The values to 24 bits: the last bits depend on the processor, and scales must not."""
    singles = {}
    for name, values in results.items():
        mantissas, exponents = np.frexp(values)
        singles[name] = np.ldexp(np.rint(np.ldexp(mantissas, 24)), exponents - 24)
    return singles


def _note_largest(largest: NDArray[np.float64], values: Tensor) -> None:
    """Raise the largest magnitudes ``(C,)`` to those of values ``[N, C, ...]``."""
    found = (
        values.detach().abs().flatten(2) if values.dim() > 2 else values.detach().abs()[..., None]
    )
    np.maximum(largest, found.amax(dim=(0, 2)).double().numpy(), out=largest)


def _sum_name(layer: Layer) -> str:
    return f"{layer.name}/sum"


def _with_sums(graph: LayerGraph) -> LayerGraph:
    """The same network with the weighted sum of each layer as a layer of its own."""
    layers: list[Layer] = []
    for layer in graph:
        sums = kind_of(layer).sums
        layers += (layer,) if sums is None else sums.apart(layer, _sum_name(layer))
    return LayerGraph(graph.name, tuple(layers), graph.outputs)
