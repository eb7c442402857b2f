"""Windows of pools along one axis, as PyTorch lays them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acsgen.frontend.opgraph import Array


@dataclass(frozen=True)
class Axis:
    """Windows along rows or columns: window ``i`` is ``starts[i]`` to ``ends[i]`` (excluded).

    Attributes:
        size: pixels of the axis; windows may lie beyond its ends, in the padding.
        starts: first pixel of each window.
        ends: behind the last pixel of each window.
    """

    size: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def regular(self) -> tuple[int, int] | None:
        """Size and step of windows that are all alike; None if they are not."""
        sizes = {end - start for start, end in zip(self.starts, self.ends, strict=True)}
        steps = set(np.diff(self.starts).tolist()) or set(sizes)
        if len(sizes) > 1 or len(steps) > 1 or 0 in steps:
            return None
        return sizes.pop(), steps.pop()

    def means(self, padding_counts: bool = True) -> Array:
        """The matrix ``(windows, size)`` that averages over each window.

        Args:
            padding_counts: divide by all pixels of a window, not by those of the map alone.
        """
        matrix: Array = np.zeros((len(self.starts), self.size))
        for row, start, end in zip(matrix, self.starts, self.ends, strict=True):
            inside = slice(max(start, 0), min(end, self.size))
            row[inside] = 1.0
            row /= end - start if padding_counts else max(row.sum(), 1.0)
        return matrix


def sliding(size: int, count: int, kernel: int, stride: int, pad: int) -> Axis:
    """So many windows at a stride; those of ``ceil_mode`` end where the padding does."""
    starts = tuple(step * stride - pad for step in range(count))
    return Axis(size, starts, tuple(min(start + kernel, size + pad) for start in starts))


def adaptive(size: int, count: int) -> Axis:
    """Windows of an adaptive pool, which may overlap and differ in size."""
    starts = tuple(place * size // count for place in range(count))
    return Axis(size, starts, tuple(-(-(place + 1) * size // count) for place in range(count)))
