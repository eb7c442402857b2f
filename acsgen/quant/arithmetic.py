"""The integer arithmetic of the golden model, on torch tensors.

Two things live here: rounding and saturation as :mod:`acsgen.ir.integer` defines them, and sums of
products that are *exact* although a floating-point matrix product computes them (integer ones are
slow in PyTorch).

Why that is exact: every operand is an integer of at most 8 significant bits, which even reduced
precision modes (bfloat16, TF32) keep, so every product is an integer; and a float of ``p``
significand bits adds integers without rounding while all partial sums stay within ``2**p``. A
matrix product adds the products in some order. Whichever order that is, a partial sum is the sum
of a subset of the products, and :func:`acsgen.ir.ranges.largest_partial_sum` bounds all subsets.
Where the bound is below 2^24 float32 is used, else float64 (2^53 is out of reach). Convolutions are
unfolded into such products by hand, since a library's convolution may be computed by Winograd's
algorithm or an FFT, which round.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.format import RANGES
from acsgen.ir.ranges import largest_partial_sum

FLOAT32_EXACT = 2**24


def round_shift(value: Tensor, shift: Tensor | int) -> Tensor:
    """``value / 2**shift`` rounded half away from zero; int64, ``shift`` at least 1."""
    shift = torch.as_tensor(shift, dtype=torch.int64)
    half = torch.ones_like(shift) << (shift - 1)
    # The shift rounds down, so that halves of negative values are one unit further down.
    lower = value.to(torch.int64) >> 63
    return lower.add_(value).add_(half) >> shift


def requantize(value: Tensor, shift: Tensor | int, signed: bool | Tensor) -> Tensor:
    """:func:`round_shift`, then saturation to -128..127 where ``signed``, else 0..255; int16."""
    rounded = round_shift(value, shift)
    if isinstance(signed, bool):
        low, high = RANGES[signed]
        return rounded.clamp_(low, high).to(torch.int16)
    (low, high), (signed_low, signed_high) = RANGES[False], RANGES[True]
    limits = torch.where(signed, signed_low, low), torch.where(signed, signed_high, high)
    return rounded.clamp(*limits).to(torch.int16)


def exact_dtype(weight: NDArray[np.integer], signed: NDArray[np.bool_]) -> torch.dtype:
    """The cheapest float type that adds products of ``weight`` and 8-bit inputs exactly.

    Args:
        weight: ``(O, I, ...)``.
        signed: signs of the inputs, as :func:`acsgen.ir.ranges.largest_partial_sum` takes them.
    """
    bound = int(largest_partial_sum(weight, signed).max(initial=0))
    return torch.float32 if bound < FLOAT32_EXACT else torch.float64


def unfold(x: Tensor, kernel: int, stride: int, pad: int, pad_value: Tensor) -> Tensor:
    """Windows of a map: ``(N, C, H, W)`` to ``(N, C, kernel**2, pixels)``.

    Args:
        x: float map.
        kernel: window side.
        stride: step between windows.
        pad: border on every side.
        pad_value: ``(C,)``, the border's value in each channel.
    """
    x = bordered(x, pad, pad_value)
    n, channels = x.shape[:2]
    if kernel == 1 and stride == 1:
        return x.reshape(n, channels, 1, -1)
    return F.unfold(x, kernel, stride=stride).view(n, channels, kernel**2, -1)


def bordered(x: Tensor, pad: int, pad_value: Tensor) -> Tensor:
    """A map ``(N, C, H, W)`` within a border on every side, whose value is that of the channel."""
    if not pad:
        return x
    n, channels, height, width = x.shape
    shape = (n, channels, height + 2 * pad, width + 2 * pad)
    padded = pad_value.to(x.dtype).view(1, -1, 1, 1).expand(shape).clone()
    padded[:, :, pad : pad + height, pad : pad + width] = x
    return padded
