"""Zeros around a map become the padding of the convolutions that read it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import GeneralConv, Op, OpGraph, Pad
from acsgen.frontend.passes.base import Pass


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, GeneralConv):
            continue
        merged = op
        source = ops[op.x]
        while isinstance(source, Pad) and not any(source.channels):
            sums = tuple(a + b for a, b in zip(merged.pads, source.pads, strict=True))
            merged = replace(merged, x=source.x, pads=(sums[0], sums[1], sums[2], sums[3]))
            source = ops[source.x]
        if merged is not op:
            changes[op.name] = (merged,)
    return _alone(graph.replaced(changes))


def _alone(graph: OpGraph) -> OpGraph:
    """Padding that is left: a depthwise convolution, or one that spreads the channels."""
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, Pad):
            continue
        channels = ops[op.x].shape[0]
        groups = 1 if any(op.channels) else channels
        weight = np.ones((channels, 1, 1, 1))
        if groups == 1:
            weight = np.zeros((op.shape[0], channels, 1, 1))
            weight[np.arange(channels) + op.channels[0], np.arange(channels)] = 1.0
        changes[op.name] = (
            GeneralConv(
                name=op.name,
                node=op.node,
                where=op.where,
                shape=op.shape,
                x=op.x,
                weight=weight,
                bias=np.zeros(op.shape[0]),
                stride=1,
                pads=op.pads,
                dilation=(1, 1),
                groups=groups,
            ),
        )
    return graph.replaced(changes)


PASS = Pass(
    "merge-padding",
    "zeros around a map become padding of the convolutions behind them, "
    "and further zero channels a convolution of 0 and 1",
    _run,
)
