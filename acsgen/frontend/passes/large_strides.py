"""A convolution of a large stride, or of a large kernel with an even stride.

A map is dealt to four of half the side, one for each parity of row and column, and the convolution
steps half as far over all of them: patches of 4x4 become a kernel of 2x2 and stride 2. Where the
stride is odd, or the channels are too many for that, a convolution of a smaller stride computes
more pixels than are wanted, and a pool of one pixel takes those.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Array, GeneralConv, Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.square_windows import extent
from acsgen.isa.generated import MAX_CHANNELS, MAX_KERNEL, MAX_STRIDE

_PHASES = 4


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, GeneralConv) and op.shape[1:] != (1, 1):
            made = _smaller(graph, op, ops[op.x].shape)
            if len(made) > 1:
                changes[op.name] = made
    return graph.replaced(changes)


def _smaller(graph: OpGraph, op: GeneralConv, source: tuple[int, ...]) -> tuple[Op, ...]:
    """Operations of smaller strides that are the convolution; itself if there are none."""
    far = op.stride > MAX_STRIDE
    large = max(extent(op)) > MAX_KERNEL
    if op.stride % 2 == 0 and (far or large) and _PHASES * source[0] <= MAX_CHANNELS:
        deal = _deal(graph, op, source)
        rest = _over_phases(op, deal)
        return (deal, *_smaller(graph, rest, deal.shape))
    if far and not large:
        stride = MAX_STRIDE if op.stride % MAX_STRIDE == 0 else 1
        axes = zip(source[1:], op.pads[::2], op.pads[1::2], extent(op), strict=True)
        sizes = [(size + sum(pads) - far) // stride + 1 for size, *pads, far in axes]
        name, shape = fresh(graph, f"{op.name}.dense"), (op.shape[0], *sizes)
        dense = replace(op, name=name, node="", shape=shape, stride=stride)
        step = op.stride // stride
        return dense, Pool(op.name, op.node, op.where, op.shape, name, "max", 1, step, 0)
    return (op,)


def _deal(graph: OpGraph, op: GeneralConv, source: tuple[int, ...]) -> GeneralConv:
    """Each channel as four: even rows and columns first, odd rows and columns last."""
    channels, *sizes = source
    pad = int(any(size % 2 for size in sizes))  # of an odd side the last phase has a zero more
    kernel = np.zeros((_PHASES, 1, 2 + pad, 2 + pad))
    for phase in range(_PHASES):
        kernel[phase, 0, phase // 2 + pad, phase % 2 + pad] = 1.0
    halves = [(size + 1) // 2 for size in sizes]
    return GeneralConv(
        name=fresh(graph, f"{op.name}.phases{op.stride}"),
        node="",
        where=op.where,
        shape=(_PHASES * channels, *halves),
        x=op.x,
        weight=np.tile(kernel, (channels, 1, 1, 1)),
        bias=np.zeros(_PHASES * channels),
        stride=2,
        pads=(pad, pad, pad, pad),
        dilation=(1, 1),
        groups=channels,
    )


def _over_phases(op: GeneralConv, deal: GeneralConv) -> GeneralConv:
    """The convolution of half the stride over the dealt map."""
    outputs, inputs = op.weight.shape[:2]
    before = op.pads[0], op.pads[2]
    pads = [-(-pad // 2) for pad in before]
    axes = zip(extent(op), before, pads, strict=True)
    sides = [(far - 1 - pad) // 2 + half + 1 for far, pad, half in axes]
    weight: Array = np.zeros((outputs, inputs, _PHASES, *sides))
    for row, column in np.ndindex(*op.weight.shape[2:]):
        y, phase_y = divmod(row * op.dilation[0] - before[0], 2)
        x, phase_x = divmod(column * op.dilation[1] - before[1], 2)
        phase = 2 * phase_y + phase_x
        weight[:, :, phase, y + pads[0], x + pads[1]] = op.weight[:, :, row, column]
    stride = op.stride // 2
    ends = [
        (count - 1) * stride + side - pad - size
        for count, side, pad, size in zip(op.shape[1:], sides, pads, deal.shape[1:], strict=True)
    ]
    return replace(
        op,
        x=deal.name,
        weight=weight.reshape(outputs, inputs * _PHASES, *sides),
        stride=stride,
        pads=(pads[0], ends[0], pads[1], ends[1]),
        dilation=(1, 1),
    )


PASS = Pass(
    "large-strides",
    "a convolution of stride 3 or more, or of an even stride and a kernel above 7, becomes one of "
    "a smaller stride",
    _run,
)
