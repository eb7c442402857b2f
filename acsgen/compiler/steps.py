"""The steps of a network: one for every instruction, with the buffers it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from acsgen.compiler.allocate import Lifetime
from acsgen.compiler.layout import Layouts
from acsgen.ir.integer import IntGraph, IntLayer


class Store(Enum):
    """Where a result is kept."""

    RASTER = "raster map"
    SPLIT = "split map"
    VECTOR = "vector"
    MASK = "mask"
    RESULT = "result buffer"


@dataclass(frozen=True)
class Buffer:
    """A layer's result in one of its stores."""

    name: str
    store: Store


@dataclass(frozen=True)
class Step:
    """One instruction to be: a layer, or the copy of its map into split layout.

    ``source_mask`` is the mask whose 0 bits mark channels of the source that are zero throughout
    and need not be read; it is among ``reads``.
    """

    layer: IntLayer
    reads: tuple[Buffer, ...]
    writes: Buffer
    source_mask: str | None
    copy: bool = False


@dataclass(frozen=True)
class Schedule:
    """The steps in order."""

    graph: IntGraph
    layouts: Layouts
    steps: tuple[Step, ...]

    def lifetimes(self, stores: set[Store], sizes: dict[Buffer, int]) -> list[Lifetime[Buffer]]:
        """Return when the buffers in ``stores`` are needed: an unread result, in its own step."""
        first: dict[Buffer, int] = {}
        last: dict[Buffer, int] = {}
        for index, step in enumerate(self.steps):
            first[step.writes] = index
            for buffer in (step.writes, *step.reads):
                last[buffer] = index
        return [
            Lifetime(buffer, sizes[buffer], start, last[buffer])
            for buffer, start in first.items()
            if buffer.store in stores
        ]
