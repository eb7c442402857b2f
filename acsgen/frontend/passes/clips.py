"""A clipped activation is a ReLU with an upper end, between two shifts if it begins below zero."""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Affine, Clip, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, Clip) or op.high <= op.low:
            continue
        if op.low == 0:
            changes[op.name] = (Relu(op.name, op.node, op.where, op.shape, op.x, op.high),)
            continue
        raised, cut = (fresh(graph, f"{op.name}.{part}") for part in ("raised", "cut"))
        ones, shift = np.ones(op.shape[0]), np.full(op.shape[0], op.low)
        changes[op.name] = (
            Affine(raised, "", op.where, op.shape, op.x, ones, -shift),
            Relu(cut, "", op.where, op.shape, raised, op.high - op.low),
            Affine(op.name, op.node, op.where, op.shape, cut, ones, shift),
        )
    return graph.replaced(changes)


PASS = Pass("clips", "ReLU6, Hardtanh and clamp become a ReLU with an upper end", _run)
