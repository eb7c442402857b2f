"""Vectors one behind the other: the same integers, each entry in its format."""

from __future__ import annotations

import torch

from acsgen.ir.kinds.concat import joined_format
from acsgen.ir.kinds.join import IntJoin, Join
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources


def _quantize(layer: Join, so_far: Quantization) -> IntJoin:
    vectors = tuple(so_far.done[name] for name in layer.vectors)
    sizes = tuple(vector.shape[0] for vector in vectors)
    result = joined_format(vectors)
    return IntJoin(layer.name, layer.where, layer.shape, result, layer.vectors, sizes)


def _operator(layer: IntJoin, sources: Sources) -> Operator:
    return lambda values: torch.cat([values[name] for name in layer.vectors], dim=1)


QUANT_KINDS.add("join", QuantKind(quantize=_quantize, operator=_operator, measured=False))
