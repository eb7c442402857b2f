"""Adds, ReLUs and masks on their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from acsgen.ir.integer import IntEltwise
from acsgen.ir.layers import Eltwise
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
from acsgen.quant.ranges import ratio_violations, residual_violations


def _quantize(layer: Eltwise, so_far: Quantization) -> IntEltwise:
    x = so_far.done[layer.x]
    res_scale = steps.residual_scale(layer, so_far)
    res_signed = layer.residual is not None and so_far.done[layer.residual].signed
    signed = not layer.relu and (x.signed or res_signed)
    if layer.residual is None and signed == x.signed:
        scale = x.scale
    else:
        scale = so_far.result_scale(layer, signed, max(x.scale, res_scale) / steps.RATIO_LIMIT)
    mult, shift = steps.one_ratio(x.scale / scale)
    return IntEltwise(
        layer.name,
        layer.where,
        layer.shape,
        signed=signed,
        scale=scale,
        x=layer.x,
        mult=mult,
        shift=shift,
        residual=layer.residual,
        res_mult=steps.residual_mult(res_scale, scale),
        mask=layer.mask,
    )


def _operator(layer: IntEltwise, sources: Sources) -> Operator:
    def run(values: Values) -> Tensor:
        acc = values[layer.x].to(torch.int64)
        if layer.mask is not None:
            mask = values[layer.mask].to(torch.int64)
            acc = acc * mask.view(mask.shape + (1,) * (acc.dim() - 2))
        total = acc * layer.mult + steps.residual(values, layer, layer.shift)
        return requantize(total, layer.shift, layer.signed)

    return run


def _skipped(layer: Eltwise, values: Mapping[str, Tensor], sums: str) -> Tensor | None:
    return steps.skipped(layer, values[layer.x], values)


def _violations(layer: IntEltwise, sources: Sources) -> Iterator[str]:
    yield from residual_violations(layer.res_mult)
    yield from ratio_violations(layer)


QUANT_KINDS.add(
    "eltwise",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        violations=_violations,
        measured=True,
        skipped=_skipped,
    ),
)
