"""The maps of a concatenation have one sign.

Its reader takes all of its integers as signed or all as unsigned. Where a map that ends in a ReLU
stands beside one that does not, as the stem of a DenseNet stands beside its layers, a 1x1 depthwise
convolution of 1 puts it out as signed.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import (
    Add,
    Affine,
    ApplyMask,
    ApplyVector,
    Concat,
    Flatten,
    GlobalAvg,
    Image,
    Join,
    Op,
    OpGraph,
    Pool,
    Relu,
    Sigmoid,
)
from acsgen.frontend.passes.base import Pass, fresh

#: Operations with a negative result only where an operand has one.
_KEEP_SIGN = (Add, ApplyVector, Concat, Flatten, GlobalAvg, Join, Pool)


def signed_results(graph: OpGraph) -> dict[str, bool]:
    """Whether the integers of a map or a vector may be negative, by its name."""
    signed: dict[str, bool] = {}
    for op in graph.ops:
        signed[op.name] = _is_signed(op, signed)
    return signed


def _run(graph: OpGraph) -> OpGraph:
    signed = signed_results(graph)
    copies: dict[str, str] = {}
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, Concat) or not signed[op.name]:
            continue
        made: list[Op] = []
        for name in op.maps:
            if not signed[name] and name not in copies:
                source = graph.by_name()[name]
                copies[name] = fresh(graph, f"{name}.signed")
                ones, zeros = np.ones(source.shape[0]), np.zeros(source.shape[0])
                made.append(Affine(copies[name], "", source.where, source.shape, name, ones, zeros))
        maps = tuple(name if signed[name] else copies[name] for name in op.maps)
        if maps != op.maps:
            changes[op.name] = (*made, Concat(op.name, op.node, op.where, op.shape, maps))
    return graph.replaced(changes)


def _is_signed(op: Op, signed: dict[str, bool]) -> bool:
    """Whether the integers of a result may be negative."""
    if isinstance(op, (Image, Relu, Sigmoid)):
        return False
    if isinstance(op, ApplyMask):
        return signed[op.x]
    if isinstance(op, _KEEP_SIGN):
        return any(signed[name] for name in op.inputs)
    return True


PASS = Pass("one-sign", "of concatenated maps, those behind ReLU become signed beside others", _run)
