"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from acsgen.frontend.masks import mask_bits
from acsgen.ir.format import Format
from acsgen.ir.integer import IntArray, IntConv, IntInput
from acsgen.ir.layers import Conv, Eltwise, Input, Layer
from acsgen.ir.masks import UNMASKED
from acsgen.ir.ranges import input_signs
from acsgen.isa.generated import PAD_VALUES
from acsgen.quant.arithmetic import bordered, exact_dtype, requantize, unfold
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds._image import pad_values
from acsgen.quant.kinds.base import (
    QUANT_KINDS,
    Operator,
    Quantization,
    QuantKind,
    Sources,
    Sums,
    Values,
)
from acsgen.quant.scales import Floats, encode_ratio, integer_bias, integer_weights
from acsgen.support.errors import Problem


def _quantize(layer: Conv, so_far: Quantization) -> IntConv:
    x = so_far.done[layer.x]
    weight = np.asarray(layer.weight, np.float64)
    bias = np.asarray(layer.bias, np.float64)
    if isinstance(x, IntInput):
        weight, bias = _fold_normalization(layer, so_far)
    largest_bias = np.maximum(np.abs(bias), np.abs(layer.masked_bias))
    limit = steps.clip_limit(layer.clip)
    integers = integer_weights(
        weight, x.format, largest_bias, limit, layer.groups, so_far.weight_max
    )
    acc_scale = integers.acc_scale
    res_scales = steps.residual_scales(layer, so_far)
    if layer.residual is not None:
        result = _beside_residual(layer, so_far, acc_scale, res_scales)
    else:
        at_least = acc_scale / steps.RATIO_LIMIT
        result = so_far.channel_format(layer, not layer.relu, at_least)
        result = steps.clipped(result, layer.clip)
    scales = result.scales(layer.shape[0])
    mult, shift = encode_ratio(acc_scale / scales)
    draft = IntConv(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(bias, acc_scale),
        masked_bias=integer_bias(np.asarray(layer.masked_bias), acc_scale),
        mult=mult,
        shift=shift,
        stride=layer.stride,
        pad=layer.pad,
        groups=layer.groups,
        residual=layer.residual,
        res_mult=steps.residual_mult(layer.where, res_scales, scales),
        mask=layer.mask,
    )
    return so_far.fitted(draft, integers)


def _beside_residual(
    layer: Conv, so_far: Quantization, acc_scale: Floats, res_scales: Floats
) -> Format:
    """One multiplier serves all channels of a residual: the result is scaled like it."""
    signed = not layer.relu
    at_least = max(acc_scale.max(), res_scales.max()) / steps.RATIO_LIMIT
    if np.all(res_scales == res_scales[0]):
        return Format(so_far.result_scale(layer, signed, at_least), signed)
    factor = so_far.scale_beside(layer, res_scales, signed)
    factor = max(factor, float((acc_scale / res_scales).max()) / steps.RATIO_LIMIT)
    factor = max(factor, 1 / steps.RATIO_LIMIT)
    return Format.by_channel(res_scales * factor, [signed] * len(res_scales))


