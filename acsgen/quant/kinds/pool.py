"""Max and average pooling."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from acsgen.ir.integer import IntPool
from acsgen.ir.layers import Pool
from acsgen.isa.generated import SHIFT_MIN
from acsgen.quant.arithmetic import requantize, unfold
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


def _quantize(layer: Pool, so_far: Quantization) -> IntPool:
    x = so_far.done[layer.x]
    scale, mult, shift = x.scale, 0, SHIFT_MIN
    if layer.mode == "avg":
        unit = x.scale / layer.kernel**2
        scale = so_far.result_scale(layer, x.signed, unit / steps.RATIO_LIMIT)
        mult, shift = steps.one_ratio(unit / scale)
    return IntPool(
        layer.name,
        layer.where,
        layer.shape,
        signed=x.signed,
        scale=scale,
        x=layer.x,
        mode=layer.mode,
        kernel=layer.kernel,
        stride=layer.stride,
        pad=layer.pad,
        mult=mult,
        shift=shift,
    )


def _operator(layer: IntPool, sources: Sources) -> Operator:
    if layer.mode == "max":
        return lambda values: _maximum(layer, values)
    return lambda values: _average(layer, values)


def _maximum(layer: IntPool, values: Values) -> Tensor:
    """Maximum over the valid pixels: PyTorch pads with minus infinity, and float32 holds 8 bits."""
    x = values[layer.x].to(torch.float32)
    return F.max_pool2d(x, layer.kernel, layer.stride, layer.pad).to(torch.int16)


def _average(layer: IntPool, values: Values) -> Tensor:
    x = values[layer.x].to(torch.float32)
    zeros = torch.zeros(x.shape[1], dtype=torch.int64)
    windows = unfold(x, layer.kernel, layer.stride, layer.pad, zeros).to(torch.int64)
    total = windows.sum(dim=2).view(len(x), *layer.shape)
    return requantize(total * layer.mult, layer.shift, layer.signed)


def _violations(layer: IntPool, sources: Sources) -> Iterable[str]:
    return ratio_violations(layer) if layer.mode == "avg" else ()


QUANT_KINDS.add(
    "pool",
    QuantKind(quantize=_quantize, operator=_operator, violations=_violations, measured=True),
)
