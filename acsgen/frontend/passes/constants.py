"""Maps of constants, for the passes that need some: the engine reads no such map from memory.

A convolution without weights, which has nothing but its bias, makes a map of ones of any map that
is there; convolutions of stride 2 take one pixel of it. Constants by channel are weights on that
pixel.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from acsgen.frontend.opgraph import Array, Conv, Flatten, GlobalAvg, Op, Relu

#: What the names of these operations begin with.
PREFIX = "constant."
#: A map of one channel and one pixel, which is 1.
PIXEL = f"{PREFIX}pixel"


def make_pixel(made: Sequence[Op], where: str) -> list[Op] | None:
    """The operations that make :data:`PIXEL`, of a map of which ``made`` takes an average already.

    Args:
        made: the operations before it.
        where: the place of what needs it, for messages.

    Returns:
        The operations, the pixel last; none where the pixel is there, and None where there is no
        map to make it of.
    """
    by_name = {op.name: op for op in made}
    if PIXEL in by_name:
        return []
    sources = [by_name[op.x] for op in made if isinstance(op, (GlobalAvg, Flatten))]
    if not sources:
        return None
    source = min(sources, key=lambda op: op.shape[1:])
    shape = (1, *source.shape[1:])
    weight = np.zeros((1, source.shape[0], 1, 1))
    ops: list[Op] = [_conv(_size_name(shape), where, shape, source.name, weight, np.ones(1))]
    while shape[1:] != (1, 1):
        shape = (1, *(-(-size // 2) for size in shape[1:]))
        weight = np.ones((1, 1, 1, 1))
        ops.append(_conv(_size_name(shape), where, shape, ops[-1].name, weight, np.zeros(1), 2))
    return ops


def constant_map(values: Array, where: str, taken: Collection[str]) -> list[Op]:
    """The operations that make a map ``(C, 1, 1)`` of constants ``(C,)``, the map last.

    Args:
        values: the constants.
        where: the place of what needs them.
        taken: names of operations.
    """
    names = (f"{PREFIX}{number}" for number in range(1, len(taken) + 2))
    name = next(name for name in names if name not in taken)
    shape, weight = (len(values), 1, 1), values.reshape(-1, 1, 1, 1)
    if not np.all(values >= 0):
        return [_conv(name, where, shape, PIXEL, weight, np.zeros(len(values)))]
    # Unsigned, which is a bit more.
    sums = _conv(name, where, shape, PIXEL, weight, np.zeros(len(values)))
    return [sums, Relu(f"{name}.unsigned", "", where, shape, name)]


def _size_name(shape: tuple[int, ...]) -> str:
    return PIXEL if shape[1:] == (1, 1) else f"{PIXEL}.{shape[1]}x{shape[2]}"


def _conv(
    name: str,
    where: str,
    shape: tuple[int, ...],
    x: str,
    weight: Array,
    bias: Array,
    stride: int = 1,
) -> Conv:
    return Conv(name, "", where, shape, x, weight=weight, bias=bias, stride=stride, pad=0, groups=1)
