"""A network that ends in an average, or in a ReLU of a vector, ends in a linear layer of ones.

SqueezeNet and All-CNN have their classifier before the average and a ReLU behind it, so that it is
no linear layer of the average. The engine's logits are the result of a linear layer: one that
passes each class on computes the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Flatten, GlobalAvg, Linear, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    # Of several results those that end so are features, not logits.
    if len(graph.outputs) != 1:
        return graph
    ops = graph.by_name()
    last = ops[graph.outputs[0]]
    if not isinstance(last, (Flatten, GlobalAvg, Relu)) or len(last.shape) != 1:
        return graph
    if isinstance(last, Flatten) and ops[last.x].shape[1:] != (1, 1):
        return graph
    classes = last.shape[0]
    name = fresh(graph, f"{last.name}.logits")
    linear = Linear(
        name,
        "",
        last.where,
        last.shape,
        last.name,
        weight=np.eye(classes),
        bias=np.zeros(classes),
    )
    return replace(graph, ops=(*graph.ops, linear), outputs=(name,))


PASS = Pass(
    "end-linear",
    "an average or a ReLU at the end gets a linear layer of ones, which returns it as logits",
    _run,
)
