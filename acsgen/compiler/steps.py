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
    """A layer's result in one of its stores.

    ``copy`` tells the copies of a map apart that fill slices of other maps; the map itself has
    none.
    """

    name: str
    store: Store
    copy: str = ""


@dataclass(frozen=True)
class Slice:
    """The place of a buffer within its parent: from the channel ``first`` of a map on, or from the
    word ``first`` of a vector."""

    parent: Buffer
    first: int


@dataclass(frozen=True)
class Step:
    """One instruction to be: a layer, or the copy of its map into another buffer.

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
    """The steps in order.

    ``slices`` has the place of every buffer that is a part of another one; the others are
    allocated.
    """

    graph: IntGraph
    layouts: Layouts
    steps: tuple[Step, ...]
    slices: dict[Buffer, Slice]

    def place(self, buffer: Buffer) -> tuple[Buffer, int]:
        """Return the allocated buffer that a buffer lies in, and its first channel or word."""
        first = 0
        while buffer in self.slices:
            first += self.slices[buffer].first
            buffer = self.slices[buffer].parent
        return buffer, first

    def allocated(self) -> tuple[Buffer, ...]:
        """Return the buffers that need a place of their own, in the order of their first use."""
        return tuple(dict.fromkeys(self.place(step.writes)[0] for step in self.steps))

    def lifetimes(self, stores: set[Store], sizes: dict[Buffer, int]) -> list[Lifetime[Buffer]]:
        """Return when the allocated buffers in ``stores`` are needed: from the first write of any
        of their slices to the last read of any; an unread result, in its own step."""
        first: dict[Buffer, int] = {}
        last: dict[Buffer, int] = {}
        for index, step in enumerate(self.steps):
            first.setdefault(self.place(step.writes)[0], index)
            for buffer in (step.writes, *step.reads):
                last[self.place(buffer)[0]] = index
        return [
            Lifetime(buffer, sizes[buffer], start, last[buffer])
            for buffer, start in first.items()
            if buffer.store in stores
        ]
