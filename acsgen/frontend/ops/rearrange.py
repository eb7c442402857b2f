"""Handlers of views that put the entries of a map in another order, and what comes of that order.

The order is followed through all views by running them on the numbers of the entries. At the end
there is often one that costs little or nothing: a convolution of 0 and 1 picks channels and every
second pixel, a linear layer takes its columns in the order of its vector, and a linear layer over
the channels of each pixel is a 1x1 convolution.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.frontend.context import (
    KEEP_ORDER,
    Call,
    Context,
    Refused,
    Value,
    describe,
    single_axis,
)
from acsgen.frontend.opgraph import Array, Flatten, GeneralConv, GlobalAvg, Slice
from acsgen.frontend.passes.square_windows import square_conv
from acsgen.isa.generated import MAX_KERNEL, MAX_STRIDE

Order = NDArray[np.int64]


def rearranged(ctx: Context, call: Call) -> Value:
    """The value of a view, whatever it does with the entries of a map.

    Raises:
        Refused: it is no view of a map, or PyTorch cannot compute it.
    """
    x = _before_slices(ctx, call.value())
    if x.kind == "mask" or (x.kind == "vector" and x.order is None):
        raise Refused(f"rearranges {describe(x)}", "leave vectors in their order")
    numbers = torch.as_tensor(order_of(x))
    target: Any = call.node.target

    def operand(argument: Any) -> Any:
        if not isinstance(argument, Value):
            return argument
        return numbers if argument.op == call.value().op else torch.empty(argument.dims)

    positional, named = [], {}
    for argument in target._schema.arguments:
        value = operand(call.args.get(argument.name))
        if argument.kwarg_only:
            named[argument.name] = value
        else:
            positional.append(value)
    try:
        result = target(*positional, **named)
    except (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise Refused(f"rearranges {describe(x)}", KEEP_ORDER) from error
    assert isinstance(result, Tensor)
    return _settled(ctx, call, x, np.asarray(result.numpy(), np.int64))


def order_of(x: Value) -> Order:
    """The numbers of the entries, in the shape that PyTorch has for the value."""
    if x.order is not None:
        return x.order
    return np.arange(int(np.prod(x.shape)), dtype=np.int64).reshape(x.dims)


def _before_slices(ctx: Context, x: Value) -> Value:
    """The map of which ``x`` is a slice, with the order that makes it that slice."""
    op = next(op for op in ctx.ops if op.name == x.op)
    if x.order is not None or x.kind != "map" or not isinstance(op, Slice):
        return x
    source = next(other for other in ctx.ops if other.name == op.x)
    whole = replace(x, op=source.name, shape=source.shape, dims=(1, *source.shape))
    whole = _before_slices(ctx, whole)
    places = np.arange(op.start, op.start + op.shape[op.axis] * op.step, op.step)
    return replace(whole, dims=x.dims, order=order_of(whole).take(places, axis=op.axis + 1))


def _settled(ctx: Context, call: Call, x: Value, order: Order) -> Value:
    """``x`` in a new order: as an operation where there is one that makes it."""
    order = np.ascontiguousarray(order)  # a view of PyTorch is refused strides
    channels, pixels = x.shape[0], int(np.prod(x.shape[1:]))
    if x.kind == "vector":
        if not single_axis(order.shape, order.size):
            raise Refused(f"rearranges {describe(x)} to {list(order.shape)}", KEEP_ORDER)
        return replace(x, dims=order.shape, order=order)
    in_place = np.array_equal(order.ravel(), np.arange(channels * pixels))
    if in_place and order.shape in ((1, *x.shape), (1, channels, pixels)):
        return replace(x, dims=order.shape, order=None)
    if single_axis(order.shape, order.size):
        flat = ctx.emit(Flatten, call, (channels * pixels,), x=x.op)
        return ctx.in_order(flat, None if in_place else order)
    picked = _picked(ctx, call, x, order) if order.ndim == 4 and len(order) == 1 else None
    return replace(x, dims=order.shape, order=order) if picked is None else picked


def _picked(ctx: Context, call: Call, x: Value, order: Order) -> Value | None:
    """Some channels of a map, and all pixels or those at a step of 2; None for other orders."""
    (channels, height, width), (outs, rows, columns) = x.shape, order.shape[1:]
    first = order[0, :, 0, 0]
    source, place = np.divmod(first, height * width)
    top, left = np.divmod(place, width)
    steps = {int(order[0, 0, 1, 0] - first[0]) / width} if rows > 1 else set()
    steps |= {float(order[0, 0, 0, 1] - first[0])} if columns > 1 else set()
    step = int(next(iter(steps), 1.0))
    pixels = step * (width * np.arange(rows)[:, None] + np.arange(columns))
    if steps - {float(step)} or not 1 <= step <= MAX_STRIDE:
        return None
    if not np.array_equal(order[0], first[:, None, None] + pixels):
        return None
    found = _window(max(int(top.max()), int(left.max())), (rows, columns), step, x.shape[1:])
    if found is None:
        return None
    side, behind = found
    grouped = outs % channels == 0 and np.array_equal(
        source, np.repeat(np.arange(channels), outs // channels)
    )
    weight: Array = np.zeros((outs, 1 if grouped else channels, side, side))
    weight[np.arange(outs), 0 if grouped else source, top, left] = 1.0
    pick = ctx.emit(
        GeneralConv,
        call,
        order.shape[1:],
        x=x.op,
        weight=weight,
        bias=np.zeros(outs),
        stride=step,
        pads=(0, behind[0], 0, behind[1]),
        dilation=(1, 1),
        groups=channels if grouped else 1,
    )
    made = ctx.ops[-1]
    assert isinstance(made, GeneralConv)
    if square_conv(made, x.shape) is None:
        ctx.ops.pop()  # what follows may crop the other axis, too
        return None
    return pick


def _window(
    first: int, counts: tuple[int, ...], step: int, sizes: tuple[int, ...]
) -> tuple[int, list[int]] | None:
    """Side of a square kernel whose tap ``first`` meets ``counts`` pixels of the sides of a map,
    and the padding behind each."""
    for side in range(first + 1, MAX_KERNEL + 1):
        pairs = list(zip(counts, sizes, strict=True))
        behind = [max(0, (count - 1) * step + side - size) for count, size in pairs]
        met = [
            (size + pad - side) // step + 1 for (_, size), pad in zip(pairs, behind, strict=True)
        ]
        if met == list(counts) and (side == first + 1 or not any(behind)):
            return side, behind
    return None


def columns_of(x: Value, weight: Array) -> Array:
    """A matrix on a rearranged vector as one on the vector that is there, ``(O, I)``."""
    if x.order is None:
        return weight
    found = np.zeros((len(weight), x.channels))
    np.add.at(found.T, x.order.ravel(), weight.T)
    return found


def in_own_order(given: Array, x: Value) -> Array:
    """One number for each entry of a rearranged value, for the entries as they lie.

    Raises:
        Refused: views have repeated entries, or left some out.
    """
    found = np.empty(int(np.prod(x.shape)))
    order = order_of(x).ravel()
    if order.size != found.size or len(np.unique(order)) != found.size:
        raise Refused(f"arithmetic on {describe(x)}", KEEP_ORDER)
    found[order] = given.ravel()
    return found


def linear_on_pixels(ctx: Context, call: Call, x: Value, weight: Array, bias: Array) -> Value:
    """A linear layer over the channels of each pixel, ``[N, H, W, C]``: a 1x1 convolution.

    Raises:
        Refused: the last axis of ``x`` is not that of the channels.
    """
    (channels, height, width), outs = x.shape, len(weight)
    pixels = height * width
    last = _channels_last(channels, pixels)
    if x.dims[-1] != channels or not np.array_equal(order_of(x).reshape(-1, channels), last):
        raise Refused(f"a linear layer on {describe(x)}", KEEP_ORDER)
    value = ctx.emit(
        GeneralConv,
        call,
        (outs, height, width),
        x=x.op,
        weight=weight[:, :, None, None],
        bias=bias,
        stride=1,
        pads=(0, 0, 0, 0),
        dilation=(1, 1),
        groups=1,
    )
    return ctx.in_order(value, _channels_last(outs, pixels).reshape(call.dims))


def _channels_last(channels: int, pixels: int) -> Order:
    return np.arange(channels) * pixels + np.arange(pixels)[:, None]


def mean_of_rearranged(ctx: Context, call: Call, x: Value, reduced: set[int]) -> Value:
    """The mean over all pixels, wherever views have put their axes.

    Raises:
        Refused: it is another mean.
    """
    order, channels = order_of(x), x.channels
    kept = [axis for axis in range(order.ndim) if axis not in reduced]
    groups = order.transpose(*kept, *sorted(reduced)).reshape(
        int(np.prod([order.shape[axis] for axis in kept])), -1
    )
    pixels = int(np.prod(x.shape[1:]))
    each = np.arange(channels * pixels).reshape(channels, pixels)
    if x.kind != "map" or not np.array_equal(np.sort(groups, axis=1), each):
        what = f"mean over axes {sorted(reduced)} of {describe(x)}"
        raise Refused(what, KEEP_ORDER, about_inputs=True)
    return ctx.emit(GlobalAvg, call, (channels,), x=x.op)


HANDLERS = {
    "aten::channel_shuffle": rearranged,
    "aten::flip": rearranged,
    "aten::index": rearranged,
    "aten::index_select": rearranged,
    "aten::movedim": rearranged,
    "aten::native_channel_shuffle": rearranged,
    "aten::pixel_unshuffle": rearranged,
    "aten::repeat": rearranged,
    "aten::roll": rearranged,
    "aten::unflatten": rearranged,
}

#: Operators that take rearranged values; all others are refused them.
FOLLOWS_ORDER = frozenset(HANDLERS) | {
    f"aten::{name}"
    for name in (
        "_to_copy", "_unsafe_view", "abs", "add", "addmm", "alias", "batch_norm", "clamp",
        "clamp_max", "clamp_min", "clone", "contiguous", "detach", "div", "dropout", "expand",
        "expand_as", "flatten", "hardsigmoid", "hardtanh", "leaky_relu", "linear", "matmul",
        "mean", "mm", "mul", "neg", "permute", "relu", "relu6", "reshape", "rsub", "slice",
        "squeeze", "sub", "t", "threshold", "to", "transpose", "type_as", "unsqueeze", "view",
    )
}  # fmt: skip
