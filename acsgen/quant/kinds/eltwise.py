"""Adds, ReLUs and masks on their own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from acsgen.frontend.masks import mask_bits
from acsgen.ir.integer import IntEltwise
from acsgen.ir.layers import Eltwise, Layer
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


def _quantize(layer: Eltwise, so_far: Quantization) -> IntEltwise:
    x = so_far.done[layer.x].format
    units, res_scales = x.scales(layer.shape[0]), steps.residual_scales(layer, so_far)
    res_signed = layer.residual is not None and so_far.done[layer.residual].format.any_signed
    signed = not layer.relu and (x.any_signed or res_signed)
    if layer.residual is None and signed == x.signed:
        result, ratio = x, 1.0
    else:
        result, ratio = steps.result_format(layer, so_far, units, signed, res_scales)
    mult, shift = steps.one_ratio(ratio)
    return IntEltwise(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
        x=layer.x,
        mult=mult,
        shift=shift,
        residual=layer.residual,
        res_mult=steps.residual_mult(layer.where, res_scales, result.scales(layer.shape[0])),
        mask=layer.mask,
    )


def _operator(layer: IntEltwise, sources: Sources) -> Operator:
    signed = steps.signs(layer)

    def run(values: Values) -> Tensor:
        acc = values[layer.x].to(torch.int64)
        if layer.mask:
            mask = mask_bits(layer.mask, values).to(torch.int64)
            acc = acc * mask.view(mask.shape + (1,) * (acc.dim() - 2))
        total = acc * layer.mult + steps.residual(values, layer, layer.shift)
        return requantize(total, layer.shift, signed)

    return run


def _passes_error(layer: Eltwise, source: Layer) -> float | None:
    """What is added has scales of its own."""
    return None if layer.residual is not None else 1.0


def _skipped(layer: Eltwise, values: Mapping[str, Tensor], sums: str) -> Tensor | None:
    return steps.skipped(layer, values[layer.x], values)


QUANT_KINDS.add(
    "eltwise",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=True,
        skipped=_skipped,
        passes_error=_passes_error,
    ),
)
