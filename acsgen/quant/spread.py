"""Decides where the channels of a result have scales of their own.

One scale for a whole map is fine while its channels are of like size.  Where they are not, and the
next layer's weights make up for that, the small channels are lost in the rounding of the large ones
(Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
section 4.1, equalize such layers).  A scale by channel equalizes exactly, since readers take it
into their weights, and the layer itself has a multiplier for each of its channels anyway.

It is used only where one scale is not good enough, that is where the readers' sums would be off by
more than :data:`LEAST_RATIO` allows, and where every reader can take it in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.layers import Layer, LayerGraph
from acsgen.quant.kinds import kind_of

#: Least ratio of the variance of a reader's sums to that of their error from rounding, 25 dB: an
#: error of 6 % of the spread.  Eight bits that are in use give 30 to 50 dB.
LEAST_RATIO = 300.0

Floats = NDArray[np.float64]


def needs_own_scales(
    graph: LayerGraph, name: str, scale: float, variances: Mapping[str, Floats]
) -> bool:
    """Whether the channels of a result should have scales of their own.

    Args:
        graph: the network in floats.
        name: of the result.
        scale: that all its channels would share.
        variances: of the weighted sums of every layer with weights, by output, over images and
            pixels.
    """
    found = list(_readers(graph, name, 1.0))
    if not found or any(reader is None for reader in found):
        return False
    rounding = scale**2 / 12
    for reader in found:
        assert reader is not None
        layer, passed = reader
        weight = np.asarray(layer.weight, np.float64)  # type: ignore[attr-defined]
        error = rounding * passed * np.square(weight).reshape(len(weight), -1).sum(axis=1)
        alive = (error > 0) & (variances[layer.name] > 0)
        ratios = variances[layer.name][alive] / error[alive]
        if ratios.size and float(np.median(ratios)) < LEAST_RATIO:
            return True
    return False


def _readers(graph: LayerGraph, name: str, passed: float) -> Iterator[tuple[Layer, float] | None]:
    """The layers with weights that read a result, directly or through layers that keep the ratios
    of its scales, with the share of its error's variance that arrives; None for any other reader.
    """
    for layer in graph:
        if name not in layer.inputs:
            continue
        kind = kind_of(layer)
        reads = [field for field in layer.READS if getattr(layer, field) == name]
        if reads != ["x"]:
            yield None
        elif kind.sums is not None:
            yield layer, passed
        else:
            share = kind.passes_error(layer, graph[name])
            if share is None:
                yield None
            else:
                yield from _readers(graph, layer.name, passed * share)
