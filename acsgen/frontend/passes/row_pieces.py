"""A piece of a linear layer's result is a linear layer with these rows of its weights.

A recurrent cell computes all of its gates at once, and each goes through an activation of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Affine, Array, Linear, Op, OpGraph
from acsgen.frontend.passes.base import Pass


def _run(graph: OpGraph) -> OpGraph:
    while True:
        changes = _changes(graph)
        if not changes:
            return graph
        graph = graph.replaced(changes)


def _changes(graph: OpGraph) -> dict[str, tuple[Op, ...]]:
    """The pieces of the first result that is read in pieces only."""
    readers = graph.readers()
    for op in graph.ops:
        rows = _rows_of(op)
        pieces = readers[op.name]
        if rows is None or op.name in graph.outputs or not pieces:
            continue
        if all(isinstance(piece, Linear) and _picks(piece) for piece in pieces):
            return {piece.name: (_composed(piece, *rows),) for piece in pieces}
    return {}


def _rows_of(op: Op) -> tuple[str, Array, Array] | None:
    """What a linear layer, or a step by entry of a vector, reads, and its weights and biases."""
    if isinstance(op, Linear):
        return op.x, op.weight, op.bias
    if isinstance(op, Affine) and len(op.shape) == 1:
        return op.x, np.diag(op.scale), op.offset
    return None


def _picks(op: Linear) -> bool:
    """Whether every output is an entry of the vector, by an affine step of its own."""
    return bool(np.all(np.count_nonzero(op.weight, axis=1) <= 1)) and op.weight.shape[1] > 1


def _composed(piece: Op, x: str, weight: Array, bias: Array) -> Linear:
    assert isinstance(piece, Linear)
    entries = np.argmax(piece.weight != 0, axis=1)
    factors = piece.weight[np.arange(len(entries)), entries]
    rows, offsets = factors[:, None] * weight[entries], factors * bias[entries] + piece.bias
    return replace(piece, x=x, weight=rows, bias=offsets)


PASS = Pass(
    "row-pieces",
    "pieces of a linear layer's result become linear layers with these rows of its weights",
    _run,
)
