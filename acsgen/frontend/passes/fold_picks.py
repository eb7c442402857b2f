"""A convolution that picks channels goes into those that read it.

Channels that are shuffled, repeated, taken in part or turned round are picked by a 1x1 convolution
of 0 and 1. A dense convolution takes the channels in any order at no cost, and a normalization that
stands between the two may stand before the first, where the image takes it in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acsgen.frontend.opgraph import Affine, GeneralConv, Op, OpGraph
from acsgen.frontend.passes.base import Pass, fresh


def _run(graph: OpGraph) -> OpGraph:
    return _folded(_affine_first(graph))


def _picked(op: Op) -> NDArray[np.int64] | None:
    """The channel that each result of a pick is; None for another operation."""
    if not isinstance(op, GeneralConv) or op.weight.shape[2:] != (1, 1):
        return None
    if op.groups != 1 or op.stride != 1 or any(op.pads) or op.bias.any():
        return None
    weight = op.weight[:, :, 0, 0]
    ones = np.all((weight == 0) | (weight == 1)) and np.all(weight.sum(axis=1) == 1)
    return weight.argmax(axis=1) if ones else None


def _affine_first(graph: OpGraph) -> OpGraph:
    """Affine steps behind a pick that can stand before it."""
    ops, uses = graph.by_name(), graph.use_counts()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        pick = ops[op.x] if isinstance(op, Affine) else None
        channels = None if pick is None or uses[pick.name] != 1 else _picked(pick)
        if channels is None or not isinstance(op, Affine) or not isinstance(pick, GeneralConv):
            continue
        source = ops[pick.x]
        scale, offset = np.ones(source.shape[0]), np.zeros(source.shape[0])
        scale[channels], offset[channels] = op.scale, op.offset
        if np.array_equal(scale[channels], op.scale) and np.array_equal(
            offset[channels], op.offset
        ):
            name = fresh(graph, f"{op.name}.before")
            before = Affine(name, "", op.where, source.shape, source.name, scale, offset)
            after = replace(pick, name=op.name, node=op.node, x=name)
            changes[op.name] = (before, after)
            ops[op.name], ops[name] = after, before
    return graph.replaced(changes)


def _folded(graph: OpGraph) -> OpGraph:
    """Picks in the weights of the dense convolutions that read them."""
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, GeneralConv) or op.groups != 1:
            continue
        pick = ops[op.x]
        channels = _picked(pick)
        if channels is None or not isinstance(pick, GeneralConv):
            continue
        inputs = ops[pick.x].shape[0]
        weight = np.zeros((len(op.weight), inputs, *op.weight.shape[2:]))
        np.add.at(weight.swapaxes(0, 1), channels, op.weight.swapaxes(0, 1))
        ops[op.name] = replace(op, x=pick.x, weight=weight)
        changes[op.name] = (ops[op.name],)
    return graph.replaced(changes)


PASS = Pass(
    "fold-picks",
    "channels that are shuffled, repeated or taken in part are read so by the convolutions behind "
    "them",
    _run,
)
