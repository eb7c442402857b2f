"""Steps that several kinds quantize, or run, alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from acsgen.ir.integer import (
    IntArray,
    IntConv,
    IntEltwise,
    IntFullyConnected,
)
from acsgen.ir.layers import Conv, Eltwise, FullyConnected, Layer, Linear
from acsgen.isa.generated import SHIFT_MIN
from acsgen.quant.arithmetic import exact_dtype
from acsgen.quant.kinds.base import Operator, Quantization, Sources, Sums, Values
from acsgen.quant.scales import MAX_RATIO, encode_ratio

#: Ratios are kept this far below the largest, so that rounding cannot push them over it.
RATIO_LIMIT = MAX_RATIO * (1 - 1e-6)


def int64(array: IntArray) -> Tensor:
    """The array as a tensor."""
    return torch.as_tensor(np.asarray(array, np.int64))


def one_ratio(ratio: float) -> tuple[int, int]:
    """Multiplier and shift of a layer that has one of each."""
    mult, shift = encode_ratio(ratio)
    return int(mult), int(shift)


# -- residuals and masks ---------------------------------------------------------------------------


def residual_scale(layer: Conv | Eltwise, so_far: Quantization) -> float:
    """Scale of the residual, 0 without one."""
    return 0.0 if layer.residual is None else so_far.done[layer.residual].scale


def residual_mult(res_scale: float, scale: float) -> int:
    """Multiplier of a residual in units of the result."""
    return int(np.rint(res_scale / scale * 2**SHIFT_MIN))


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
    if layer.mask is None:
        return None
    if layer.residual is not None:
        opened = opened + values[layer.residual]
    if layer.relu:
        opened = opened.clamp(min=0)
    closed = 1.0 - values[layer.mask].to(opened.dtype)
    return opened * closed.view(closed.shape + (1,) * (opened.dim() - 2))


# -- weighted sums over a vector -------------------------------------------------------------------


def _vector_sums(layer: IntFullyConnected, sources: Sources) -> Operator:
    dtype = exact_dtype(layer.weight, sources[layer.x].signed)
    rows = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    return lambda values: (values[layer.x].to(dtype) @ rows.T).to(torch.int64)


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
VECTOR_SUMS = Sums(operator=_vector_sums, apart=_vector_apart)
