"""Vectors one behind the other: the same integers, each entry in its format."""

from __future__ import annotations

from acsgen.ir.kinds.concat import joined_format
from acsgen.ir.kinds.join import IntJoin, Join
from acsgen.quant.kinds.base import QUANT_KINDS, Quantization, QuantKind
from acsgen.quant.kinds.concat import parts_joined


def _quantize(layer: Join, so_far: Quantization) -> IntJoin:
    vectors = tuple(so_far.done[name] for name in layer.vectors)
    sizes = tuple(vector.shape[0] for vector in vectors)
    result = joined_format(vectors)
    return IntJoin(layer.name, layer.where, layer.shape, result, layer.vectors, sizes)


QUANT_KINDS.add("join", QuantKind(quantize=_quantize, operator=parts_joined, measured=False))
