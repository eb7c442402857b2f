"""Chooses where the parts of concatenated maps lie: in the concatenation itself, where they can.

A map has one place.  Where several concatenations want it, the last one has it: in a dense block it
is the largest, and the earlier ones, whose parts lie in it one behind the other, are slices of it
too.  A part that cannot lie in a concatenation is copied there.
"""

from __future__ import annotations

from acsgen.compiler.steps import Buffer, Slice, Store
from acsgen.ir.integer import IntGraph, IntLayer


def place_parts(graph: IntGraph) -> dict[Buffer, Slice]:
    """Return the place of every buffer that is a slice of another one."""
    slices: dict[Buffer, Slice] = {}
    for layer in reversed(graph.layers):
        if not layer.parts:
            continue
        buffer = Buffer(layer.name, Store.RASTER)
        around = None if buffer in slices else _run_of_slices(graph, layer, slices)
        if around is not None:
            slices[buffer] = around
            continue
        first = 0
        for part in layer.parts:
            slices.setdefault(Buffer(part, Store.RASTER), Slice(buffer, first))
            first += graph[part].shape[0]
    return slices


def _run_of_slices(graph: IntGraph, layer: IntLayer, slices: dict[Buffer, Slice]) -> Slice | None:
    """Return the slice of another map that all parts of a layer make up already, in their order."""
    found = [slices.get(Buffer(part, Store.RASTER)) for part in layer.parts]
    begin = found[0]
    if begin is None:
        return None
    first = begin.first
    for part, place in zip(layer.parts, found, strict=True):
        if place != Slice(begin.parent, first):
            return None
        first += graph[part].shape[0]
    return begin
