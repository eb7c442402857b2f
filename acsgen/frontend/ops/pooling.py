"""Handlers of pooling and means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import Flatten, GeneralConv, GlobalAvg, PartialMean, Pool
from acsgen.frontend.ops.extremes import maximum
from acsgen.frontend.ops.rearrange import mean_of_rearranged
from acsgen.frontend.ops.windows import Axis, adaptive, sliding
from acsgen.frontend.pool_ops import EdgePad, GlobalMax, PartialMax, WindowMeans
from acsgen.isa.generated import MAX_KERNEL, MAX_STRIDE

_MAX_REMEDY = "take the maximum over height and width, x.amax((2, 3))"


def _floor_size(size: int, kernel: int, stride: int, pad: int) -> int:
    return (size + 2 * pad - kernel) // stride + 1


def _stride(x: Value, kernel: int, stride: int, pad: int) -> int:
    """The stride, or 1 where there is one output pixel and it means nothing."""
    single = all(size + 2 * pad == kernel for size in x.shape[1:])
    return 1 if single else stride


def _max_pool(ctx: Context, call: Call) -> Value:
    x = call.map()
    whole = _pair(call, "kernel_size")
    if whole == x.shape[1:] and not any(_pair(call, "padding")) and not _is_window(whole):
        return ctx.emit(GlobalMax, call, (x.channels, 1, 1), x=x.op)
    kernel = call.square("kernel_size")
    stride = call.square("stride", (kernel, kernel))
    pad = call.square("padding", (0, 0))
    if call.square("dilation", (1, 1)) != 1:
        raise Refused(f"dilation {call.square('dilation')}", "pool without dilation")
    source = _with_edge(ctx, call, x, kernel, stride, pad)
    stride = _stride(x, kernel, stride, pad)
    return ctx.emit(
        Pool, call, call.dims[1:], x=source.op, mode="max", kernel=kernel, stride=stride, pad=pad
    )


def _with_edge(ctx: Context, call: Call, x: Value, kernel: int, stride: int, pad: int) -> Value:
    """The map with the rows and columns that windows of ``ceil_mode`` need beyond its edge."""
    wanted = call.dims[-2:]
    if wanted == tuple(_floor_size(size, kernel, stride, pad) for size in x.shape[1:]):
        return x
    sizes = zip(wanted, x.shape[1:], strict=True)
    count = max((out - 1) * stride + kernel - size - 2 * pad for out, size in sizes)
    shape = (x.channels, *(size + count for size in x.shape[1:]))
    if wanted != tuple(_floor_size(size, kernel, stride, pad) for size in shape[1:]):
        what = f"ceil_mode pools {x.shape[1]}x{x.shape[2]} to {wanted[0]}x{wanted[1]}"
        raise Refused(f"{what}, beyond the edge of the map", "set ceil_mode=False")
    padded = ctx.emit(EdgePad, call, shape, x=x.op, count=count)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")  # the exported node is the pool
    return padded


def _pair(call: Call, name: str, default: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """An argument for rows and columns, given for both, once or not at all."""
    pair = call.args.get(name)
    if isinstance(pair, int):
        return pair, pair
    return (int(pair[0]), int(pair[-1])) if pair else default


def _is_window(kernel: tuple[int, int]) -> bool:
    """Whether the engine pools over windows of this size."""
    return kernel[0] == kernel[1] <= MAX_KERNEL


def _avg_pool(ctx: Context, call: Call) -> Value:
    x = call.map()
    kernel = _pair(call, "kernel_size")
    stride, pad = _pair(call, "stride", kernel), _pair(call, "padding")
    counts = not any(pad) or bool(call.args.get("count_include_pad", True))
    divisor = call.args.get("divisor_override")
    if divisor not in (None, kernel[0] * kernel[1]):
        raise Refused("divisor_override", "leave it out, and multiply by a number")
    if not any(pad) and kernel == x.shape[1:]:
        return ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)
    axes = [
        sliding(size, out, *window)
        for size, out, *window in zip(x.shape[1:], call.dims[-2:], kernel, stride, pad, strict=True)
    ]
    floors = tuple(
        _floor_size(size, *window)
        for size, *window in zip(x.shape[1:], kernel, stride, pad, strict=True)
    )
    if call.dims[-2:] != floors:
        what = f"ceil_mode pools to {call.dims[-2]}x{call.dims[-1]}, beyond the edge of the map"
        return _window_means(ctx, call, x, axes, counts, what, "set ceil_mode=False")
    if not counts:
        what, remedy = "an average that leaves out the padding", "set count_include_pad=True"
        return _window_means(ctx, call, x, axes, counts, what, remedy)
    return _windows(ctx, call, x, axes, kernel, stride, pad)


def _windows(
    ctx: Context,
    call: Call,
    x: Value,
    axes: list[Axis],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int],
) -> Value:
    """Average over windows that are all alike: a pool, a convolution, or means of windows."""
    if all(first == last for first, last in (kernel, stride, pad)):
        step = _stride(x, kernel[0], stride[0], pad[0])
        window = {"kernel": kernel[0], "stride": step, "pad": pad[0]}
        return ctx.emit(Pool, call, call.dims[1:], x=x.op, mode="avg", **window)
    if stride[0] != stride[1] or max(kernel) > MAX_KERNEL or stride[0] > MAX_STRIDE:
        what = f"an average over {kernel[0]}x{kernel[1]} in steps of {stride[0]}x{stride[1]}"
        remedy = "use the same kernel and stride both ways, or flatten it before a linear layer"
        return _window_means(ctx, call, x, axes, True, what, remedy)
    return ctx.emit(
        GeneralConv,
        call,
        call.dims[1:],
        x=x.op,
        weight=np.full((x.channels, 1, *kernel), 1.0 / (kernel[0] * kernel[1])),
        bias=np.zeros(x.channels),
        stride=stride[0],
        pads=(pad[0], pad[0], pad[1], pad[1]),
        dilation=(1, 1),
        groups=x.channels,
    )


def _window_means(
    ctx: Context,
    call: Call,
    x: Value,
    axes: list[Axis],
    padding_counts: bool,
    what: str,
    remedy: str,
) -> Value:
    rows, columns = (axis.means(padding_counts) for axis in axes)
    kind, shape = WindowMeans, call.dims[1:]
    words = {"what": what, "remedy": remedy}
    return ctx.emit(kind, call, shape, x=x.op, rows=rows, columns=columns, **words)


def _adaptive_avg_pool(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind == "vector" and x.dims == call.dims:
        return x
    x = call.map()
    size, out = x.shape[1:], call.dims[-2:]
    if out == (1, 1):
        return ctx.emit(GlobalAvg, call, (x.channels,), x=x.op)
    if out == size:
        return x
    axes = [adaptive(*pair) for pair in zip(size, out, strict=True)]
    rows, columns = (axis.regular for axis in axes)
    if rows is None or columns is None:
        what = f"adaptive pooling from {size[0]}x{size[1]} to {out[0]}x{out[1]} "
        what += "has windows of different sizes"
        remedy = "pool to 1x1, use AvgPool2d, or flatten it before a linear layer"
        return _window_means(ctx, call, x, axes, True, what, remedy)
    kernel, stride = (rows[0], columns[0]), (rows[1], columns[1])
    return _windows(ctx, call, x, axes, kernel, stride, (0, 0))


def _adaptive_max_pool(ctx: Context, call: Call) -> Value:
    x = call.map()
    size, out = x.shape[1:], call.dims[-2:]
    if out == (1, 1):
        return _largest_pixel(ctx, call, x)
    if out == size:
        return x
    rows, columns = (adaptive(*pair).regular for pair in zip(size, out, strict=True))
    if rows is None or rows != columns:
        what = f"adaptive pooling from {size[0]}x{size[1]} to {out[0]}x{out[1]} "
        what += "has windows that are not square or differ in size"
        raise Refused(what, "pool to 1x1, or use MaxPool2d with a square kernel")
    kernel, stride = rows
    shape = call.dims[1:]
    return ctx.emit(Pool, call, shape, x=x.op, mode="max", kernel=kernel, stride=stride, pad=0)


def _are_single(x: Value, axes: set[int]) -> bool:
    """Whether a vector has no more than one entry along these axes, behind its channels'."""
    return not x.is_expanded and all(axis >= 2 and x.dims[axis] == 1 for axis in axes)


