"""A sum of linear layers of several vectors is one linear layer of these vectors joined.

The gates of a recurrent cell are ``W @ x + U @ h``: one linear layer of ``x`` and ``h``, which lie
one behind the other in the vector memory. A sum of products entry by entry is no such layer
(:mod:`.vector_products`).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from acsgen.frontend.opgraph import (
    AddVectors,
    Affine,
    Array,
    Join,
    Linear,
    MulVectors,
    Op,
    OpGraph,
)
from acsgen.frontend.passes.base import Pass, fresh


def by_entry(graph: OpGraph) -> frozenset[str]:
    """Names of the products of vectors, and of the sums that are computed entry by entry with them:
    those of which one term at least is such a result, and none a linear layer of its own."""
    ops = graph.by_name()
    found: set[str] = set()
    for op in graph.ops:
        if isinstance(op, MulVectors):
            found.add(op.name)
        elif isinstance(op, AddVectors):
            terms = [unscaled(ops, name)[0] for name in op.inputs]
            mixed = any(isinstance(ops[name], (Linear, AddVectors)) for name in set(terms) - found)
            if not mixed and found & set(terms):
                found.add(op.name)
    return frozenset(found)


def unscaled(ops: dict[str, Op], name: str) -> tuple[str, Array, Array]:
    """A vector as ``scale * x + offset`` by entry, of an ``x`` that is no such step itself."""
    size = ops[name].shape[0]
    scale, offset = np.ones(size), np.zeros(size)
    while isinstance(op := ops[name], Affine):
        scale, offset = scale * op.scale, scale * op.offset + offset
        name = op.x
    return name, scale, offset


def _run(graph: OpGraph) -> OpGraph:
    ops, uses = graph.by_name(), graph.use_counts()
    kept = by_entry(graph)
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, AddVectors) or op.name in kept:
            continue
        columns: dict[str, Array] = {}
        bias = np.zeros(op.shape[0])
        for name, factor in ((op.x, op.x_factor), (op.y, op.y_factor)):
            source, weight, offset = _one_layer(ops, uses, name)
            bias = bias + factor * offset
            below = ops[source]
            parts = below.vectors if isinstance(below, Join) else (source,)
            first = 0
            for part in parts:
                size = ops[part].shape[0]
                piece = factor * weight[:, first : first + size]
                columns[part] = columns[part] + piece if part in columns else piece
                first += size
        joined, width = fresh(graph, f"{op.name}.joined"), sum(w.shape[1] for w in columns.values())
        matrix = np.concatenate(list(columns.values()), axis=1)
        made = (
            Join(joined, "", op.where, (width,), tuple(columns)),
            Linear(op.name, op.node, op.where, op.shape, joined, weight=matrix, bias=bias),
        )
        changes[op.name] = made
        ops.update({new.name: new for new in made})
    return graph.replaced(changes)


def _one_layer(ops: dict[str, Op], uses: Counter[str], name: str) -> tuple[str, Array, Array]:
    """A vector as ``weight @ x + bias`` of another one: of what its linear layer reads, if nothing
    else reads that layer, or else of itself."""
    size = ops[name].shape[0]
    weight, bias = np.eye(size), np.zeros(size)
    while uses[name] == 1 and isinstance(op := ops[name], (Affine, Linear)):
        step = op.weight if isinstance(op, Linear) else np.diag(op.scale)
        offset = op.bias if isinstance(op, Linear) else op.offset
        weight, bias, name = weight @ step, weight @ offset + bias, op.x
        if isinstance(op, Linear):
            break
    return name, weight, bias


PASS = Pass(
    "join-sums",
    "sums of linear layers of several vectors become one linear layer of the vectors joined",
    _run,
)
