"""Maps one behind the other: the same integers, each channel in its format."""

from __future__ import annotations

import torch

from acsgen.ir.integer import IntConcat
from acsgen.ir.kinds.base import IntLayer
from acsgen.ir.kinds.concat import joined_format
from acsgen.ir.layers import Concat
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources


def _quantize(layer: Concat, so_far: Quantization) -> IntConcat:
    maps = tuple(so_far.done[name] for name in layer.maps)
    channels = tuple(map_.shape[0] for map_ in maps)
    result = joined_format(maps)
    return IntConcat(layer.name, layer.where, layer.shape, result, layer.maps, channels)


def parts_joined(layer: IntLayer, sources: Sources) -> Operator:
    """The parts of a layer that is placement, one behind the other."""
    return lambda values: torch.cat([values[name] for name in layer.parts], dim=1)


QUANT_KINDS.add("concat", QuantKind(quantize=_quantize, operator=parts_joined, measured=False))
