"""Steps that several kinds quantize, or run, alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from acsgen.frontend.masks import mask_bits
from acsgen.ir.format import Format
from acsgen.ir.integer import (
    IntArray,
    IntConv,
    IntEltwise,
    IntFullyConnected,
    IntLayer,
)
from acsgen.ir.layers import Conv, Eltwise, FullyConnected, Layer, Linear
from acsgen.ir.ranges import input_signs
from acsgen.isa.generated import SHIFT_MIN
from acsgen.quant.arithmetic import exact_dtype
from acsgen.quant.kinds.base import Operator, Quantization, Sources, Sums, Values
from acsgen.quant.scales import MAX_RATIO, UNSIGNED_LEVELS, Floats, encode_ratio
from acsgen.support.errors import Problem, UserError

#: Ratios are kept this far below the largest, so that rounding cannot push them over it.
RATIO_LIMIT = MAX_RATIO * (1 - 1e-6)


def int64(array: IntArray) -> Tensor:
    """The array as a tensor."""
    return torch.as_tensor(np.asarray(array, np.int64))


def one_ratio(ratio: float) -> tuple[int, int]:
    """Multiplier and shift of a layer that has one of each."""
    mult, shift = encode_ratio(ratio)
    return int(mult), int(shift)


def clip_scale(clip: float) -> float:
    """The scale with which an unsigned result saturates at ``clip``."""
    return clip / UNSIGNED_LEVELS


def clipped(result: Format, clip: float | None) -> Format:
    """The format of a result that its network cuts at ``clip``: none of its channels reaches over
    it, and those that reach it saturate there."""
    if clip is None:
        return result
    if result.one_scale is not None:
        return Format(min(result.one_scale, clip_scale(clip)), result.signed)
    scales = np.minimum(np.asarray(result.scale), clip_scale(clip))
    return Format.by_channel(scales, result.signs(len(scales)))


def clip_limit(clip: float | None) -> float:
    """The largest unit of sums from which a result with :func:`clip_scale` can be made."""
    return np.inf if clip is None else clip_scale(clip) * RATIO_LIMIT


# -- residuals and masks ---------------------------------------------------------------------------


def residual_scales(layer: Conv | Eltwise, so_far: Quantization) -> Floats:
    """Scales of the residual by channel, 0 without one."""
    channels = layer.shape[0]
    if layer.residual is None:
        return np.zeros(channels)
    return so_far.done[layer.residual].format.scales(channels)


def result_format(
    layer: Layer,
    so_far: Quantization,
    units: Floats,
    signed: bool | tuple[bool, ...],
    beside: Floats | None = None,
    otherwise: float = 0.0,
) -> tuple[Format, float]:
    """The format of a result that one multiplier and shift for all channels can make.

    Args:
        layer: whose result it is.
        so_far: the quantization.
        units: real value by channel of one unit of the sums, ``(C,)``.
        signed: of the result.
        beside: real value by channel of one unit of what is added to the sums, ``(C,)``.
        otherwise: the scale of a result that is zero for every image, where it is known.

    Returns:
        The format, and the ratio of the units to its scales.
    """
    some_signed = bool(np.any(signed))
    least = float(units.min())
    largest = units if beside is None else np.maximum(units, beside)
    if np.all(units == least):
        limit = float(largest.max()) / RATIO_LIMIT
        best = so_far.result_scale(layer, some_signed, limit, otherwise)
        return Format(best, signed), least / best
    at_least = float((largest / units).max()) / RATIO_LIMIT
    factor = max(so_far.scale_beside(layer, units, some_signed), at_least)
    return Format.by_channel(units * factor, np.broadcast_to(signed, len(units))), 1 / factor


def residual_mult(where: str, res_scales: Floats, scales: Floats) -> int:
    """Multiplier of a residual in units of the result; scales are given by channel.

    Raises:
        UserError: the channels of the residual and of the result are scaled differently, so that no
            one multiplier does.
    """
    mults = np.rint(res_scales / scales * 2**SHIFT_MIN)
    if np.any(mults != mults[0]):
        raise UserError(
            Problem(
                where,
                "adds two maps whose channels are scaled differently",
                "put a 1x1 convolution on one of them",
            )
        )
    return int(mults[0])


def signs(layer: IntLayer) -> bool | Tensor:
    """The sign of a result, of all channels or to go with the channels ``[N, C, ...]``."""
    signed = layer.format.one_sign
    if signed is not None:
        return signed
    by_channel = torch.as_tensor(layer.format.signs(layer.shape[0]).copy())
    return by_channel.view(-1, *(1,) * (len(layer.shape) - 1))


def residual(values: Values, layer: IntConv | IntEltwise, shift: Tensor | int) -> Tensor | int:
    """The residual term of the sum that is requantized, in units of ``2**-shift``."""
    if layer.residual is None:
        return 0
    scaled = values[layer.residual].to(torch.int64) * layer.res_mult
    return scaled << (shift - SHIFT_MIN)


def skipped(layer: Conv | Eltwise, opened: Tensor, values: Mapping[str, Tensor]) -> Tensor | None:
    """The result that a masked layer would have where its mask is 0; zero elsewhere.

    Args:
        layer: of a float graph.
        opened: what it computes before residual and ReLU where its mask is 1.
        values: all results.
    """
    if not layer.mask:
        return None
    if layer.residual is not None:
        opened = opened + values[layer.residual]
    if layer.relu:
        opened = opened.clamp(min=0)
    closed = 1.0 - mask_bits(layer.mask, values).to(opened.dtype)
    return opened * closed.view(closed.shape + (1,) * (opened.dim() - 2))


# -- weighted sums over a vector -------------------------------------------------------------------


def _vector_sums(layer: IntFullyConnected, sources: Sources) -> Operator:
    dtype = exact_dtype(layer.weight, input_signs(layer, sources))
    rows = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    return lambda values: (values[layer.x].to(dtype) @ rows.T).to(torch.int64)


def _vector_totals(layer: IntFullyConnected, sources: Sources) -> Operator:
    rows = int64(layer.weight)
    return lambda values: (rows * values[layer.x].sum(dim=0)).sum(dim=1)


def _vector_windows(layer: IntFullyConnected, sources: Sources) -> Operator:
    return lambda values: values[layer.x].to(torch.float64).T[None]


def _vector_apart(layer: FullyConnected, sums: str) -> tuple[Layer, ...]:
    """The sum as a layer beside it: vectors are small enough to be summed twice."""
    beside = Linear(
        name=sums,
        where=layer.where,
        shape=layer.shape,
        x=layer.x,
        weight=layer.weight,
        bias=layer.bias,
        activation="none",
    )
    return (beside, layer)


#: Of the kinds that multiply a vector with a matrix.
VECTOR_SUMS = Sums(
    operator=_vector_sums,
    totals=_vector_totals,
    windows=_vector_windows,
    apart=_vector_apart,
)
