"""Maps times one factor per channel."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from acsgen.ir.integer import IntScale
from acsgen.ir.layers import Scale
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
from acsgen.quant.ranges import ratio_violations


def _quantize(layer: Scale, so_far: Quantization) -> IntScale:
    x, vector = so_far.done[layer.x], so_far.done[layer.vector]
    unit, signed = x.scale * vector.scale, x.signed or vector.signed
    scale = so_far.result_scale(layer, signed, unit / steps.RATIO_LIMIT)
    mult, shift = steps.one_ratio(unit / scale)
    return IntScale(
        layer.name,
        layer.where,
        layer.shape,
        signed=signed,
        scale=scale,
        x=layer.x,
        vector=layer.vector,
        mult=mult,
        shift=shift,
    )


def _operator(layer: IntScale, sources: Sources) -> Operator:
    def run(values: Values) -> Tensor:
        vector = values[layer.vector].to(torch.int64)[:, :, None, None]
        product = values[layer.x].to(torch.int64) * vector
        return requantize(product * layer.mult, layer.shift, layer.signed)

    return run


def _violations(layer: IntScale, sources: Sources) -> Iterable[str]:
    return ratio_violations(layer)


QUANT_KINDS.add(
    "scale",
    QuantKind(quantize=_quantize, operator=_operator, violations=_violations, measured=True),
)
