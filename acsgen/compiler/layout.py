"""Chooses how every map is stored: the pitch of its rows, raster or split layout, or both.

A consumer that halves its source reads split layout, every other windowed consumer reads raster.
A pixelwise layer whose result is wanted split can run *flat*: over all blocks of a split source as
if they were one raster plane.  Where both layouts are wanted, the producer writes raster and the
schedule inserts a copy.

The pitch follows from that of the image: a stride-1 result has the pitch of its source, a stride-2
result half of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.isa.generated import MAX_ROW_LOG2
from acsgen.program.map_format import MapFormat, phase_row_log2, row_pixels
from acsgen.support.errors import Problem, UserError

MAP_RANK = 3


@dataclass(frozen=True)
class Layouts:
    """The storage chosen for every map.

    Attributes:
        row_log2: of every map's raster plane, by layer name.
        raster: maps stored in raster layout.
        split: maps stored in split layout; those in both are written raster and copied.
        flat: layers that run over the blocks of a split source, and so write a split result.
    """

    row_log2: dict[str, int]
    raster: frozenset[str]
    split: frozenset[str]
    flat: frozenset[str]

    def format(self, layer: IntLayer, split: bool) -> MapFormat:
        """Return how the map made by ``layer`` is stored in one of its layouts."""
        row_log2 = self.row_log2[layer.name]
        channels, height, width = layer.shape
        return MapFormat(
            channels, height, width, phase_row_log2(row_log2) if split else row_log2, split
        )

    def writes_split(self, name: str) -> bool:
        """Whether the layer itself writes its map in split layout."""
        return name in self.split and name not in self.raster


def is_map(layer: IntLayer) -> bool:
    """Whether a layer's result is a map (and not a vector, a mask or logits)."""
    return len(layer.shape) == MAP_RANK


def choose_layouts(graph: IntGraph) -> Layouts:
    """Choose the storage of every map of ``graph``.

    Raises :class:`UserError` naming every map that is too wide, and every residual whose rows
    cannot be stored like those it is added to.
    """
    row_log2 = _pitches(graph)
    raster: set[str] = set()
    split: set[str] = set()
    flat: set[str] = set()
    for layer in reversed(graph.layers):
        if not is_map(layer):
            continue
        # Parts are written one by one, in raster layout.
        wants_raster, wants_split = bool(layer.parts), False
        flexible: list[str] = []
        for consumer in _consumers(graph, layer.name):
            if consumer.parts:
                wants_raster = True
            elif consumer.halves and layer.name == consumer.inputs[0]:
                wants_split = True
                wants_raster = wants_raster or layer.name in consumer.inputs[1:]
            elif consumer.pixelwise and consumer.name in split - raster:
                flexible.append(consumer.name)
            else:
                wants_raster = True
        if flexible and wants_split and not wants_raster and _split_is_dense(layer, row_log2):
            flat.update(flexible)
        elif flexible or not wants_split:
            wants_raster = True
        if wants_raster:
            raster.add(layer.name)
        if wants_split:
            split.add(layer.name)
    return Layouts(row_log2, frozenset(raster), frozenset(split), frozenset(flat))


def _consumers(graph: IntGraph, name: str) -> Iterable[IntLayer]:
    return (layer for layer in graph if name in layer.inputs)


def _split_is_dense(layer: IntLayer, row_log2: dict[str, int]) -> bool:
    """Whether split layout takes no more blocks than raster, so that running flat costs nothing."""
    channels, height, width = layer.shape
    raster = MapFormat(channels, height, width, row_log2[layer.name], False)
    split = MapFormat(channels, height, width, phase_row_log2(raster.row_log2), True)
    return split.step <= raster.step


def _pitches(graph: IntGraph) -> dict[str, int]:
    """Return the raster ``row_log2`` of every map, for the narrowest rows of the image that do."""
    for first in range(MAX_ROW_LOG2 + 1):
        row_log2 = _propagate(graph, first)
        too_wide = [
            layer
            for layer in graph
            if is_map(layer) and layer.shape[2] > row_pixels(row_log2[layer.name])
        ]
        if not too_wide:
            break
    problems = [
        Problem(
            layer.where or layer.name,
            f"a map {layer.shape[2]} pixels wide does not fit rows of "
            f"{row_pixels(row_log2[layer.name])} pixels",
            "use smaller images, or a stride before this layer",
        )
        for layer in too_wide
    ]
    for layer in graph:
        residual = getattr(layer, "residual", None)
        beside = [("adds", residual)] if residual is not None else []
        if is_map(layer):
            beside += [("concatenates", part) for part in layer.parts]
        problems += [
            Problem(
                layer.where or layer.name,
                f"{verb} {name}, whose rows are stored with another pitch",
                "let both branches have as many stride-2 layers",
            )
            for verb, name in beside
            if row_log2[name] != row_log2[layer.name]
        ]
    if problems:
        raise UserError(problems)
    return row_log2


def _propagate(graph: IntGraph, first: int) -> dict[str, int]:
    row_log2: dict[str, int] = {graph.input.name: first}
    for layer in graph.layers[1:]:
        if is_map(layer):
            source = row_log2[layer.inputs[0]]
            row_log2[layer.name] = phase_row_log2(source) if layer.halves else source
    return row_log2
