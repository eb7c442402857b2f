"""Results that are never negative, whatever the image."""

from __future__ import annotations

from acsgen.frontend.opgraph import (
    Add,
    ApplyComplement,
    ApplyMask,
    ApplyVector,
    Concat,
    Flatten,
    GlobalAvg,
    OpGraph,
    Pool,
    Relu,
    Sigmoid,
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
    Pool,
)


def never_negative(graph: OpGraph) -> frozenset[str]:
    """Names of the results of which no value is negative, whatever the image."""
    found: set[str] = set()
    for op in graph.ops:
        operands = [name for key in op.reads if key != "mask" for name in _names(getattr(op, key))]
        kept = isinstance(op, _KEEPS_SIGN) and all(name in found for name in operands)
        if kept or isinstance(op, (Relu, Sigmoid)):
            found.add(op.name)
    return frozenset(found)


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)
