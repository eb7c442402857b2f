"""Maps times one factor per channel."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.ir.integer import IntScale
from acsgen.ir.layers import Layer, Scale
from acsgen.quant.arithmetic import requantize
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import (
    QUANT_KINDS,
    Operator,
    Quantization,
    QuantKind,
    Sources,
    Values,
)


def _quantize(layer: Scale, so_far: Quantization) -> IntScale:
    x, vector = so_far.done[layer.x], so_far.done[layer.vector]
    channels, signed = layer.shape[0], x.format.any_signed or vector.format.any_signed
    units = x.format.scales(channels) * vector.format.scales(channels)
    result, ratio = steps.result_format(layer, so_far, units, signed)
    mult, shift = steps.one_ratio(ratio)
    return IntScale(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
        x=layer.x,
        vector=layer.vector,
        mult=mult,
        shift=shift,
    )


def _operator(layer: IntScale, sources: Sources) -> Operator:
    signed = steps.signs(layer)

    def run(values: Values) -> Tensor:
        vector = values[layer.vector].to(torch.int64)[:, :, None, None]
        product = values[layer.x].to(torch.int64) * vector
        return requantize(product * layer.mult, layer.shift, signed)

    return run


def _passes_error(layer: Scale, source: Layer) -> float:
    """The factors are at most about one."""
    return 1.0


QUANT_KINDS.add(
    "scale",
    QuantKind(quantize=_quantize, operator=_operator, measured=True, passes_error=_passes_error),
)
