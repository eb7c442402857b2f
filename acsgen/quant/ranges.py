"""Ranges of the constants of integer layers, in which no executor overflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from acsgen.ir.integer import INT32_MAX, IntArray
from acsgen.isa.generated import MULT_MAX, SHIFT_MAX, SHIFT_MIN
from acsgen.quant.arithmetic import largest_partial_sum

WEIGHT_MAX = 127


class Weighted(Protocol):
    """A layer that adds up products of weights and values."""

    @property
    def weight(self) -> IntArray:
        """``(O, ...)``."""

    @property
    def bias(self) -> IntArray:
        """``(O,)``."""


class Requantized(Protocol):
    """A layer whose sums are brought to the scale of its result."""

    @property
    def mult(self) -> int | IntArray:
        """Multiplier of the sums, one or ``(O,)``."""

    @property
    def shift(self) -> int | IntArray:
        """Shift of the product, one or ``(O,)``."""


def outside(what: str, values: ArrayLike, low: int, high: int) -> Iterator[str]:
    """That values lie outside a range, in words; nothing if none does."""
    array = np.asarray(values)
    if array.size and (array.min() < low or array.max() > high):
        yield f"{what} in {array.min()}..{array.max()}, allowed {low}..{high}"


def weight_violations(layer: Weighted, signed: bool) -> Iterator[str]:
    """How weights and biases break the contract.

    Accumulators are bounded for every possible input: ``|bias|`` plus the largest partial sum of
    products must stay below 2^31.

    Args:
        layer: any layer with weights.
        signed: whether the values that it reads are signed.
    """
    yield from outside("weight", layer.weight, -WEIGHT_MAX, WEIGHT_MAX)
    reach = largest_partial_sum(layer.weight, signed) + np.abs(layer.bias.astype(np.int64))
    if reach.max(initial=0) > INT32_MAX:
        channel = int(reach.argmax())
        yield f"accumulator of output {channel} can reach {reach[channel]}, beyond int32"


def ratio_violations(layer: Requantized) -> Iterator[str]:
    """How multipliers and shifts break the contract."""
    yield from outside("mult", layer.mult, 0, MULT_MAX)
    yield from outside("shift", layer.shift, SHIFT_MIN, SHIFT_MAX)


def residual_violations(res_mult: int) -> Iterator[str]:
    """How the multiplier of a residual breaks the contract."""
    yield from outside("res_mult", res_mult, 0, MULT_MAX)
