"""Max and average pooling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from acsgen.ir.integer import IntPool
from acsgen.ir.layers import Layer, Pool
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


def _quantize(layer: Pool, so_far: Quantization) -> IntPool:
    x = so_far.done[layer.x]
    result, mult, shift = x.format, 0, SHIFT_MIN
    if layer.mode == "avg":
        units = x.format.scales(x.shape[0]) / layer.kernel**2
        result, ratio = steps.result_format(layer, so_far, units, x.format.signed)
        mult, shift = steps.one_ratio(ratio)
    return IntPool(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
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
    return requantize(total * layer.mult, layer.shift, steps.signs(layer))


def _passes_error(layer: Pool, source: Layer) -> float:
    """Errors of single pixels average out; a maximum has that of one pixel."""
    return 1 / layer.kernel**2 if layer.mode == "avg" else 1.0


QUANT_KINDS.add(
    "pool",
    QuantKind(quantize=_quantize, operator=_operator, measured=True, passes_error=_passes_error),
)
