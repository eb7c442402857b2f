"""Orders the work: one step for every instruction.

Layers keep the order of the graph.  A map that is wanted in both layouts gets a copy step, directly
before its first reader of the split layout, so that the copy lives no longer than it must.
"""

from __future__ import annotations

from acsgen.compiler.kinds import kind_of
from acsgen.compiler.layout import Layouts, is_map
from acsgen.compiler.steps import Buffer, Schedule, Step, Store
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.ir.kinds import Stores

#: Where a result that is no map is kept.
_STORES = {Stores.VECTOR: Store.VECTOR, Stores.MASK: Store.MASK, Stores.WIDE: Store.RESULT}


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
    return graph.zero_mask(layer.inputs[0]) if kind_of(layer).leaves_out_zeros else None


def _result(layouts: Layouts, layer: IntLayer) -> Buffer:
    if is_map(layer):
        split = layouts.writes_split(layer.name)
        return Buffer(layer.name, Store.SPLIT if split else Store.RASTER)
    return Buffer(layer.name, _STORES[layer.stores])


def _reads(graph: IntGraph, layouts: Layouts, layer: IntLayer) -> tuple[Buffer, ...]:
    """Return the buffers that a layer reads, in the order of its inputs."""
    found: list[Buffer] = []
    for position, name in enumerate(layer.inputs):
        source = graph[name]
        if not is_map(source):
            found.append(Buffer(name, _STORES[source.stores]))
        else:
            split = position == 0 and (layer.halves or layer.name in layouts.flat)
            found.append(Buffer(name, Store.SPLIT if split else Store.RASTER))
    return tuple(found)
