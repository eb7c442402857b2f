"""Orders the work: one step for every instruction, with the buffers it reads and writes.

Layers keep the order of the graph.  A map that is wanted in both layouts gets a copy step, directly
before its first reader of the split layout, so that the copy lives no longer than it must.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from acsgen.compiler.allocate import Lifetime
from acsgen.compiler.layout import Layouts, is_map
from acsgen.ir.integer import (
    IntConv,
    IntEltwise,
    IntGate,
    IntGlobalAvg,
    IntGraph,
    IntLayer,
    IntLogits,
    IntPool,
    IntScale,
)


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
        """Return when the buffers in ``stores`` are needed; a result nobody reads, in its step."""
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


def make_schedule(graph: IntGraph, layouts: Layouts) -> Schedule:
    """Return the steps that run ``graph`` with its maps stored as ``layouts`` says."""
    steps: list[Step] = []
    copied: set[str] = set()
    for layer in graph:
        reads = _reads(graph, layouts, layer)
        for buffer in reads:
            both = buffer.name in layouts.raster and buffer.store is Store.SPLIT
            if both and buffer.name not in copied:
                copied.add(buffer.name)
                source = Buffer(buffer.name, Store.RASTER)
                mask = graph.zero_mask(buffer.name)
                steps.append(_step(graph[buffer.name], (source,), buffer, mask, copy=True))
        steps.append(_step(layer, reads, _result(layouts, layer), _source_mask(graph, layer)))
    return Schedule(graph, layouts, tuple(steps))


def _step(
    layer: IntLayer,
    reads: tuple[Buffer, ...],
    writes: Buffer,
    mask: str | None,
    copy: bool = False,
) -> Step:
    masks = () if mask is None else (Buffer(mask, Store.MASK),)
    return Step(layer, (*reads, *masks), writes, mask, copy)


def _source_mask(graph: IntGraph, layer: IntLayer) -> str | None:
    if isinstance(layer, (IntConv, IntEltwise, IntPool, IntGlobalAvg, IntScale)):
        return graph.zero_mask(layer.x)
    return None


def _result(layouts: Layouts, layer: IntLayer) -> Buffer:
    if is_map(layer):
        split = layouts.writes_split(layer.name)
        return Buffer(layer.name, Store.SPLIT if split else Store.RASTER)
    if isinstance(layer, IntGate):
        return Buffer(layer.name, Store.MASK)
    return Buffer(layer.name, Store.RESULT if isinstance(layer, IntLogits) else Store.VECTOR)


def _reads(graph: IntGraph, layouts: Layouts, layer: IntLayer) -> tuple[Buffer, ...]:
    """Return the buffers that a layer reads, in the order of its inputs."""
    found: list[Buffer] = []
    for position, name in enumerate(layer.inputs):
        source = graph[name]
        if isinstance(source, IntGate):
            found.append(Buffer(name, Store.MASK))
        elif not is_map(source):
            found.append(Buffer(name, Store.VECTOR))
        else:
            windowed = isinstance(layer, (IntConv, IntPool)) and layer.stride == 2
            split = position == 0 and (windowed or layer.name in layouts.flat)
            found.append(Buffer(name, Store.SPLIT if split else Store.RASTER))
    return tuple(found)
