"""An average pool whose results are only averaged or weighed again needs no layer of its own.

The engine pools square windows in steps of 1 and 2. Behind any other average over windows, the
global average is that of the map itself where every pixel counts as much, and a linear layer of the
flattened averages is one of the flattened map, with the weights of a window spread over its pixels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import (
    Affine,
    Array,
    Flatten,
    GlobalAvg,
    Linear,
    Op,
    OpGraph,
    PartialMean,
    Pool,
)
from acsgen.frontend.ops.windows import sliding
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.pool_ops import WindowMeans
from acsgen.isa.generated import MAX_STRIDE

#: Pixels of a map that a linear layer may get in place of a pool's. Its weights grow with them.
_MOST_PIXELS = 2048


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    readers = graph.readers()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        axes = _axes(op, ops)
        if axes is None:
            continue
        (x,) = op.inputs
        source = ops[x].shape
        for reader in readers[op.name]:
            factor = _even(*axes) if isinstance(reader, GlobalAvg) else None
            if isinstance(reader, GlobalAvg) and factor is not None:
                changes[reader.name] = _average(graph, reader, x, factor)
            if isinstance(reader, Flatten) and int(np.prod(source)) <= _MOST_PIXELS:
                linear = [user for user in readers[reader.name] if isinstance(user, Linear)]
                if len(linear) == len(readers[reader.name]) and reader.name not in graph.outputs:
                    flat = replace(reader, node="", shape=(int(np.prod(source)),), x=x)
                    changes[reader.name] = (flat,)
                    for user in linear:
                        weight = _spread(user.weight, source[0], *axes)
                        changes[user.name] = (replace(user, weight=weight),)
    return graph.replaced(changes)


def _axes(op: Op, ops: dict[str, Op]) -> tuple[Array, Array] | None:
    """What each result is of rows and of columns; None for what the engine has."""
    if isinstance(op, WindowMeans):
        return op.rows, op.columns
    if isinstance(op, PartialMean):
        whole = [np.eye(size) for size in ops[op.x].shape[1:]]
        whole[op.axis - 1] = whole[op.axis - 1].mean(0, keepdims=True)
        return whole[0], whole[1]
    if isinstance(op, Pool) and op.mode == "avg" and op.stride > MAX_STRIDE:
        sizes = zip(ops[op.x].shape[1:], op.shape[1:], strict=True)
        window = (op.kernel, op.stride, op.pad)
        rows, columns = (sliding(size, count, *window).means() for size, count in sizes)
        return rows, columns
    return None


def _even(rows: Array, columns: Array) -> float | None:
    """How much more or less than its share every pixel counts in the average of the results."""
    factor = 1.0
    for axis in (rows, columns):
        share = axis.mean(0) * axis.shape[1]
        if not np.allclose(share, share[0], rtol=1e-9):
            return None
        factor *= float(share[0])
    return factor


def _average(graph: OpGraph, reader: GlobalAvg, x: str, factor: float) -> tuple[Op, ...]:
    if abs(factor - 1.0) < 1e-9:
        return (replace(reader, x=x),)
    mean = replace(reader, name=fresh(graph, f"{reader.name}.pixels"), node="", x=x)
    channels = reader.shape[0]
    scale, offset = np.full(channels, factor), np.zeros(channels)
    node, where, shape = reader.node, reader.where, reader.shape
    return mean, Affine(reader.name, node, where, shape, mean.name, scale, offset)


def _spread(weight: Array, channels: int, rows: Array, columns: Array) -> Array:
    """The weights of the map's pixels, ``(O, C*H*W)``, from those of the results."""
    windows = weight.reshape(len(weight), channels, len(rows), len(columns))
    spread: Array = np.einsum("ocyx,yh,xw->ochw", windows, rows, columns, optimize=True)
    return spread.reshape(len(weight), -1)


PASS = Pass(
    "pools-into-means",
    "an average over windows that the engine does not have becomes part of the average or linear "
    "layer behind it",
    _run,
)
