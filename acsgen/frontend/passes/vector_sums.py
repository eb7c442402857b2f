"""A sum of linear layers of one vector is one linear layer of it.

Of the softmax of a pair the second is above one half where ``l1 - l0`` is above zero: the gates of
SkipNet (Wang et al. 2018) decide by one row of weights, the difference of both.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import AddVectors, Affine, Array, Linear, Op, OpGraph
from acsgen.frontend.passes.base import Pass

#: A vector as ``weight @ x + bias`` of the vector of a name.
_Form = tuple[str, Array, Array]


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, AddVectors):
            continue
        forms = _forms(ops, op.x), _forms(ops, op.y)
        shared = next((x for x in forms[0] if x in forms[1]), None)
        if shared is None:
            continue
        (left, left_bias), (right, right_bias) = (form[shared] for form in forms)
        linear = Linear(
            op.name,
            op.node,
            op.where,
            op.shape,
            shared,
            weight=op.x_factor * left + op.y_factor * right,
            bias=op.x_factor * left_bias + op.y_factor * right_bias,
        )
        changes[op.name] = (linear,)
        ops[op.name] = linear
    return graph.replaced(changes)


def _forms(ops: dict[str, Op], name: str) -> dict[str, tuple[Array, Array]]:
    """The vector as a linear layer of each vector that it is one of; the farthest first."""
    size = ops[name].shape[0]
    weight, bias = np.eye(size), np.zeros(size)
    found = {name: (weight, bias)}
    op = ops[name]
    while isinstance(op, (Linear, Affine)):
        step = op.weight if isinstance(op, Linear) else np.diag(op.scale)
        offset = op.bias if isinstance(op, Linear) else op.offset
        weight, bias = weight @ step, weight @ offset + bias
        found[op.x] = (weight, bias)
        op = ops[op.x]
    return dict(reversed(found.items()))


PASS = Pass(
    "vector-sums",
    "sums and differences of linear layers of one vector become one linear layer",
    _run,
)
