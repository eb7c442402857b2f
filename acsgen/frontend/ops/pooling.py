"""Handlers of pooling and means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import GeneralConv, GlobalAvg, PartialMean, Pool
from acsgen.frontend.ops.rearrange import mean_of_rearranged


def _floor_size(size: int, kernel: int, stride: int, pad: int) -> int:
    return (size + 2 * pad - kernel) // stride + 1


def _check_plain_size(call: Call, x: Value, kernel: int, stride: int, pad: int) -> None:
    expected = tuple(_floor_size(size, kernel, stride, pad) for size in x.shape[1:])
    if call.dims[-2:] != expected:
        raise Refused(
            f"ceil_mode pools to {call.dims[-2]}x{call.dims[-1]}, beyond the edge of the map",
            "set ceil_mode=False",
        )


def _stride(x: Value, kernel: int, stride: int, pad: int) -> int:
    """The stride, or 1 where there is one output pixel and it means nothing."""
    single = all(size + 2 * pad == kernel for size in x.shape[1:])
    return 1 if single else stride


def _max_pool(ctx: Context, call: Call) -> Value:
    x = call.map()
    kernel = call.square("kernel_size")
    stride = call.square("stride", (kernel, kernel))
    pad = call.square("padding", (0, 0))
    if call.square("dilation", (1, 1)) != 1:
        raise Refused(f"dilation {call.square('dilation')}", "pool without dilation")
    _check_plain_size(call, x, kernel, stride, pad)
    stride = _stride(x, kernel, stride, pad)
    return ctx.emit(
        Pool, call, call.dims[1:], x=x.op, mode="max", kernel=kernel, stride=stride, pad=pad
    )


def _avg_pool(ctx: Context, call: Call) -> Value:
    x = call.map()
    pair = call.args["kernel_size"]
    if _pad_free(call) and (int(pair[0]), int(pair[-1])) == x.shape[1:]:
        if call.args.get("divisor_override") not in (None, x.shape[1] * x.shape[2]):
            raise Refused("divisor_override", "leave it out")
        return ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)
    kernel = call.square("kernel_size")
    stride = call.square("stride", (kernel, kernel))
    pad = call.square("padding", (0, 0))
    if call.args.get("divisor_override") not in (None, kernel * kernel):
        raise Refused("divisor_override", "leave it out")
    if pad and not call.args.get("count_include_pad", True):
        raise Refused("an average that leaves out the padding", "set count_include_pad=True")
    _check_plain_size(call, x, kernel, stride, pad)
    return ctx.emit(
        Pool, call, call.dims[1:], x=x.op, mode="avg", kernel=kernel, stride=stride, pad=pad
    )


def _pad_free(call: Call) -> bool:
    """Whether a pooling node pads nothing."""
    padding = call.args.get("padding") or 0
    return not any(padding) if isinstance(padding, (list, tuple)) else padding == 0


def _adaptive_avg_pool(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind == "vector" and x.dims == call.dims:
        return x
    x = call.map()
    _, height, width = x.shape
    out_height, out_width = call.dims[-2:]
    if (out_height, out_width) == (1, 1):
        return ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)
    if (out_height, out_width) == (height, width):
        return x
    kernel = height // out_height
    if height != out_height * kernel or width != out_width * kernel:
        raise Refused(
            f"adaptive pooling from {height}x{width} to {out_height}x{out_width} "
            "has windows of different sizes",
            "pool to 1x1, or use AvgPool2d",
        )
    return ctx.emit(
        Pool, call, call.dims[1:], x=x.op, mode="avg", kernel=kernel, stride=kernel, pad=0
    )


def _mean(ctx: Context, call: Call) -> Value:
    x = call.value()
    axes = call.args.get("dim")
    count = len(x.dims)
    given = range(count) if not axes else ([axes] if isinstance(axes, int) else axes)
    reduced = {int(axis) % count for axis in given}
    if x.order is not None:
        return mean_of_rearranged(ctx, call, x, reduced)
    if x.is_plain_map and reduced == {1} and call.dims == (1, 1, *x.shape[1:]):
        return _mean_of_channels(ctx, call, x)
    if x.kind == "vector" and count == 4 and reduced <= {2, 3} and x.dims[2:] == (1, 1):
        return replace(x, dims=call.dims)
    if x.kind != "map":
        raise Refused(f"mean of {describe(x)}", about_inputs=True)
    left = [axis for axis in range(count) if axis not in reduced and x.dims[axis] > 1]
    if 0 in reduced or 1 in reduced or x.dims[:2] != (1, x.channels):
        raise Refused(f"mean over axes {sorted(reduced)}", "take the mean over height and width")
    if any(axis >= 2 for axis in left):
        return _partial_mean(ctx, call, x, reduced)
    return ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)


def _mean_of_channels(ctx: Context, call: Call, x: Value) -> Value:
    return ctx.emit(
        GeneralConv,
        call,
        call.dims[1:],
        x=x.op,
        weight=np.full((1, x.channels, 1, 1), 1 / x.channels),
        bias=np.zeros(1),
        stride=1,
        pads=(0, 0, 0, 0),
        dilation=(1, 1),
        groups=1,
    )


def _sum(ctx: Context, call: Call) -> Value:
    """The sum over a map is its mean times its pixels."""
    x = call.value()
    axes = call.args.get("dim")
    if x.kind != "map" or not x.is_plain_map or sorted(int(a) % 4 for a in axes or ()) != [2, 3]:
        raise Refused(f"sum of {describe(x)}", "sum over height and width, x.sum((2, 3))")
    _, height, width = x.shape
    mean = ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")  # the exported node is the sum
    return ctx.affine(call, mean, np.asarray(float(height * width)), np.asarray(0.0))


def _partial_mean(ctx: Context, call: Call, x: Value, reduced: set[int]) -> Value:
    """A mean over the rows or the columns only."""
    if len(reduced) != 1 or not x.is_plain_map:
        raise Refused(f"mean over axes {sorted(reduced)}", "take the mean over height and width")
    axis = reduced.pop() - 1
    shape = tuple(1 if place == axis else size for place, size in enumerate(x.shape))
    return ctx.emit(PartialMean, call, shape, x=x.op, axis=axis)


HANDLERS = {
    "aten::_adaptive_avg_pool2d": _adaptive_avg_pool,
    "aten::adaptive_avg_pool2d": _adaptive_avg_pool,
    "aten::avg_pool2d": _avg_pool,
    "aten::max_pool2d": _max_pool,
    "aten::max_pool2d_with_indices": _max_pool,
    "aten::mean": _mean,
    "aten::sum": _sum,
}
