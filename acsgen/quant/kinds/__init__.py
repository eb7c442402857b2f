"""The quantizer's part of each kind of layer: a file for every kind of :mod:`acsgen.ir.kinds`.

A kind without a file here is an error at import.
"""

from acsgen.ir.kinds import KINDS
from acsgen.ir.kinds.base import IntLayer, Layer, LayerBase
from acsgen.quant.kinds.base import QUANT_KINDS, Quantization, QuantKind

__all__ = ["QUANT_KINDS", "QuantKind", "kind_of", "quantized"]

QUANT_KINDS.find_all(__name__, KINDS)


def kind_of(layer: LayerBase) -> QuantKind:
    """The quantizer's part of the kind of a layer of either graph."""
    return QUANT_KINDS[layer.KIND]


def quantized(layer: Layer, so_far: Quantization) -> tuple[IntLayer, ...]:
    """The integer layers of a float one, in execution order."""
    made = kind_of(layer).quantize(layer, so_far)
    return made if isinstance(made, tuple) else (made,)
