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
    Image,
    Op,
    OpGraph,
    Pool,
    Relu,
)
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    signed: dict[str, bool] = {}
    copies: dict[str, str] = {}
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        signed[op.name] = _is_signed(op, signed)
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
    if isinstance(op, (Image, Relu)):
        return False
    if isinstance(op, (Add, ApplyMask, ApplyVector, Concat, Pool)):
        maps = op.maps if isinstance(op, Concat) else [op.x]
        maps = [*maps, op.y] if isinstance(op, Add) else maps
        return any(signed[name] for name in maps)
    return True


PASS = Pass("one-sign", "of concatenated maps, those behind ReLU become signed beside others", _run)
