"""Keeps channels side by side that a gate opens for the same images.

Channels between two convolutions have no order that anybody else sees.  Where a gate decides them,
an engine leaves out weights of those that are switched off, in words and bursts of memory: where
the active ones lie together, it reads fewer of both.  The rows of the first convolution, the
columns of those that read it, and the gate's own rows and thresholds change places; masks and
traces are put back by whoever reads them (:class:`acsgen.program.program.ProgramGate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from acsgen.ir.format import Format
from acsgen.ir.groups import channel_groups
from acsgen.ir.integer import IntConv, IntGate, IntGraph, IntLayer
from acsgen.ir.masks import one_mask, whole

#: The channel at each place, by layer.
Orders = Mapping[str, tuple[int, ...]]


def channel_orders(graph: IntGraph) -> Orders:
    """Return the orders in which channels are kept: of gates, and of the maps that they decide.

    Layers that are not named keep their own order.
    """
    found: dict[str, tuple[int, ...]] = {}
    for gate in graph.gates:
        hidden = _hidden(graph, gate)
        if gate.order is not None and hidden is not None:
            found[gate.name] = found[hidden] = gate.order
    return found


def in_order(graph: IntGraph, orders: Orders) -> IntGraph:
    """Return ``graph`` with channels in these orders: every other result is the same."""
    return replace(graph, layers=tuple(_in_order(layer, orders) for layer in graph))


def _hidden(graph: IntGraph, gate: IntGate) -> str | None:
    """The map whose channels the gate decides, if nothing but convolutions of all of its channels
    read it, and the gate decides nothing else."""
    masked = [layer for layer in graph if gate.name in layer.inputs]
    if len(masked) != 1:
        return None
    made = masked[0]
    if (
        not _is_whole(made)
        or made.residual is not None
        or made.mask != whole(gate.name, gate.shape[0])
    ):
        return None
    readers = [layer for layer in graph if made.name in layer.inputs]
    alone = all(_is_whole(layer) and layer.residual != made.name for layer in readers)
    leaves_out = one_mask(graph.source_mask(made.name)) == gate.name
    return made.name if readers and alone and leaves_out else None


def _is_whole(layer: IntLayer) -> TypeGuard[IntConv]:
    """Whether every output of a layer is a sum over all channels."""
    return isinstance(layer, IntConv) and channel_groups(layer.weight, layer.groups) is None


def _in_order(layer: IntLayer, orders: Orders) -> IntLayer:
    if isinstance(layer, IntGate) and layer.name in orders:
        order = np.array(orders[layer.name])
        return replace(
            layer,
            weight=layer.weight[order],
            bias=layer.bias[order],
            threshold=layer.threshold[order],
            acc_scale=layer.acc_scale[order],
            order=None,
        )
    if not isinstance(layer, IntConv):
        return layer
    if layer.x in orders:
        layer = replace(layer, weight=layer.weight[:, np.array(orders[layer.x])])
    if layer.name in orders:
        order = np.array(orders[layer.name])
        scales, signs = (of(len(order))[order] for of in (layer.format.scales, layer.format.signs))
        layer = replace(
            layer,
            format=Format.by_channel(scales, signs),
            weight=layer.weight[order],
            bias=layer.bias[order],
            masked_bias=layer.masked_bias[order],
            mult=layer.mult[order],
            shift=layer.shift[order],
        )
    return layer
