"""Means over a map."""

from __future__ import annotations

from collections.abc import Iterable

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
from acsgen.quant.ranges import ratio_violations


def _quantize(layer: GlobalAvg, so_far: Quantization) -> IntGlobalAvg:
    x = so_far.done[layer.x]
    unit = x.scale / (x.shape[1] * x.shape[2])
    scale = so_far.result_scale(layer, x.signed, unit / steps.RATIO_LIMIT)
    mult, shift = steps.one_ratio(unit / scale)
    return IntGlobalAvg(
        layer.name,
        layer.where,
        layer.shape,
        signed=x.signed,
        scale=scale,
        x=layer.x,
        mult=mult,
        shift=shift,
    )


def _operator(layer: IntGlobalAvg, sources: Sources) -> Operator:
    def run(values: Values) -> Tensor:
        total = values[layer.x].sum(dim=(2, 3), dtype=torch.int64)
        return requantize(total * layer.mult, layer.shift, layer.signed)

    return run


def _violations(layer: IntGlobalAvg, sources: Sources) -> Iterable[str]:
    return ratio_violations(layer)


QUANT_KINDS.add(
    "global_avg",
    QuantKind(quantize=_quantize, operator=_operator, violations=_violations, measured=True),
)
