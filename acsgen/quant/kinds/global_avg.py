"""Means over a map."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.ir.integer import IntGlobalAvg
from acsgen.ir.layers import GlobalAvg
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


def _quantize(layer: GlobalAvg, so_far: Quantization) -> IntGlobalAvg:
    x = so_far.done[layer.x]
    units = x.format.scales(x.shape[0]) / (x.shape[1] * x.shape[2])
    best = so_far.result_scale(layer, x.format.any_signed, units.max() / steps.RATIO_LIMIT)
    result, ratio = steps.result_format(units, best, x.format.signed)
    mult, shift = steps.one_ratio(ratio)
    return IntGlobalAvg(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
        x=layer.x,
        mult=mult,
        shift=shift,
    )


def _operator(layer: IntGlobalAvg, sources: Sources) -> Operator:
    signed = steps.signs(layer)

    def run(values: Values) -> Tensor:
        total = values[layer.x].sum(dim=(2, 3), dtype=torch.int64)
        return requantize(total * layer.mult, layer.shift, signed)

    return run


QUANT_KINDS.add(
    "global_avg",
    QuantKind(quantize=_quantize, operator=_operator, measured=True),
)
