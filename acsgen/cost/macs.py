"""Multiply-accumulates (MACs) of an integer graph: with nothing skipped, and under given masks.

The one rule of acsgen: a layer counts all its kernel taps at every output pixel, padding
included. A convolution counts active outputs times active inputs, group by group; an output is
active if its mask bit is 1, an input unless it is an exact zero by its own mask
(:meth:`acsgen.ir.integer.IntGraph.zero_mask`). The groups are those that the engine walks:
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
from acsgen.ir.groups import channel_groups
from acsgen.ir.integer import IntConv, IntGate, IntGraph, IntLinear, IntLogits

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


def count_macs(graph: IntGraph, masks: Masks, images: int) -> MacCount:
    """Count the MACs of every convolution and linear layer.

    Args:
        graph: the network.
        masks: uint8 ``[N, C]`` by gate name, as :class:`acsgen.quant.golden.GoldenResult` has them.
        images: N.
    """
    for_gates = gate_layers(graph)
    rows = []
    for layer in graph:
        if isinstance(layer, IntConv):
            dense, executed = _conv_macs(graph, layer, masks, images)
        elif isinstance(layer, (IntLinear, IntLogits, IntGate)):
            dense = layer.weight.size
            executed = np.full(images, dense, np.int64)
        else:
            continue
        rows.append(LayerMacs(layer.name, layer.where, layer.name in for_gates, dense, executed))
    return MacCount(tuple(rows))


def _conv_macs(
    graph: IntGraph, layer: IntConv, masks: Masks, images: int
) -> tuple[int, NDArray[np.int64]]:
    outs, group_ins, kernel, _ = layer.weight.shape
    ins = group_ins * layer.groups
    active_outs = _active(masks, layer.mask, images, outs)
    active_ins = _active(masks, graph.zero_mask(layer.x), images, ins)
    groups = channel_groups(layer.weight, layer.groups)
    if groups is None:
        count, pairs = 1, active_outs.sum(axis=1) * active_ins.sum(axis=1)
    else:
        count = groups.groups
        in_group = active_ins[:, groups.inputs].sum(axis=2)
        out_group = active_outs[:, groups.outputs].sum(axis=2)
        pairs = (in_group * out_group).sum(axis=1)
    taps = kernel**2 * layer.shape[1] * layer.shape[2]
    return taps * (outs * ins // count), taps * pairs


def _active(masks: Masks, name: str | None, images: int, channels: int) -> NDArray[np.int64]:
    """Mask bits ``[N, C]``, all ones without a mask."""
    if name is None:
        return np.ones((images, channels), np.int64)
    return masks[name].astype(np.int64)
