"""A clipped activation is a ReLU with an upper end, between two shifts if it begins below zero."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from acsgen.frontend.opgraph import Affine, Clip, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.signs import never_negative


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    positive = never_negative(graph)
    for op in graph.ops:
        if not isinstance(op, Clip) or op.high <= op.low:
            continue
        if op.low <= 0 and op.x in positive:
            op = replace(op, low=0.0)
        if op.low == -inf:
            if op.high < inf:
                changes[op.name] = _cut_above(graph, op)
            continue
        if op.low == 0:
            high = None if op.high == inf else op.high
            if high is None or high > 0:
                changes[op.name] = (Relu(op.name, op.node, op.where, op.shape, op.x, high),)
            continue
        raised, cut = (fresh(graph, f"{op.name}.{part}") for part in ("raised", "cut"))
        height = None if op.high == inf else op.high - op.low
        ones, shift = np.ones(op.shape[0]), np.full(op.shape[0], op.low)
        changes[op.name] = (
            Affine(raised, "", op.where, op.shape, op.x, ones, -shift),
            Relu(cut, "", op.where, op.shape, raised, height),
            Affine(op.name, op.node, op.where, op.shape, cut, ones, shift),
        )
    return graph.replaced(changes)


def _cut_above(graph: OpGraph, op: Clip) -> tuple[Op, ...]:
    """``high - relu(high - x)``, where there is no lower end."""
    below, positive = (fresh(graph, f"{op.name}.{part}") for part in ("below", "positive"))
    minus, high = -np.ones(op.shape[0]), np.full(op.shape[0], op.high)
    return (
        Affine(below, "", op.where, op.shape, op.x, minus, high),
        Relu(positive, "", op.where, op.shape, below),
        Affine(op.name, op.node, op.where, op.shape, positive, minus, high),
    )


PASS = Pass(
    "clips", "ReLU6, Hardtanh, clamp and bounds become a ReLU, with or without an upper end", _run
)
