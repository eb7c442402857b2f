"""Channels that a constant mask switches off are not computed at all.

A mask that does not depend on the image, as pruning makes it (PFEC, Li et al. 2017), arrives as a
factor of 0 or 1 for each channel. Where the map comes from a convolution and goes into
convolutions, the channels of factor 0 are taken out of the weights of both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Affine, Array, Conv, Op, OpGraph, Relu
from acsgen.frontend.passes.base import Pass


def _run(graph: OpGraph) -> OpGraph:
    for op in graph.ops:
        if isinstance(op, Affine) and len(op.shape) == 3:
            kept = (op.scale != 0) | (op.offset != 0)
            chain, readers = _before(graph, op), _readers(graph, op)
            if chain and readers and not kept.all():
                # A map has at least one channel.
                kept[0] |= not kept.any()
                graph = _without(graph, [*chain, op], readers, kept)
    return graph


def _before(graph: OpGraph, op: Op) -> list[Op]:
    """The operations from a convolution up to ``op``, if they work by channel for it alone."""
    ops, uses = graph.by_name(), graph.use_counts()
    chain: list[Op] = []
    while isinstance(op, (Affine, Relu)):
        op = ops[op.x]
        if uses[op.name] != 1:
            return []
        chain.insert(0, op)
    return chain if isinstance(op, Conv) and op.groups == 1 else []


def _readers(graph: OpGraph, op: Op) -> list[Conv]:
    """The convolutions that read ``op``, if no other operation does."""
    users = [user for user in graph.ops if op.name in user.inputs]
    readers = [user for user in users if isinstance(user, Conv) and user.groups == 1]
    return readers if len(readers) == graph.use_counts()[op.name] else []


def _without(graph: OpGraph, chain: list[Op], readers: list[Conv], kept: Array) -> OpGraph:
    """The graph without the channels that are not ``kept``, nor a mask that leaves nothing out."""
    count = int(kept.sum())
    changes: dict[str, tuple[Op, ...]] = {}
    for op in chain:
        # The exported node has the channels that are gone.
        lean = replace(op, node="", shape=(count, *op.shape[1:]))
        if isinstance(lean, Conv):
            lean = replace(lean, weight=lean.weight[kept], bias=lean.bias[kept])
        elif isinstance(lean, Affine):
            lean = replace(lean, scale=lean.scale[kept], offset=lean.offset[kept])
        changes[op.name] = (lean,)
    last = changes[chain[-1].name][0]
    assert isinstance(last, Affine)
    nothing_left = bool(np.all(last.scale == 1) and np.all(last.offset == 0))
    source = last.x if nothing_left else last.name
    for reader in readers:
        changes[reader.name] = (replace(reader, x=source, weight=reader.weight[:, kept]),)
    return graph.replaced(changes)


PASS = Pass("drop-zeros", "channels of a constant mask of 0 leave the weights", _run)