def _largest_pixel(ctx: Context, call: Call, x: Value) -> Value:
    """The vector of each channel's largest pixel."""
    largest = ctx.emit(GlobalMax, call, (x.channels, 1, 1), x=x.op)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    return ctx.emit(Flatten, call, (x.channels,), x=largest.op)


def _max(ctx: Context, call: Call) -> Value:
    """The maximum over axes, or of two tensors."""
    if "other" in call.args:
        return maximum(ctx, call)
    x = call.value()
    axes = call.args.get("dim")
    count = len(x.dims)
    given = range(count) if axes in (None, []) else ([axes] if isinstance(axes, int) else axes)
    reduced = {int(axis) % count for axis in given}
    if x.kind == "vector" and _are_single(x, reduced):
        return replace(x, dims=call.dims)
    if x.kind != "map":
        raise Refused(f"maximum of {describe(x)}", _MAX_REMEDY, about_inputs=True)
    left = [axis for axis in range(count) if axis not in reduced and x.dims[axis] > 1]
    if 0 in reduced or 1 in reduced or x.dims[:2] != (1, x.channels):
        raise Refused(f"maximum over axes {sorted(reduced)}", _MAX_REMEDY)
    if not any(axis >= 2 for axis in left):
        return _largest_pixel(ctx, call, x)
    if len(reduced) != 1 or count != 4:
        raise Refused(f"maximum over axes {sorted(reduced)}", _MAX_REMEDY)
    axis = reduced.pop() - 1
    shape = tuple(1 if place == axis else size for place, size in enumerate(x.shape))
    return ctx.emit(PartialMax, call, shape, x=x.op, axis=axis)


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
    if x.kind == "vector" and _are_single(x, reduced):
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
    "aten::adaptive_max_pool2d": _adaptive_max_pool,
    "aten::amax": _max,
    "aten::avg_pool2d": _avg_pool,
    "aten::max": _max,
    "aten::max_pool2d": _max_pool,
    "aten::max_pool2d_with_indices": _max_pool,
    "aten::mean": _mean,
    "aten::sum": _sum,
}
