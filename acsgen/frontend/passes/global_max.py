"""The maximum over a map is a chain of max pools, until one pixel is left."""

from __future__ import annotations

from dataclasses import replace

from acsgen.frontend.opgraph import Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.pool_ops import GlobalMax, PartialMax
from acsgen.isa.generated import MAX_KERNEL


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, GlobalMax):
            before = ops[op.x]
            x = before.x if isinstance(before, PartialMax) else op.x
            changes[op.name] = _chain(graph, op, x, ops[x].shape)
    return graph.replaced(changes)


def _chain(graph: OpGraph, op: GlobalMax, x: str, shape: tuple[int, ...]) -> tuple[Op, ...]:
    made: list[Pool] = []
    channels, height, width = shape
    while not made or (height, width) != (1, 1):
        if height == width <= MAX_KERNEL:
            kernel, stride, pad = height, 1, 0
        elif height % 2 == width % 2 == 0:
            kernel, stride, pad = 2, 2, 0
        else:
            kernel, stride, pad = 3, 2, 1  # windows overlap, which changes no maximum
        height, width = ((size + 2 * pad - kernel) // stride + 1 for size in (height, width))
        name = fresh(graph, f"{op.name}.step{len(made)}")
        size = (channels, height, width)
        made.append(Pool(name, "", op.where, size, x, "max", kernel, stride, pad))
        x = name
    return (*made[:-1], replace(made[-1], name=op.name, node=op.node))


PASS = Pass("global-max", "the maximum over a map becomes a chain of max pools", _run)
