"""Slices of rows, columns and channels, and zero channels behind them, are one 1x1 convolution.

The shortcut without weights of CIFAR ResNets (option A) is of this kind.
"""

from __future__ import annotations

import numpy as np

from acsgen.frontend.opgraph import GeneralConv, Op, OpGraph, Pad, Slice
from acsgen.frontend.passes.base import Pass
from acsgen.frontend.passes.square_windows import square_conv
from acsgen.isa.generated import MAX_STRIDE


def _run(graph: OpGraph) -> OpGraph:
    # Of a chain the last operation is replaced; those before it go with their last reader.
    ops = graph.by_name()
    uses = graph.use_counts()
    inner = {
        op.x
        for op in graph.ops
        if (isinstance(op, Slice) or (isinstance(op, Pad) and _only_channels(op)))
        and uses[op.x] == 1
        and isinstance(ops[op.x], Slice)
    }
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        is_end = isinstance(op, Slice) or (isinstance(op, Pad) and _only_channels(op))
        if is_end and op.name not in inner:
            convolution = _convolution(op, ops)
            if convolution is not None:
                changes[op.name] = (convolution,)
    return graph.replaced(changes)


def _only_channels(op: Pad) -> bool:
    return any(op.channels) and not any(op.pads)


def _convolution(op: Op, ops: dict[str, Op]) -> GeneralConv | None:
    """The convolution that ``op`` and the slices before it are; None if there is none."""
    chain: list[Slice | Pad] = []
    last = op
    while isinstance(last, Slice) or (isinstance(last, Pad) and _only_channels(last)):
        chain.append(last)
        last = ops[last.x]
    if not any(isinstance(step, Slice) for step in chain):
        return None
    source = last.shape
    picked = [np.arange(size) for size in source]  # -1 stands for a channel of zeros
    for step in reversed(chain):
        if isinstance(step, Slice):
            end = step.start + step.shape[step.axis] * step.step
            picked[step.axis] = picked[step.axis][step.start : end : step.step]
        else:
            picked[0] = np.pad(picked[0], step.channels, constant_values=-1)
    steps = {int(axis[1] - axis[0]) for axis in picked[1:] if len(axis) > 1}
    if len(steps) > 1 or not steps <= set(range(1, MAX_STRIDE + 1)):
        return None
    stride = steps.pop() if steps else 1
    # Where a slice starts late or ends early, negative padding cuts the map.
    pads: list[int] = []
    for axis, size in zip(picked[1:], source[1:], strict=True):
        pads += [-int(axis[0]), int(axis[-1]) + 1 - size]
    channels = picked[0]
    same = np.array_equal(channels, np.arange(source[0]))
    weight = np.ones((source[0], 1, 1, 1))
    if not same:
        weight = np.zeros((len(channels), source[0], 1, 1))
        kept = np.flatnonzero(channels >= 0)
        weight[kept, channels[kept]] = 1.0
    cuts = any(
        first or (size - 1) // stride + 1 != len(axis)
        for first, axis, size in zip(pads[::2], picked[1:], source[1:], strict=True)
    )
    convolution = GeneralConv(
        name=op.name,
        node=op.node,
        where=op.where,
        shape=op.shape,
        x=last.name,
        weight=weight,
        bias=np.zeros(op.shape[0]),
        stride=stride,
        pads=(pads[0], pads[1], pads[2], pads[3]) if cuts else (0, 0, 0, 0),
        dilation=(1, 1),
        groups=source[0] if same else 1,
    )
    return convolution if not cuts or square_conv(convolution, source) is not None else None


PASS = Pass(
    "convolve-slices",
    "every second row and column, a range of channels and zero channels become a 1x1 convolution "
    "of 0 and 1",
    _run,
)
