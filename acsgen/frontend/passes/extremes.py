"""The larger of two values is the one, and what the other is larger: ``x + relu(y - x)``."""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Add, AddVectors, Affine, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.pool_ops import Extreme


def _run(graph: OpGraph) -> OpGraph:
    return graph.replaced({op.name: _of(graph, op) for op in graph.ops if isinstance(op, Extreme)})


def _of(graph: OpGraph, op: Extreme) -> tuple[Op, ...]:
    """The smaller is ``x - relu(x - y)``."""
    by, more = (fresh(graph, f"{op.name}.{part}") for part in ("by", "more"))
    less, plus = (op.x, op.y) if op.largest else (op.y, op.x)
    sign = 1.0 if op.largest else -1.0
    relu = Relu(more, "", op.where, op.shape, by)
    if len(op.shape) == 1:
        return (
            AddVectors(by, "", op.where, op.shape, plus, less, 1.0, -1.0),
            relu,
            AddVectors(op.name, op.node, op.where, op.shape, op.x, more, 1.0, sign),
        )
    ones, zeros = np.ones(op.shape[0]), np.zeros(op.shape[0])
    minus, signed = (fresh(graph, f"{op.name}.{part}") for part in ("minus", "signed"))
    ops: list[Op] = [
        Affine(minus, "", op.where, op.shape, less, -ones, zeros),
        Add(by, "", op.where, op.shape, plus, minus),
        relu,
    ]
    if not op.largest:
        ops.append(Affine(signed, "", op.where, op.shape, more, -ones, zeros))
    last = more if op.largest else signed
    return (*ops, Add(op.name, op.node, op.where, op.shape, op.x, last))


PASS = Pass(
    "extremes", "the larger or smaller of two maps or vectors becomes sums and a ReLU", _run
)
