"""A mean over rows of a mean over columns, or the other way round, is the mean of the map."""

from __future__ import annotations

from dataclasses import replace

from acsgen.frontend.opgraph import GlobalAvg, Op, OpGraph, PartialMean
from acsgen.frontend.passes.base import Pass


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, GlobalAvg) and isinstance(source := ops[op.x], PartialMean):
            changes[op.name] = (replace(op, x=source.x),)
    return graph.replaced(changes)


PASS = Pass("merge-means", "a mean over one axis after the other becomes the global average", _run)
