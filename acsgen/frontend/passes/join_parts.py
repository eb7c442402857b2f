"""The vectors of a joined one have one sign, and each lies in one place.

The reader of joined vectors takes all of their integers as signed or all as unsigned, and a vector
can be a part of one joined vector only, because it is written where its part lies; a flattened map
has gaps. Where that is not so, a linear layer of ones on the diagonal puts a signed copy there.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Affine, Flatten, Join, Op, OpGraph
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.one_sign import signed_results


def _run(graph: OpGraph) -> OpGraph:
    ops, signed = graph.by_name(), signed_results(graph)
    placed: set[str] = set()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, Join):
            continue
        parts: list[str] = []
        made: list[Op] = []
        for name in op.vectors:
            part = name
            source = ops[name]
            apart = name in placed or isinstance(source, Flatten)
            if apart or signed[name] != signed[op.name]:
                part = fresh(graph, f"{op.name}.{len(made)}")
                ones, zeros = np.ones(source.shape[0]), np.zeros(source.shape[0])
                made.append(Affine(part, "", op.where, source.shape, name, ones, zeros))
            placed.add(part)
            parts.append(part)
        if made:
            joined = Join(op.name, op.node, op.where, op.shape, tuple(parts))
            changes[op.name] = (*made, joined)
    return graph.replaced(changes)


PASS = Pass(
    "join-parts",
    "a vector that is joined with signed ones, or in two places, gets a signed copy",
    _run,
)
