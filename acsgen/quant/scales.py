"""Choosing integers: multiplier and shift for a ratio of scales, int8 weights for float ones.

Pure arithmetic on arrays; which scale belongs where is :mod:`acsgen.quant.quantize`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acsgen.ir.format import Format
from acsgen.ir.ranges import INT32_MAX, WEIGHT_MAX, largest_partial_sum
from acsgen.isa.generated import MULT_MAX, SHIFT_MAX, SHIFT_MIN

Floats = NDArray[np.float64]

#: Largest ratio of scales that multiplier and shift can express; results get scales coarse enough.
MAX_RATIO = MULT_MAX / 2**SHIFT_MIN

#: Largest value of an unsigned result.
UNSIGNED_LEVELS = 255

#: Largest magnitude of a bias: half of int32, which leaves the other half to the products.
MAX_BIAS = 2**30

#: Largest magnitude that products may add up to.
MAX_PRODUCTS = INT32_MAX - MAX_BIAS


def encode_ratio(ratio: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Multipliers and shifts with ``mult * 2**-shift`` closest to ``ratio``.

    The multiplier uses all 16 bits (relative error below 2^-16) unless the shift is at its limit;
    ratios below 2^-39 become 0.

    Args:
        ratio: 0 to :data:`MAX_RATIO`, any shape.

    Raises:
        ValueError: a ratio outside that range.
    """
    values = np.asarray(ratio, np.float64)
    if not np.all((values >= 0) & (values <= MAX_RATIO)):
        raise ValueError(f"ratio of scales outside 0..{MAX_RATIO}: {values}")
    _, exponent = np.frexp(values)
    shift = np.clip(16 - exponent, SHIFT_MIN, SHIFT_MAX)
    mult = np.rint(np.ldexp(values, shift))
    carried = (mult > MULT_MAX) & (shift > SHIFT_MIN)
    shift = shift - carried
    mult = np.minimum(np.rint(np.ldexp(values, shift)), MULT_MAX)
    return mult.astype(np.int32), shift.astype(np.int32)


@dataclass(frozen=True)
class IntWeights:
    """Weights in units of the accumulator.

    Attributes:
        weight: the integers, ``(O, I/groups, ...)``.
        acc_scale: real value of one unit of each output's accumulator, ``(O,)``.
        exact: the weights before they were rounded and cut, of the shape of ``weight``.
    """

    weight: NDArray[np.int8]
    acc_scale: Floats
    exact: Floats


def integer_weights(
    weight: NDArray[np.floating],
    x: Format,
    largest_bias: NDArray[np.floating],
    max_acc_scale: float = np.inf,
    groups: int = 1,
    weight_max: int = WEIGHT_MAX,
) -> IntWeights:
    """Int8 weights with a scale per output that no accumulator can overflow with.

    The scales of the inputs go into the weights, so that they may differ from input to input.

    The scale is the finest that holds the largest weight, except: a bias beyond :data:`MAX_BIAS`
    units, or products that could reach beyond int32, make it coarser; ``max_acc_scale`` makes it
    finer, and weights that then exceed ``weight_max`` are cut.

    Args:
        weight: ``(O, I/groups, ...)``.
        x: format of the ``I`` inputs.
        largest_bias: ``(O,)``, largest magnitude among each output's biases, real.
        max_acc_scale: upper limit of an accumulator unit's real value.
        groups: of the inputs and of the outputs.
        weight_max: largest magnitude of an integer weight (:func:`acsgen.ir.ranges.weight_max`).
    """
    flat = weight.reshape(*weight.shape[:2], -1).astype(np.float64)
    scales, signs = (_of_weights(part, flat, groups) for part in (x.scales, x.signs))
    acc_scale = (np.abs(flat) / weight_max * scales).max(axis=(1, 2), initial=0.0)
    acc_scale = np.minimum(acc_scale, max_acc_scale)
    acc_scale = np.maximum(acc_scale, largest_bias / MAX_BIAS)
    least = float(np.min(scales, initial=np.inf))
    acc_scale = np.where(acc_scale > 0, acc_scale, acc_scale.max(initial=0.0) or least)
    while True:
        units = flat / acc_scale[:, None, None] * scales
        integers = np.clip(np.rint(units), -weight_max, weight_max).astype(np.int8)
        reach = largest_partial_sum(integers, signs[..., 0])
        if reach.max(initial=0) <= MAX_PRODUCTS:
            shape = weight.shape
            return IntWeights(integers.reshape(shape), acc_scale, units.reshape(shape))
        acc_scale = acc_scale * np.maximum(reach / MAX_PRODUCTS * 1.01, 1.0)


def _of_weights(part: Callable[[int], NDArray[Any]], flat: Floats, groups: int) -> NDArray[Any]:
    """A part of the inputs' format for the weights ``(O, I/groups, taps)`` that meet them."""
    outs, ins = flat.shape[:2]
    by_group = part(ins * groups).reshape(groups, ins, 1)
    return np.repeat(by_group, outs // groups, axis=0)


def integer_bias(bias: NDArray[np.floating], acc_scale: Floats) -> NDArray[np.int32]:
    """Biases ``(O,)`` in accumulator units, cut at :data:`MAX_BIAS`."""
    return np.clip(np.rint(bias / acc_scale), -MAX_BIAS, MAX_BIAS).astype(np.int32)
