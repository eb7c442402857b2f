"""A leaky ReLU is a sum of ReLUs: ``relu((1 - a) x) + a x`` on a map, for slopes ``a`` up to 1.

On a vector a linear layer makes ``x`` and ``-x``, and another one ``relu(x) - a relu(-x)``.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Add, Affine, LeakyRelu, Linear, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, LeakyRelu) and len(op.shape) == 1:
            changes[op.name] = _of_vector(graph, op)
        elif isinstance(op, LeakyRelu) and np.all(op.slope <= 1):
            changes[op.name] = _of_map(graph, op)
    return graph.replaced(changes)


def _of_map(graph: OpGraph, op: LeakyRelu) -> tuple[Op, ...]:
    upper, positive, straight = (
        fresh(graph, f"{op.name}.{part}") for part in ("upper", "positive", "straight")
    )
    zeros = np.zeros(op.shape[0])
    return (
        Affine(upper, "", op.where, op.shape, op.x, 1 - op.slope, zeros),
        Relu(positive, "", op.where, op.shape, upper),
        Affine(straight, "", op.where, op.shape, op.x, op.slope, zeros),
        Add(op.name, op.node, op.where, op.shape, straight, positive),
    )


def _of_vector(graph: OpGraph, op: LeakyRelu) -> tuple[Op, ...]:
    both, positive = (fresh(graph, f"{op.name}.{part}") for part in ("both", "positive"))
    size = op.shape[0]
    eye, shape = np.eye(size), (2 * size,)
    return (
        Linear(both, "", op.where, shape, op.x, np.vstack([eye, -eye]), np.zeros(2 * size)),
        Relu(positive, "", op.where, shape, both),
        Linear(
            op.name,
            op.node,
            op.where,
            op.shape,
            positive,
            np.hstack([eye, -np.diag(op.slope)]),
            np.zeros(size),
        ),
    )


PASS = Pass("leaky-relus", "LeakyReLU and PReLU become a sum of ReLUs", _run)
