"""Chooses where the parts of concatenated maps and of joined vectors lie: in the whole itself,
where they can.

A result has one place.  Where several concatenations want it, the last one has it: in a dense block
it is the largest, and the earlier ones, whose parts lie in it one behind the other, are slices of
it too.  A map that cannot lie in a concatenation is copied there.
"""

from __future__ import annotations

from collections.abc import Iterator

from acsgen.compiler.layout import is_map
from acsgen.compiler.steps import Buffer, Slice, Store
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.isa.generated import WORD_BYTES


def place_parts(graph: IntGraph) -> dict[Buffer, Slice]:
    """Return the place of every buffer that is a slice of another one."""
    slices: dict[Buffer, Slice] = {}
    for layer in reversed(graph.layers):
        if not layer.parts:
            continue
        buffer = _buffer(layer)
        around = None if buffer in slices else _run_of_slices(graph, layer, slices)
        if around is not None:
            slices[buffer] = around
            continue
        first = 0
        for part in layer.parts:
            slices.setdefault(_buffer(graph[part]), Slice(buffer, first))
            first += _size(graph, part)
    return slices


def lies_in(slices: dict[Buffer, Slice], part: Buffer, wanted: Slice) -> bool:
    """Whether a part lies where it is wanted, be it as a slice of what is around both of them."""
    found = slices.get(part)
    around = slices.get(wanted.parent)
    return found == wanted or (
        around is not None and found == Slice(around.parent, around.first + wanted.first)
    )


def misplaced(graph: IntGraph, layer: IntLayer) -> Iterator[str]:
    """Yield the parts of a layer that do not lie in it."""
    slices, whole, first = place_parts(graph), _buffer(layer), 0
    for part in layer.parts:
        if not lies_in(slices, _buffer(graph[part]), Slice(whole, first)):
            yield part
        first += _size(graph, part)


def _buffer(layer: IntLayer) -> Buffer:
    return Buffer(layer.name, Store.RASTER if is_map(layer) else Store.VECTOR)


def _size(graph: IntGraph, name: str) -> int:
    """Channels of a map, or words of a vector, each part of which begins with a word of its own."""
    layer = graph[name]
    if is_map(layer):
        return layer.shape[0]
    if layer.parts:
        return sum(_size(graph, part) for part in layer.parts)
    return -(-layer.shape[0] // WORD_BYTES)


def _run_of_slices(graph: IntGraph, layer: IntLayer, slices: dict[Buffer, Slice]) -> Slice | None:
    """Return the slice of another whole that all parts of a layer make up already, in order."""
    found = [slices.get(_buffer(graph[part])) for part in layer.parts]
    begin = found[0]
    if begin is None:
        return None
    first = begin.first
    for part, place in zip(layer.parts, found, strict=True):
        if place != Slice(begin.parent, first):
            return None
        first += _size(graph, part)
    return begin
