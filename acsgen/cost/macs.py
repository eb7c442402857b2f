"""Multiply-accumulates (MACs) of an integer graph: with nothing skipped, and under given masks.

The one rule of acsgen: a layer counts all its kernel taps at every output pixel, padding
included. A convolution counts active outputs times active inputs, group by group; an output is
active if its mask bit is 1, an input unless it is an exact zero by its own mask
(:meth:`acsgen.ir.integer.IntGraph.source_mask`). The groups are those that the engine walks:
declared ones and those found in the zeros of the weights (:mod:`acsgen.ir.groups`). Linear layers
are never skipped. The layers that work for gates (:mod:`acsgen.ir.gating`) count like all others,
and are summed apart as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.gating import gate_layers
from acsgen.ir.integer import IntGraph
from acsgen.ir.masks import ChannelMask, bits_of

Masks = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class LayerMacs:
    """MACs of one layer.

    Attributes:
        name: of the layer.
        where: module path in the user's network.
        for_gates: whether the layer works for gates (:mod:`acsgen.ir.gating`).
        dense: per image, with nothing skipped.
        executed: int64 ``[N]``, of each image.
    """

    name: str
    where: str
    for_gates: bool
    dense: int
    executed: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class MacCount:
    """MACs of a network over N images, layer by layer."""

    rows: tuple[LayerMacs, ...]

    @property
    def dense(self) -> int:
        """Per image, of the same network without gates: nothing skipped, no gating work."""
        return sum(row.dense for row in self.rows if not row.for_gates)

    @property
    def executed(self) -> NDArray[np.int64]:
        """``[N]``, of each image, gating work included."""
        return self._total(lambda row: True)

    @property
    def gates(self) -> NDArray[np.int64]:
        """``[N]``, of each image: the gating work alone."""
        return self._total(lambda row: row.for_gates)

    def _total(self, wanted: Callable[[LayerMacs], bool]) -> NDArray[np.int64]:
        total = np.zeros_like(self.rows[0].executed)
        for row in self.rows:
            if wanted(row):
                total += row.executed
        return total


def count_macs(
    graph: IntGraph,
    masks: Masks,
    images: int,
    ran: Mapping[str, NDArray[np.bool_]] | None = None,
) -> MacCount:
    """Count the MACs of every convolution and linear layer.

    Args:
        graph: the network.
        masks: uint8 ``[N, C]`` by gate name, as :class:`acsgen.quant.golden.GoldenResult` has them.
        images: N.
        ran: bool ``[N]`` by layer name, whether a layer ran; layers that are not named always do.
    """
    for_gates = gate_layers(graph)

    def ones(channels: int) -> NDArray[np.int64]:
        return np.ones((images, channels), np.int64)

    def active(mask: ChannelMask, channels: int) -> NDArray[np.int64]:
        if not mask:
            return ones(channels)
        parts = bits_of(
            mask,
            bits=lambda name: masks[name].astype(np.int64),
            cut=lambda bits, first, count: bits[:, first : first + count],
            ones=ones,
        )
        return np.concatenate(parts, axis=1)

    rows = []
    for layer in graph:
        work = layer.macs(active, graph.source_mask)
        if work is not None:
            works_for_gates = layer.name in for_gates
            executed = work.executed
            if ran is not None and layer.name in ran:
                executed = executed * ran[layer.name]
            rows.append(LayerMacs(layer.name, layer.where, works_for_gates, work.dense, executed))
    return MacCount(tuple(rows))
