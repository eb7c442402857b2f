"""The outline of an integer graph: its shapes, signs and zeros, before any image is looked at.

Whether an engine can hold a network follows from these alone, and quantization takes minutes; so
shortages are found with this graph first. Its scales and biases are arbitrary, and what only the
images ask for (:mod:`acsgen.quant.centre`) is not in it: the compiler looks again behind the
quantization.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.format import Format
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.ir.layers import Layer, LayerGraph
from acsgen.ir.ranges import WEIGHT_MAX
from acsgen.quant.checks import check_quantizable
from acsgen.quant.kinds import quantized
from acsgen.quant.kinds.base import WeightedT
from acsgen.quant.scales import Floats, IntWeights


def outline(graph: LayerGraph) -> IntGraph:
    """The integer graph of a network but for its scales and biases.

    Raises:
        UserError: a network without an integer form.
    """
    check_quantizable(graph)
    so_far = _Outline(graph)
    for layer in graph:
        for made in quantized(layer, so_far):
            so_far.done[made.name] = made
    return IntGraph(graph.name, tuple(so_far.done.values()), graph.outputs)


class _Outline:
    """Scales of 1, or coarser ones where multiplier and shift need them."""

    weight_max = WEIGHT_MAX

    def __init__(self, graph: LayerGraph) -> None:
        source = graph.input
        self.done: dict[str, IntLayer] = {}
        self.normalization: tuple[Floats, Floats] = (
            np.asarray(source.scale, np.float64),
            np.asarray(source.offset, np.float64),
        )

    def result_scale(
        self, layer: Layer, signed: bool, at_least: float, otherwise: float = 0.0
    ) -> float:
        """1, or ``at_least``."""
        return max(1.0, at_least)

    def channel_format(self, layer: Layer, signed: bool, at_least: Floats) -> Format:
        """One scale for all channels."""
        return Format(max(1.0, float(at_least.max())), signed)

    def scale_beside(self, layer: Layer, units: Floats, signed: bool) -> float:
        """1: the units themselves."""
        return 1.0

    def result(self, name: str) -> NDArray[np.integer]:
        """One image, with logits of all sizes."""
        classes = self.done[name].shape[0]
        return np.arange(classes).reshape(1, classes)

    def fitted(self, draft: WeightedT, integers: IntWeights) -> WeightedT:
        """No bias."""
        return replace(draft, bias=np.zeros(draft.shape[0], np.int32))