def _fold_normalization(layer: Conv, so_far: Quantization) -> tuple[Floats, Floats]:
    """Weights and bias that act on raw pixels."""
    scale, offset = so_far.normalization
    weight = np.asarray(layer.weight, np.float64)
    outs, ins = weight.shape[:2]
    grouped = weight.reshape(layer.groups, outs // layer.groups, ins, -1)
    per_input = offset.reshape(layer.groups, 1, ins, 1)
    bias = np.asarray(layer.bias) + (grouped * per_input).sum(axis=(2, 3)).reshape(outs)
    scaled = grouped * scale.reshape(layer.groups, 1, ins, 1)
    return scaled.reshape(weight.shape), bias


def _operator(layer: IntConv, sources: Sources) -> Operator:
    def column(array: IntArray) -> Tensor:
        return steps.int64(array).view(-1, 1, 1)

    weighted = _sums(layer, sources)
    bias, masked_bias = column(layer.bias), column(layer.masked_bias)
    mult, shift = column(layer.mult), column(layer.shift)
    signed = steps.signs(layer)

    def run(values: Values) -> Tensor:
        acc = weighted(values).add_(bias)
        if layer.mask:
            active = mask_bits(layer.mask, values).to(torch.bool)[:, :, None, None]
            acc = torch.where(active, acc, masked_bias)
        total = acc.mul_(mult) + steps.residual(values, layer, shift)
        return requantize(total, shift, signed)

    return run


def _sums(layer: IntConv, sources: Sources) -> Operator:
    dtype = exact_dtype(layer.weight, input_signs(layer, sources))
    rows = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    weight = rows.reshape(layer.groups, len(rows) // layer.groups, -1)
    windows = _by_group(layer, sources, dtype)

    def run(values: Values) -> Tensor:
        total = weight @ windows(values)
        return total.view(len(total), *layer.shape).to(torch.int64)

    return run


def _totals(layer: IntConv, sources: Sources) -> Operator:
    """Sums of the inputs that each tap meets, times its weight: one product a weight."""
    kernel, stride = layer.weight.shape[-1], layer.stride
    weight = steps.int64(layer.weight).reshape(layer.groups, -1, layer.weight[0].size)
    pad_value = _pad_value(layer, sources)
    reach = [(size - 1) * stride + 1 for size in layer.shape[1:]]

    def run(values: Values) -> Tensor:
        x = values[layer.x]
        padded = bordered(x.sum(dim=0, keepdim=True), layer.pad, pad_value * len(x))[0]
        taps = [
            padded[:, row : row + reach[0] : stride, column : column + reach[1] : stride]
            for row, column in np.ndindex(kernel, kernel)
        ]
        met = torch.stack([tap.sum(dim=(1, 2)) for tap in taps], dim=1)
        return (weight * met.reshape(layer.groups, 1, -1)).sum(dim=2).flatten()

    return run


def _pad_value(layer: IntConv, sources: Sources) -> Tensor:
    """The integer of each channel of the border, ``(C,)``."""
    source = sources[layer.x]
    if isinstance(source, IntInput):
        return steps.int64(source.pad_value)
    return torch.zeros(source.shape[0], dtype=torch.int64)


def _by_group(layer: IntConv, sources: Sources, dtype: torch.dtype) -> Operator:
    """The function to the windows, ``[N, groups, inputs of an output, pixels]``."""
    kernel, stride, pad = layer.weight.shape[-1], layer.stride, layer.pad
    pad_value = _pad_value(layer, sources)

    def run(values: Values) -> Tensor:
        found = unfold(values[layer.x].to(dtype), kernel, stride, pad, pad_value)
        return found.reshape(len(found), layer.groups, -1, found.shape[-1])

    return run


def _windows(layer: IntConv, sources: Sources) -> Operator:
    by_group = _by_group(layer, sources, torch.float64)
    return lambda values: by_group(values).permute(1, 2, 0, 3).flatten(2)


def _apart(layer: Conv, sums: str) -> tuple[Layer, ...]:
    """The sum, and what the layer does after it, unless an elementwise layer does not do as much:
    a clip, or the sum of a masked channel that is not zero."""
    bare = replace(layer, name=sums, relu=False, clip=None, residual=None, mask=UNMASKED)
    if layer.clip is not None or (layer.mask and np.any(layer.masked_bias)):
        return (bare, layer)
    rest = Eltwise(
        name=layer.name,
        where=layer.where,
        shape=layer.shape,
        x=sums,
        relu=layer.relu,
        residual=layer.residual,
        mask=layer.mask,
    )
    return (bare, rest)


def _skipped(layer: Conv, values: Mapping[str, Tensor], sums: str) -> Tensor | None:
    return steps.skipped(layer, values[sums], values)


def _problems(layer: Conv, image: Input) -> Iterator[Problem]:
    """A convolution may read the image, but not pad it in more ways than the engine can."""
    if image.name in layer.inputs and layer.pad and np.all(np.asarray(image.scale) != 0):
        further = pad_values(image)[PAD_VALUES - 1 :]
        if len(set(further.tolist())) > 1:
            yield Problem(
                layer.where,
                f"pads image channels {PAD_VALUES - 1} and above with different values "
                f"{sorted(set(further.tolist()))}; the engine has one for all of them",
                "normalize these channels alike, or use no padding",
            )


QUANT_KINDS.add(
    "conv",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=True,
        sums=Sums(operator=_sums, totals=_totals, windows=_windows, apart=_apart),
        skipped=_skipped,
        problems=_problems,
    ),
)
