"""Ranges of the constants of integer layers, in which no executor overflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.grammar import Constant, Relation, Sources, relation
from acsgen.isa.generated import MULT_MAX, SHIFT_MAX, SHIFT_MIN

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1
WEIGHT_MAX = 127

#: Width of a stored weight, and the least width that weights can be quantized to.
WEIGHT_BITS, MIN_WEIGHT_BITS = 8, 4


def weight_max(bits: int) -> int:
    """Return the largest magnitude of a weight that is quantized to a width of ``bits``.

    The engine stores :data:`WEIGHT_BITS` for every weight; fewer bits are a smaller range of them.
    There is no -2^(bits-1), so that a weight and its negative are both there.

    Raises:
        ValueError: not :data:`MIN_WEIGHT_BITS` to :data:`WEIGHT_BITS`.
    """
    if not MIN_WEIGHT_BITS <= bits <= WEIGHT_BITS:
        raise ValueError(f"weights have {MIN_WEIGHT_BITS} to {WEIGHT_BITS} bits, not {bits}")
    return (1 << (bits - 1)) - 1


def weights(dims: str) -> Constant:
    """Weights."""
    return Constant(dims, -WEIGHT_MAX, WEIGHT_MAX)


def sums(dims: str) -> Constant:
    """Biases and thresholds, which are in the units of an accumulator."""
    return Constant(dims, INT32_MIN, INT32_MAX)


def multiplier(dims: str) -> Constant:
    """Multipliers of a requantization."""
    return Constant(dims, 0, MULT_MAX)


def shift(dims: str) -> Constant:
    """Shifts of a requantization."""
    return Constant(dims, SHIFT_MIN, SHIFT_MAX)


def largest_partial_sum(
    weight: NDArray[np.integer], signed: bool | NDArray[np.bool_]
) -> NDArray[np.int64]:
    """For each output, the largest ``|sum|`` over any subset of its products with any 8-bit inputs.

    Args:
        weight: ``(O, I, ...)`` integers.
        signed: whether inputs are -128..127 or 0..255: of all inputs, or ``(O, I)`` or ``(1, I)``
            for those that the second dimension counts.

    Returns:
        ``(O,)``.
    """
    flat = weight.reshape(*weight.shape[:2], -1).astype(np.int64)
    signs = np.broadcast_to(np.atleast_2d(signed), flat.shape[:2])[..., None]
    low, high = np.where(signs, -128, 0), np.where(signs, 127, 255)
    positive, negative = np.maximum(flat, 0), np.maximum(-flat, 0)
    upwards = (positive * high - negative * low).sum(axis=(1, 2))
    downwards = (negative * high - positive * low).sum(axis=(1, 2))
    return np.asarray(np.maximum(upwards, downwards), np.int64)


def input_signs(layer: Any, sources: Sources) -> NDArray[np.bool_]:
    """The signs of the inputs of a layer with weights, as :func:`largest_partial_sum` takes them.

    Args:
        layer: an integer layer with ``weight`` ``(O, I/groups, ...)`` and perhaps ``groups``.
        sources: the integer layers that it reads.
    """
    source: Any = sources[layer.x]
    groups = getattr(layer, "groups", 1)
    signs = source.format.signs(layer.weight.shape[1] * groups).reshape(groups, -1)
    return np.repeat(signs, len(layer.weight) // groups, axis=0)


@relation("no input makes a sum of products and bias leave int32", of_integers=True)
def _accumulates(layer: Any, sources: Sources) -> Iterator[str]:
    reach = largest_partial_sum(layer.weight, input_signs(layer, sources))
    reach = reach + np.abs(layer.bias.astype(np.int64))
    if reach.max(initial=0) > INT32_MAX:
        channel = int(reach.argmax())
        yield f"accumulator of output {channel} can reach {reach[channel]}, beyond int32"


#: Of every layer with weights.
ACCUMULATES: Relation = _accumulates
