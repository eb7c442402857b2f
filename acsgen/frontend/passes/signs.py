"""Results that are never negative, whatever the image."""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import (
    Add,
    Affine,
    ApplyComplement,
    ApplyMask,
    ApplyVector,
    Clip,
    Concat,
    Flatten,
    GeneralConv,
    GlobalAvg,
    Image,
    Op,
    OpGraph,
    Pad,
    Pool,
    Relu,
    Sigmoid,
    Slice,
)

#: Operations without a negative result where no operand is negative.
_KEEPS_SIGN = (
    Add,
    ApplyComplement,
    ApplyMask,
    ApplyVector,
    Concat,
    Flatten,
    GlobalAvg,
    Pad,
    Pool,
    Slice,
)


def never_negative(graph: OpGraph) -> frozenset[str]:
    """Names of the results of which no value is negative, whatever the image."""
    found: set[str] = set()
    for op in graph.ops:
        operands = [name for key in op.reads if key != "mask" for name in _names(getattr(op, key))]
        kept = isinstance(op, _KEEPS_SIGN) and all(name in found for name in operands)
        if kept or isinstance(op, (Relu, Sigmoid)) or _by_itself(op, found):
            found.add(op.name)
    return frozenset(found)


def _by_itself(op: Op, found: set[str]) -> bool:
    """Whether constants of the operation keep its result from being negative."""
    if isinstance(op, Clip):
        return op.low >= 0
    if isinstance(op, Image):
        return bool(np.all(op.scale >= 0) and np.all(op.offset >= 0))  # pixels are not negative
    if isinstance(op, GeneralConv):
        return op.x in found and bool(np.all(op.weight >= 0) and np.all(op.bias >= 0))
    if isinstance(op, Affine):
        return op.x in found and bool(np.all(op.scale >= 0) and np.all(op.offset >= 0))
    return False


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)
