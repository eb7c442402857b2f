"""A map of one pixel is flattened by averaging it: a byte for each channel.

Flattening a map copies its rows as they are stored, with the pad pixels behind each: 64 bytes for a
channel of one pixel.
"""

from __future__ import annotations

from acsgen.frontend.opgraph import Flatten, GlobalAvg, OpGraph
from acsgen.frontend.passes.base import Pass


def _run(graph: OpGraph) -> OpGraph:
    shapes = {op.name: op.shape for op in graph.ops}
    return graph.replaced(
        {
            op.name: (GlobalAvg(op.name, op.node, op.where, op.shape, op.x),)
            for op in graph.ops
            if isinstance(op, Flatten) and shapes[op.x][1:] == (1, 1)
        }
    )


PASS = Pass("one-pixel", "a flattened map of one pixel becomes its average", _run)
