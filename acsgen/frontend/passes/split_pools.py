"""A pool of stride 4 is one of stride 2 and another behind it.

Windows of 4 that do not overlap are windows of 2 over windows of 2. Of other windows every second
result of stride 2 is taken.
"""

from __future__ import annotations

from acsgen.frontend.opgraph import Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.isa.generated import MAX_KERNEL


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, Pool) and op.stride == 4 and op.kernel <= MAX_KERNEL:
            source = graph.by_name()[op.x].shape
            first, second = (2, 2) if op.kernel == 4 and not op.pad else (op.kernel, 1)
            sizes = [(size + 2 * op.pad - first) // 2 + 1 for size in source[1:]]
            name = fresh(graph, f"{op.name}.first")
            shape = (source[0], *sizes)
            mode = op.mode if second == 2 else "max"  # one pixel is its own maximum
            changes[op.name] = (
                Pool(name, "", op.where, shape, op.x, op.mode, first, 2, op.pad),
                Pool(op.name, op.node, op.where, op.shape, name, mode, second, 2, 0),
            )
    return graph.replaced(changes)


PASS = Pass("split-pools", "a pool of stride 4 becomes two of stride 2", _run)
