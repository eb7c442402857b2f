"""Averages before a classifier that are stored several times, each rounded elsewhere.

A network whose classes lie close together decides by the last bits of the averages that its
classifier reads, and these have 8.  No scale and no weight brings back what was rounded away; two
bits more do.  The engine stores no wider vectors, but it can store the same one four times: with

    v[k] = round(average / s + k / 4),   k = -1, 0, 1, 2

the sum of the four is ``round(4 average / s)`` up to a constant, because an integer is passed by
one of them in every quarter of a unit.  The classifier reads all four, with weights that are as
large and a unit of its sums that is a quarter, so that its weights have two bits more as well
(:mod:`acsgen.quant.rounding` rounds them together); its bias takes the constant off.

A global average has no bias, so that the quarters come from the map.  The convolution of one tap
that :mod:`acsgen.quant.centre` puts before an average adds ``k`` units of the *map*, which rounds
nothing, and the averages are scaled so that a unit of the map is an odd number of quarters of their
unit.  The cost is three more of these convolutions and averages, over the last map alone.

Averages without that convolution, and those that gates or exits read too, stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from acsgen.ir.format import RANGES
from acsgen.ir.integer import IntConv, IntGlobalAvg, IntGraph, IntLayer, IntLogits
from acsgen.ir.kinds.concat import joined_format
from acsgen.ir.kinds.join import IntJoin
from acsgen.ir.layers import LayerGraph, Logits
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds import quantized
from acsgen.quant.progress import Progress

#: Units of the map that are added before each copy of an average.
OFFSETS = (-1, 0, 1, 2)

#: Copies together have no more entries: a classifier reads all of them from the vector memory,
#: which is small on every board.
MAX_ENTRIES = 1024


@dataclass(frozen=True)
class Repeated:
    """An average that can be stored several times.

    Attributes:
        average: the integer layer.
        subtract: the convolution before it.
        quarters: of a unit of the copies in a unit of the convolution's result; odd.
    """

    average: IntGlobalAvg
    subtract: IntConv
    quarters: int

    @property
    def added(self) -> tuple[str, ...]:
        """Names of the layers beyond the two that were there."""
        originals = self.subtract.name, self.average.name
        copies = range(1, len(OFFSETS))
        return tuple(f"{name}.{number}" for number in copies for name in originals)

    def layers(self) -> tuple[IntLayer, ...]:
        """What takes the place of both layers; the last has the name of the average."""
        made: list[IntLayer] = []
        averages: list[IntGlobalAvg] = []
        ratio = self.quarters / len(OFFSETS)
        _, height, width = self.subtract.shape
        mult, shift = steps.one_ratio(ratio / (height * width))
        for number, offset in enumerate(OFFSETS):
            convolution = replace(
                self.subtract,
                name=f"{self.subtract.name}.{number}",
                bias=self._moved(offset),
            )
            average = replace(
                self.average,
                name=f"{self.average.name}.{number}",
                x=convolution.name,
                format=self.subtract.format.scaled(1 / ratio, self.average.format.signed),
                mult=mult,
                shift=shift,
            )
            made += (convolution, average)
            averages.append(average)
        size = self.average.shape[0]
        joined = IntJoin(
            self.average.name,
            self.average.where,
            (size * len(OFFSETS),),
            joined_format(tuple(averages)),
            tuple(average.name for average in averages),
            (size,) * len(OFFSETS),
        )
        return (*made, joined)

    def _moved(self, offset: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
        """The bias with which the convolution's result is larger by ``offset``."""
        layer = self.subtract
        unit = np.ldexp(1.0 / layer.mult, layer.shift)
        return np.asarray(layer.bias + np.rint(offset * unit), np.int32)


def repeatable(integers: IntGraph) -> dict[str, Repeated]:
    """The averages of a network that can be stored several times, by name."""
    found = {}
    for layer in integers:
        readers = [other for other in integers if layer.name in other.inputs]
        if not isinstance(layer, IntGlobalAvg) or not readers:
            continue
        if not all(isinstance(reader, IntLogits) for reader in readers):
            continue
        source = integers[layer.x]
        if not isinstance(source, IntConv) or not _moves(source, layer, integers):
            continue
        quarters = _quarters(layer, source)
        if quarters is not None and layer.shape[0] * len(OFFSETS) <= MAX_ENTRIES:
            found[layer.name] = Repeated(layer, source, quarters)
    return found


def _moves(layer: IntConv, average: IntGlobalAvg, integers: IntGraph) -> bool:
    """Whether a convolution only adds to each channel, for this average alone."""
    readers = [other.name for other in integers if layer.name in other.inputs]
    return (
        readers == [average.name]
        and layer.pixelwise
        and layer.groups == layer.shape[0]
        and layer.weight.shape[1] == 1
        and not layer.mask
        and layer.format.one_sign is True
        and bool(np.all(layer.mult > 0))
    )


def _quarters(average: IntGlobalAvg, source: IntConv) -> int | None:
    """Quarters of a unit of the copies in a unit of the map: the most that leave the range of the
    average and the offsets room; None if that is less than one."""
    _, height, width = source.shape
    ratio = math.ldexp(average.mult, -average.shift) * height * width
    levels = RANGES[True][1]
    most = len(OFFSETS) * ratio / (1 + max(OFFSETS) * ratio / levels)
    quarters = math.floor(most)
    quarters -= quarters % 2 == 0
    return quarters if quarters > 0 else None


def with_finer_averages(
    graph: LayerGraph, integers: IntGraph, places: Mapping[str, Repeated], progress: Progress
) -> None:
    """Go through the layers of a network, with several copies of the averages of ``places``.

    Args:
        graph: the network in floats, from which the classifiers' weights are rounded anew.
        integers: the network as it is.
        places: of :func:`repeatable`.
        progress: gets the layers; nothing is done yet.
    """
    replaced: dict[str, Callable[[], tuple[IntLayer, ...]]] = {}
    for name, place in places.items():
        replaced[place.subtract.name] = tuple
        replaced[name] = place.layers
    for layer in integers:
        if isinstance(layer, IntLogits) and layer.x in places:
            for made in quantized(_reading_all(graph[layer.name]), progress):
                progress.add(made)
            continue
        for made in replaced[layer.name]() if layer.name in replaced else (layer,):
            progress.add(made)


def _reading_all(classifier: object) -> Logits:
    """The classifier that reads all copies of its vector."""
    assert isinstance(classifier, Logits)
    copies = len(OFFSETS)
    weight = np.tile(np.asarray(classifier.weight, np.float64) / copies, (1, copies))
    return replace(classifier, weight=weight)
