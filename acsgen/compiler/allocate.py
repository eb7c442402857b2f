"""Gives every buffer a place in a memory for the time in which it is needed.

Buffers that are alive in the same step never overlap.  One algorithm serves the feature memory, the
vector memory and the mask registers.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Lifetime(Generic[Key]):
    """A buffer of ``size`` units, needed from step ``first`` to step ``last``, both included."""

    key: Key
    size: int
    first: int
    last: int

    def meets(self, other: Lifetime[Key]) -> bool:
        """Whether both are needed in some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Allocation(Generic[Key]):
    """Offsets by buffer key, and the memory that they need."""

    offsets: dict[Key, int]
    size: int


def allocate(buffers: Sequence[Lifetime[Key]]) -> Allocation[Key]:
    """Place all buffers in as little memory as a few greedy orders find.

    Each buffer in turn goes to the smallest gap that holds it (best fit).  The orders: by size, by
    size times lifetime, by time, by lifetime.
    """
    orders = (
        sorted(buffers, key=lambda b: (-b.size, b.first)),
        sorted(buffers, key=lambda b: (-b.size * (b.last - b.first + 1), b.first)),
        sorted(buffers, key=lambda b: (b.first, -b.size)),
        sorted(buffers, key=lambda b: (b.first - b.last, -b.size)),
    )
    return min((_place(order) for order in orders), key=lambda a: a.size)


def _place(buffers: Sequence[Lifetime[Key]]) -> Allocation[Key]:
    placed: list[tuple[int, Lifetime[Key]]] = []
    offsets: dict[Key, int] = {}
    for buffer in buffers:
        taken = sorted((at, at + b.size) for at, b in placed if b.meets(buffer))
        gaps: list[tuple[int, int]] = []
        end = 0
        for start, stop in taken:
            if start - end >= buffer.size:
                gaps.append((start - end, end))
            end = max(end, stop)
        offset = min(gaps)[1] if gaps else end
        placed.append((offset, buffer))
        offsets[buffer.key] = offset
    return Allocation(offsets, max((at + b.size for at, b in placed), default=0))


def peak(buffers: Sequence[Lifetime[Key]]) -> tuple[int, int]:
    """Return the largest sum of sizes alive in one step, and the first step in which it occurs."""
    best = (0, 0)
    for step in sorted({b.first for b in buffers}):
        size = sum(b.size for b in buffers if b.first <= step <= b.last)
        if size > best[0]:
            best = (size, step)
    return best
