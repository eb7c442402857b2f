"""Any convolution whose dilated kernel fits becomes one with a square kernel and equal padding.

The kernel is set into a larger one of zeros, so that the padding is the same on all sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from acsgen.frontend.opgraph import Conv, GeneralConv, Op, OpGraph
from acsgen.frontend.passes.base import Pass
from acsgen.isa.bits import reach
from acsgen.isa.generated import INSTRUCTION_FIELDS, MAX_KERNEL

_MAX_PAD = reach(INSTRUCTION_FIELDS, "pad") - 1


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, GeneralConv):
            square = square_conv(op, ops[op.x].shape)
            if square is not None:
                changes[op.name] = (square,)
    return graph.replaced(changes)


def extent(op: GeneralConv) -> tuple[int, int]:
    """Rows and columns that the kernel reaches over."""
    sizes = zip(op.weight.shape[2:], op.dilation, strict=True)
    rows, columns = ((size - 1) * step + 1 for size, step in sizes)
    return rows, columns


def square_conv(op: GeneralConv, source: tuple[int, ...]) -> Conv | None:
    """The convolution with a square kernel and equal padding; None if there is none.

    Negative padding cuts rows and columns off.
    """
    rows, columns = extent(op)
    top, bottom, left, right = op.pads
    padded = (source[1] + top + bottom, source[2] + left + right)
    stride = 1 if padded == (rows, columns) else op.stride  # a single pixel of the result
    if op.dilation == (1, 1) and rows == columns and len(set(op.pads)) == 1:
        windows: Iterable[tuple[int, int]] = [(rows, top)]  # the limits are checked later
    else:
        windows = _windows(rows, columns, top, left)
    for kernel, pad in windows:
        fit = tuple((size + 2 * pad - kernel) // stride + 1 for size in source[1:])
        if fit == op.shape[1:]:
            weight = op.weight
            if (kernel, kernel) != weight.shape[2:]:
                weight = np.zeros((*op.weight.shape[:2], kernel, kernel))
                down, along = pad - top, pad - left
                weight[
                    :,
                    :,
                    down : down + rows : op.dilation[0],
                    along : along + columns : op.dilation[1],
                ] = op.weight
            return Conv(
                name=op.name,
                node=op.node,
                where=op.where,
                shape=op.shape,
                x=op.x,
                weight=weight,
                bias=op.bias,
                stride=stride,
                pad=pad,
                groups=op.groups,
            )
    return None


def _windows(rows: int, columns: int, top: int, left: int) -> Iterator[tuple[int, int]]:
    """Kernels and paddings in which the kernel lies as it did, the smallest first."""
    for kernel in range(max(rows, columns), MAX_KERNEL + 1):
        for pad in range(max(top, left, 0), _MAX_PAD + 1):
            if pad - top + rows <= kernel and pad - left + columns <= kernel:
                yield kernel, pad


PASS = Pass(
    "square-windows",
    "kernels that are not square, dilated kernels and unequal padding become a square kernel with "
    "zeros",
    _run,
)
