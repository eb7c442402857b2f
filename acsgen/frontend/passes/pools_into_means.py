"""An average pool whose results are only averaged or weighed again needs no layer of its own.

The engine pools in steps of 1 and 2. Behind a pool of larger steps, the global average is that of
the map itself, and a linear layer of the flattened pool is one of the flattened map, with the
weights of a window spread over its pixels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Array, Flatten, GlobalAvg, Linear, Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass
from acsgen.isa.generated import MAX_STRIDE

#: Pixels of a map that a linear layer may get in place of a pool's. Its weights grow with them.
_MOST_PIXELS = 2048


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    readers: dict[str, list[Op]] = {op.name: [] for op in graph.ops}
    for op in graph.ops:
        for name in op.inputs:
            readers[name].append(op)
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not (isinstance(op, Pool) and op.mode == "avg" and op.stride > MAX_STRIDE):
            continue
        source = ops[op.x].shape
        for reader in readers[op.name]:
            if isinstance(reader, GlobalAvg) and _covers(op, source):
                changes[reader.name] = (replace(reader, x=op.x),)
            if isinstance(reader, Flatten) and int(np.prod(source)) <= _MOST_PIXELS:
                linear = [user for user in readers[reader.name] if isinstance(user, Linear)]
                if len(linear) == len(readers[reader.name]) and reader.name not in graph.outputs:
                    flat = replace(reader, node="", shape=(int(np.prod(source)),), x=op.x)
                    changes[reader.name] = (flat,)
                    for user in linear:
                        weight = _spread(user.weight, op, source)
                        changes[user.name] = (replace(user, weight=weight),)
    return graph.replaced(changes)


def _covers(pool: Pool, source: tuple[int, ...]) -> bool:
    """Whether every pixel of the map is in one window."""
    tiles = tuple(size * pool.kernel for size in pool.shape[1:])
    return pool.stride == pool.kernel and not pool.pad and tiles == source[1:]


def _spread(weight: Array, pool: Pool, source: tuple[int, ...]) -> Array:
    """The weights of the map's pixels, ``(O, C*H*W)``, from those of the pool's, ``(O, C*h*w)``."""
    outs, (channels, height, width) = len(weight), source
    pad, share = pool.pad, pool.kernel**2
    windows = weight.reshape(outs, channels, *pool.shape[1:])
    padded = np.zeros((outs, channels, height + 2 * pad, width + 2 * pad))
    for row, column in np.ndindex(*pool.shape[1:]):
        top, left = row * pool.stride, column * pool.stride
        window = padded[:, :, top : top + pool.kernel, left : left + pool.kernel]
        window += windows[:, :, row, column, None, None] / share
    return padded[:, :, pad : pad + height, pad : pad + width].reshape(outs, -1)


PASS = Pass(
    "pools-into-means",
    "an average pool of stride 3 or more becomes part of the average or linear layer behind it",
    _run,
)
