"""What the complement of a mask leaves of a map is the map less what the mask leaves of it.

``(1 - m) * x`` is ``x + m * (-x)``: a 1x1 depthwise convolution of -1 that is masked and has ``x``
as its residual.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Add, Affine, ApplyComplement, ApplyMask, Op, OpGraph
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, ApplyComplement):
            continue
        minus, masked = (fresh(graph, f"{op.name}.{part}") for part in ("minus", "masked"))
        channels = op.shape[0]
        changes[op.name] = (
            Affine(minus, "", op.where, op.shape, op.x, -np.ones(channels), np.zeros(channels)),
            ApplyMask(masked, "", op.where, op.shape, minus, op.mask),
            Add(op.name, op.node, op.where, op.shape, masked, op.x),
        )
    return graph.replaced(changes)


PASS = Pass("complements", "(1 - mask) * x becomes x + mask * (-x)", _run)
