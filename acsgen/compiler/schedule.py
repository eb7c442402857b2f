"""Orders the work: one step for every instruction.

Layers keep the order of the graph.  A map that is wanted in both layouts gets a copy step, directly
before its first reader of the split layout, so that the copy lives no longer than it must.  A layer
that is placement alone has no step: its parts are written where its result lies, and only a part
that has to lie elsewhere is copied.
"""

from __future__ import annotations

from collections.abc import Iterator

from acsgen.compiler.kinds import kind_of
from acsgen.compiler.layout import Layouts, is_map
from acsgen.compiler.placement import lies_in, place_parts
from acsgen.compiler.steps import Buffer, Schedule, Slice, Step, Store
from acsgen.ir.grammar import Stores
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.ir.masks import one_mask

#: Where a result that is no map is kept.
_STORES = {Stores.VECTOR: Store.VECTOR, Stores.MASK: Store.MASK, Stores.WIDE: Store.RESULT}


def make_schedule(graph: IntGraph, layouts: Layouts) -> Schedule:
    """Return the steps that run ``graph`` with its maps stored as ``layouts`` says."""
    steps: list[Step] = []
    copied: set[str] = set()
    slices = place_parts(graph)
    for layer in graph:
        if layer.parts:
            if is_map(layer):
                steps += _copied_parts(graph, layer, slices)
            continue
        reads = _reads(graph, layouts, layer)
        for buffer in reads:
            both = buffer.name in layouts.raster and buffer.store is Store.SPLIT
            if both and buffer.name not in copied:
                copied.add(buffer.name)
                source = Buffer(buffer.name, Store.RASTER)
                mask = one_mask(graph.source_mask(buffer.name))
                steps.append(_step(graph[buffer.name], (source,), buffer, mask, copy=True))
        steps.append(_step(layer, reads, _result(layouts, layer), _source_mask(graph, layer)))
    return Schedule(graph, layouts, tuple(steps), slices)


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
    if not kind_of(layer).leaves_out_zeros:
        return None
    return one_mask(graph.source_mask(layer.inputs[0]))


def _copied_parts(graph: IntGraph, whole: IntLayer, slices: dict[Buffer, Slice]) -> Iterator[Step]:
    """Return the copies of those parts of a map that do not lie in it; they then do."""
    target = Buffer(whole.name, Store.RASTER)
    first = 0
    for part in whole.parts:
        source = Buffer(part, Store.RASTER)
        if not lies_in(slices, source, Slice(target, first)):
            copy = Buffer(part, Store.RASTER, f"{whole.name}[{first}]")
            slices[copy] = Slice(target, first)
            mask = one_mask(graph.source_mask(part))
            yield _step(graph[part], (source,), copy, mask, copy=True)
        first += graph[part].shape[0]


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
