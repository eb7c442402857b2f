"""Quantizes one layer at a time, given the integer layers before it.

What each kind of result is scaled by is decided here. A result's scale is never finer than
multiplier and shift can express (:data:`acsgen.quant.scales.MAX_RATIO`), residual included.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import numpy as np

from acsgen.ir.integer import (
    IntConv,
    IntEltwise,
    IntFlatten,
    IntGate,
    IntGlobalAvg,
    IntInput,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.ir.layers import (
    Conv,
    Eltwise,
    Flatten,
    Gate,
    GlobalAvg,
    Input,
    Layer,
    Linear,
    Logits,
    Pool,
    Scale,
)
from acsgen.isa.generated import SHIFT_MIN, SIGMOID_FRACTION_BITS
from acsgen.quant.checks import pad_pixels, pad_values
from acsgen.quant.progress import Progress, warn
from acsgen.quant.scales import MAX_RATIO, Floats, encode_ratio, integer_bias, integer_weights
from acsgen.quant.thresholds import integer_threshold

SIGMOID_SCALE = 1 / 256
ARGUMENT_SCALE = 2.0**-SIGMOID_FRACTION_BITS
#: Ratios are kept this far below the largest, so that rounding cannot push them over it.
RATIO_LIMIT = MAX_RATIO * (1 - 1e-6)


@singledispatch
def quantize_layer(layer: Layer, progress: Progress) -> IntLayer:
    """The integer layer for ``layer``, whose inputs are already in ``progress.done``."""
    raise TypeError(f"{layer.name}: {type(layer).__name__} is no layer of a layer graph")


@quantize_layer.register
def _input(layer: Input, progress: Progress) -> IntLayer:
    beyond = [
        f"channel {c}: {p:.1f}" for c, p in enumerate(pad_pixels(layer)) if not -0.5 <= p <= 255.5
    ]
    if beyond:
        warn(
            f"{layer.where}: the pixel that normalizes to zero lies outside 0..255 "
            f"({', '.join(beyond)}); padding uses the nearest"
        )
    return IntInput(layer.name, layer.where, layer.shape, False, 1.0, pad_value=pad_values(layer))


@quantize_layer.register
def _conv(layer: Conv, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    weight = np.asarray(layer.weight, np.float64)
    bias = np.asarray(layer.bias, np.float64)
    if isinstance(x, IntInput):
        weight, bias = _fold_normalization(layer, progress)
    largest_bias = np.maximum(np.abs(bias), np.abs(layer.masked_bias))
    integers = integer_weights(weight, x.scale, x.signed, largest_bias)
    acc_scale = integers.acc_scale
    res_scale = _residual_scale(layer, progress)
    at_least = max(acc_scale.max(), res_scale) / RATIO_LIMIT
    scale = progress.result_scale(layer, not layer.relu, at_least)
    mult, shift = encode_ratio(acc_scale / scale)
    draft = IntConv(
        layer.name,
        layer.where,
        layer.shape,
        signed=not layer.relu,
        scale=scale,
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
        res_mult=_res_mult(res_scale, scale),
        mask=layer.mask,
    )
    return replace(draft, bias=progress.matched_bias(draft, acc_scale))


def _fold_normalization(layer: Conv, progress: Progress) -> tuple[Floats, Floats]:
    """Weights and bias that act on raw pixels."""
    scale, offset = progress.normalization
    weight = np.asarray(layer.weight, np.float64)
    outs, ins = weight.shape[:2]
    grouped = weight.reshape(layer.groups, outs // layer.groups, ins, -1)
    per_input = offset.reshape(layer.groups, 1, ins, 1)
    bias = np.asarray(layer.bias) + (grouped * per_input).sum(axis=(2, 3)).reshape(outs)
    scaled = grouped * scale.reshape(layer.groups, 1, ins, 1)
    return scaled.reshape(weight.shape), bias


@quantize_layer.register
def _eltwise(layer: Eltwise, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    res_scale = _residual_scale(layer, progress)
    res_signed = layer.residual is not None and progress.done[layer.residual].signed
    signed = not layer.relu and (x.signed or res_signed)
    if layer.residual is None and signed == x.signed:
        scale = x.scale
    else:
        scale = progress.result_scale(layer, signed, max(x.scale, res_scale) / RATIO_LIMIT)
    mult, shift = _one_ratio(x.scale / scale)
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
        res_mult=_res_mult(res_scale, scale),
        mask=layer.mask,
    )


@quantize_layer.register
def _pool(layer: Pool, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    scale, mult, shift = x.scale, 0, SHIFT_MIN
    if layer.mode == "avg":
        unit = x.scale / layer.kernel**2
        scale = progress.result_scale(layer, x.signed, unit / RATIO_LIMIT)
        mult, shift = _one_ratio(unit / scale)
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


@quantize_layer.register
def _global_avg(layer: GlobalAvg, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    unit = x.scale / (x.shape[1] * x.shape[2])
    scale = progress.result_scale(layer, x.signed, unit / RATIO_LIMIT)
    mult, shift = _one_ratio(unit / scale)
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


@quantize_layer.register
def _flatten(layer: Flatten, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    return IntFlatten(layer.name, layer.where, layer.shape, x.signed, x.scale, x=layer.x)


@quantize_layer.register
def _scale(layer: Scale, progress: Progress) -> IntLayer:
    x, vector = progress.done[layer.x], progress.done[layer.vector]
    unit, signed = x.scale * vector.scale, x.signed or vector.signed
    scale = progress.result_scale(layer, signed, unit / RATIO_LIMIT)
    mult, shift = _one_ratio(unit / scale)
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


@quantize_layer.register
def _linear(layer: Linear, progress: Progress) -> IntLayer:
    x, sigmoid = progress.done[layer.x], layer.activation == "sigmoid"
    limit = ARGUMENT_SCALE * RATIO_LIMIT if sigmoid else np.inf
    integers = integer_weights(layer.weight, x.scale, x.signed, np.abs(layer.bias), limit)
    acc_scale = integers.acc_scale
    signed = layer.activation == "none"
    if sigmoid:
        scale, target = SIGMOID_SCALE, max(ARGUMENT_SCALE, acc_scale.max() / RATIO_LIMIT)
    else:
        scale = target = progress.result_scale(layer, signed, acc_scale.max() / RATIO_LIMIT)
    mult, shift = encode_ratio(acc_scale / target)
    draft = IntLinear(
        layer.name,
        layer.where,
        layer.shape,
        signed=signed,
        scale=scale,
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), acc_scale),
        mult=mult,
        shift=shift,
        sigmoid=sigmoid,
    )
    return replace(draft, bias=progress.matched_bias(draft, acc_scale))


@quantize_layer.register
def _logits(layer: Logits, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    integers = integer_weights(layer.weight, x.scale, x.signed, np.abs(layer.bias))
    scale = float(integers.acc_scale.max())
    mult, shift = encode_ratio(integers.acc_scale / scale)
    draft = IntLogits(
        layer.name,
        layer.where,
        layer.shape,
        signed=True,
        scale=scale,
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), integers.acc_scale),
        mult=mult,
        shift=shift,
    )
    return replace(draft, bias=progress.matched_bias(draft, integers.acc_scale))


@quantize_layer.register
def _gate(layer: Gate, progress: Progress) -> IntLayer:
    x = progress.done[layer.x]
    integers = integer_weights(layer.weight, x.scale, x.signed, np.abs(layer.bias))
    draft = IntGate(
        layer.name,
        layer.where,
        layer.shape,
        signed=False,
        scale=1.0,
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), integers.acc_scale),
        threshold=integer_threshold(layer.threshold, integers.acc_scale),
        acc_scale=integers.acc_scale,
        alpha=layer.threshold,
    )
    return replace(draft, bias=progress.matched_bias(draft, integers.acc_scale))


def _residual_scale(layer: Conv | Eltwise, progress: Progress) -> float:
    """Scale of the residual, 0 without one."""
    return 0.0 if layer.residual is None else progress.done[layer.residual].scale


def _one_ratio(ratio: float) -> tuple[int, int]:
    mult, shift = encode_ratio(ratio)
    return int(mult), int(shift)


def _res_mult(res_scale: float, scale: float) -> int:
    return int(np.rint(res_scale / scale * 2**SHIFT_MIN))
