"""What ``ceil_mode`` adds beyond a map's edge is zeros, where no zero wins that should not.

Zeros never win over a map without negative values. They may win where nothing but ReLUs read the
pool: zero is what these make of the negative value that would have won.
"""

from __future__ import annotations

from acsgen.frontend.opgraph import Op, OpGraph, Pad, Pool, Relu
from acsgen.frontend.passes.base import Pass
from acsgen.frontend.passes.signs import never_negative
from acsgen.frontend.pool_ops import EdgePad


def _run(graph: OpGraph) -> OpGraph:
    edges = [op for op in graph.ops if isinstance(op, EdgePad)]
    if not edges:
        return graph
    positive = never_negative(graph)
    changes: dict[str, tuple[Op, ...]] = {}
    for op in edges:
        if op.x in positive or _only_relus_see(graph, op):
            pads = (0, op.count, 0, op.count)
            changes[op.name] = (Pad(op.name, op.node, op.where, op.shape, op.x, (0, 0), pads),)
    return graph.replaced(changes)


def _only_relus_see(graph: OpGraph, edge: EdgePad) -> bool:
    pools = [op for op in graph.ops if edge.name in op.inputs]
    names = {pool.name for pool in pools}
    seen = [op for op in graph.ops if names & set(op.inputs)]
    known = all(isinstance(op, Pool) for op in pools) and all(isinstance(op, Relu) for op in seen)
    return known and bool(seen) and not names & set(graph.outputs)


PASS = Pass(
    "ceil-pools",
    "the edge of ceil_mode becomes zeros, before a max pool behind or before a ReLU",
    _run,
)
