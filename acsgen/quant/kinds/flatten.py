"""Maps read as vectors: the same integers."""

from __future__ import annotations

from acsgen.ir.integer import IntFlatten
from acsgen.ir.layers import Flatten
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources


def _quantize(layer: Flatten, so_far: Quantization) -> IntFlatten:
    x = so_far.done[layer.x]
    channels, height, width = x.shape
    result = x.format.repeated(channels, height * width)
    return IntFlatten(layer.name, layer.where, layer.shape, result, x=layer.x)


def _operator(layer: IntFlatten, sources: Sources) -> Operator:
    return lambda values: values[layer.x].flatten(1)


QUANT_KINDS.add(
    "flatten",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        passes_error=lambda layer, source: 1.0,
        measured=True,
    ),
)
