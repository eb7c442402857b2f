"""The operators of the integer graph: a function from integers to integers for each layer.

The arithmetic is defined in :mod:`acsgen.ir.integer`, and the operator of a kind is in its file of
:mod:`acsgen.quant.kinds`.  The golden model runs them one after the other; the quantizer uses the
sums without bias and their inputs, to choose biases and weights.
"""

from __future__ import annotations

from acsgen.ir.integer import IntLayer
from acsgen.quant.kinds import kind_of
from acsgen.quant.kinds.base import Operator, Sources, Sums, Values

__all__ = ["Operator", "Values", "operator", "totals", "windows"]


def operator(layer: IntLayer, sources: Sources) -> Operator:
    """The function from earlier results to the layer's result; of a gate, to its accumulators.

    Maps and vectors are int16, logits int32, accumulators int64. The image finds its pixels under
    its own name.

    Args:
        layer: any layer.
        sources: at least the layers that ``layer`` reads, by name.
    """
    return kind_of(layer).operator(layer, sources)


def totals(layer: IntLayer, sources: Sources) -> Operator:
    """The function from earlier results to ``sum w*x``, added up over images and pixels, int64
    ``(O,)``.

    Bias and mask are not in it.

    Args:
        layer: a layer with weights.
        sources: at least the layers that ``layer`` reads, by name.
    """
    return _weighted(layer).totals(layer, sources)


def windows(layer: IntLayer, sources: Sources) -> Operator:
    """The function from earlier results to the inputs of every sum, whole numbers in float64
    ``(groups, inputs of an output, sums of an output)``.

    Args:
        layer: a layer with weights.
        sources: at least the layers that ``layer`` reads, by name.
    """
    return _weighted(layer).windows(layer, sources)


def _weighted(layer: IntLayer) -> Sums:
    found = kind_of(layer).sums
    assert found is not None, f"{layer.name} has no weights"
    return found
