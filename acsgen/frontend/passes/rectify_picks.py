"""Convolutions that pick, move or add what is never negative are told that their results are not.

A ReLU behind them changes nothing, and keeps the result unsigned, with the eighth bit of its
values.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import GeneralConv, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.signs import never_negative


def _run(graph: OpGraph) -> OpGraph:
    positive = never_negative(graph)
    readers = graph.readers()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, GeneralConv) or op.name not in positive:
            continue
        known = all(isinstance(reader, Relu) for reader in readers[op.name])
        alike = len(np.unique(op.weight[op.weight > 0])) == 1
        if alike and not known and not op.bias.any():
            name = fresh(graph, f"{op.name}.picked")
            whole = Relu(op.name, op.node, op.where, op.shape, name)
            changes[op.name] = (replace(op, name=name, node=""), whole)
    return graph.replaced(changes)


PASS = Pass(
    "rectify-picks",
    "a convolution that picks, moves or averages what is never negative gets a ReLU, which keeps "
    "its result unsigned",
    _run,
)
