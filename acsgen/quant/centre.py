"""Global averages that differ little between images are measured from their middle.

An average that is always near 100 and tells images apart by its third digit is mostly lost when it
is stored in 8 bits.  The difference from its middle is small, and takes all 8 bits; a depthwise
convolution of one tap before the average subtracts the middle, and the biases of the layers that
read the average add it again.  Rounding the pixels does no harm, since the average is over many.

This is done before classifiers alone: the error of an average goes straight into the answer there,
and one convolution for a network is cheap.  Gating networks run for every block, and would pay
with cycles for decisions that differ little.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.layers import Conv, GlobalAvg, Layer, LayerGraph, Logits
from acsgen.quant.calibrate import Calibration
from acsgen.quant.spread import LEAST_ERROR, at_reader

Floats = NDArray[np.float64]

#: The error has to become so many times smaller: the convolution takes time.
LEAST_GAIN = 4.0


def centred(
    graph: LayerGraph, calibration: Calibration, room: float, levels: int, weight_max: int
) -> LayerGraph:
    """The network with a convolution before every average that needs one; the same in floats.

    Args:
        graph: the network.
        calibration: its statistics.
        room: the range of a vector, in units of the largest value seen.
        levels: the largest integer of a signed vector.
        weight_max: the largest magnitude of an integer weight.
    """
    layers: list[Layer] = []
    middles: dict[str, tuple[str, Floats]] = {}
    for layer in graph:
        changed: Layer = layer
        if isinstance(layer, Logits) and layer.x in middles:
            name, middle = middles[layer.x]
            changed = replace(layer, x=name, bias=layer.bias + _exact_sums(layer.weight * middle))
        elif isinstance(layer, GlobalAvg):
            found = _middle(graph, layer, calibration, room, levels, weight_max)
            if found is not None:
                convolution = _subtract(graph, layer, found)
                layers.append(convolution)
                changed = replace(layer, name=f"{layer.name}.centred", x=convolution.name)
                middles[layer.name] = (changed.name, found)
        layers.append(changed)
    return replace(graph, layers=tuple(layers)) if middles else graph


def _middle(
    graph: LayerGraph,
    layer: GlobalAvg,
    calibration: Calibration,
    room: float,
    levels: int,
    weight_max: int,
) -> Floats | None:
    """The middle of each channel's averages, ``(C,)``; None where it need not be subtracted."""
    readers = [other for other in graph if layer.name in other.inputs]
    if not readers or layer.name in graph.outputs:
        return None
    if any(not isinstance(reader, Logits) for reader in readers):
        return None
    lowest, highest = calibration.lowest[layer.name], calibration.highest[layer.name]
    middle = (lowest + highest) / 2
    plain = np.maximum(np.abs(lowest), np.abs(highest)) * room
    rest = (highest - lowest) / 2 * room

    # At best, each channel of an average has a scale of its own.
    before, after = (
        sum(_error(reader, reach, levels, calibration, weight_max) for reader in readers)
        for reach in (plain, rest)
    )
    return middle if before > LEAST_ERROR and after * LEAST_GAIN < before else None


def _exact_sums(products: Floats) -> Floats:
    """Sums of rows, rounded once: a BLAS adds in an order that depends on the processor."""
    return np.array([math.fsum(row) for row in products])


def _error(
    reader: Layer, reach: Floats, levels: int, calibration: Calibration, weight_max: int
) -> float:
    scale = np.where(reach > 0, reach, reach.max(initial=0.0)) / levels
    if not scale.all():
        return 0.0
    variance = calibration.variances[reader.name]
    return at_reader(reader, scale, scale**2 / 12, reach, variance, weight_max)


def _subtract(graph: LayerGraph, layer: GlobalAvg, middle: Floats) -> Conv:
    source = graph[layer.x]
    channels = source.shape[0]
    return Conv(
        name=f"{layer.name}.differences",
        where=layer.where,
        shape=source.shape,
        x=layer.x,
        weight=np.ones((channels, 1, 1, 1)),
        bias=-middle,
        masked_bias=np.zeros(channels),
        stride=1,
        pad=0,
        groups=channels,
        relu=False,
    )
