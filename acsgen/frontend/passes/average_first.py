"""A classifier that is a 1x1 convolution before the average is a linear layer behind it.

Average and convolution may change places, because both are linear.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import Affine, Array, GeneralConv, GlobalAvg, Linear, Op, OpGraph
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    uses = graph.use_counts()
    changes: dict[str, tuple[Op, ...]] = {}
    for output in graph.outputs:
        average = ops[output]
        while isinstance(average, Affine):
            average = ops[average.x]
        if not isinstance(average, GlobalAvg):
            continue
        source = ops[average.x]
        if not (isinstance(source, GeneralConv) and uses[source.name] == 1 and _pixelwise(source)):
            continue
        inputs = ops[source.x].shape[0]
        name = fresh(graph, f"{average.name}.average")
        outs, per_group = source.weight.shape[:2]
        weight = source.weight.reshape(source.groups, outs // source.groups, per_group)
        matrix = _block_diagonal(list(weight))
        changes[average.name] = (
            GlobalAvg(name, "", average.where, (inputs,), source.x),
            Linear(
                average.name,
                average.node,
                source.where,
                average.shape,
                name,
                weight=matrix,
                bias=source.bias,
            ),
        )
    return graph.replaced(changes)


def _pixelwise(op: GeneralConv) -> bool:
    return op.weight.shape[2:] == (1, 1) and op.stride == 1 and not any(op.pads)


def _block_diagonal(blocks: list[Array]) -> Array:
    rows, columns = blocks[0].shape
    result = np.zeros((rows * len(blocks), columns * len(blocks)))
    for i, block in enumerate(blocks):
        result[i * rows : (i + 1) * rows, i * columns : (i + 1) * columns] = block
    return result


PASS = Pass(
    "average-first",
    "the average of a 1x1 convolution at the end becomes a linear layer of the average",
    _run,
)
