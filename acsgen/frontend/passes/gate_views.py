"""Bits of a gate's mask are the mask of a smaller gate, which has these rows of its weights.

OFAS, BlockDrop and GaterNet take all decisions at once: one vector, of which each block reads a
bit or a range. A mask register of the engine switches a map's channels from its first bit on, so
every reader gets a register of its own. Layers of weights without an activation between them
become one, where that is not more products (both forms of OFAS are such stacks).
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Array, ChannelGate, Linear, Op, OpGraph, TakeBits
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, TakeBits):
            continue
        gate, first = ops[op.x], op.first
        while isinstance(gate, TakeBits):
            first += gate.first
            gate = ops[gate.x]
        assert isinstance(gate, ChannelGate)
        x, weight, bias = _rows(ops, gate.x, first, op.shape[0])
        name = fresh(graph, f"{op.name}.rows")
        changes[op.name] = (
            Linear(name, "", gate.where, op.shape, x, weight=weight, bias=bias),
            ChannelGate(op.name, op.node, gate.where, op.shape, name, gate.threshold),
        )
    return graph.replaced(changes)


def _rows(ops: dict[str, Op], name: str, first: int, count: int) -> tuple[str, Array, Array]:
    """The entries of a vector from ``first`` on, as a linear layer of another vector."""
    source = ops[name]
    if not isinstance(source, Linear):
        return name, np.eye(source.shape[0])[first : first + count], np.zeros(count)
    weight, bias = source.weight[first : first + count], source.bias[first : first + count]
    x = source.x
    while isinstance(below := ops[x], Linear) and below.weight.shape[1] <= below.weight.shape[0]:
        bias = weight @ below.bias + bias
        weight, x = weight @ below.weight, below.x
    return x, weight, bias


PASS = Pass(
    "gate-views",
    "bits of a gate's mask become the mask of a gate with these rows of its weights",
    _run,
)
