"""Means over a map."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.ir.integer import IntGlobalAvg, IntLayer, IntPool, IntScale
from acsgen.ir.layers import GlobalAvg, Layer
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
    # The average of a map that a gate closed for every image may come to be as large as the map.
    of_map = x.format.one_scale or 0.0
    result, ratio = steps.result_format(
        layer, so_far, units, x.format.signed, otherwise=of_map if _is_masked(so_far, x) else 0.0
    )
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


def _is_masked(so_far: Quantization, x: IntLayer) -> bool:
    """Whether a gate decides about the map, be it before a pool or a scaling."""
    while not getattr(x, "mask", ()):
        if not isinstance(x, (IntPool, IntScale)):
            return False
        x = so_far.done[x.x]
    return True


def _operator(layer: IntGlobalAvg, sources: Sources) -> Operator:
    signed = steps.signs(layer)

    def run(values: Values) -> Tensor:
        total = values[layer.x].sum(dim=(2, 3), dtype=torch.int64)
        return requantize(total * layer.mult, layer.shift, signed)

    return run


def _passes_error(layer: GlobalAvg, source: Layer) -> float:
    """Errors of single pixels average out."""
    return 1 / (source.shape[1] * source.shape[2])


QUANT_KINDS.add(
    "global_avg",
    QuantKind(quantize=_quantize, operator=_operator, measured=True, passes_error=_passes_error),
)
