"""Handlers of convolution, linear layers, batch norm and activations."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from acsgen.frontend.context import Call, Context, Refused, Value, describe, single_axis
from acsgen.frontend.opgraph import (
    Affine,
    Array,
    Flatten,
    GeneralConv,
    LeakyRelu,
    Linear,
    Op,
    Relu,
    Sigmoid,
    Softmax,
)
from acsgen.frontend.ops.extremes import clip
from acsgen.frontend.ops.rearrange import columns_of, in_own_order, linear_on_pixels
from acsgen.isa.generated import MAX_KERNEL

Pads = tuple[int, int, int, int]


def _conv(ctx: Context, call: Call) -> Value:
    if call.args.get("transposed"):
        raise Refused("transposed convolution", "use Conv2d")
    weight = call.constant("weight")
    assert weight is not None
    if weight.ndim != 4:
        raise Refused(f"a {weight.ndim - 2}-dimensional convolution", "use Conv2d")
    name = "input" if "input" in call.args else "self"
    call.require_floats(name)
    x = call.value(name)
    groups = int(call.args.get("groups", 1))
    outputs = weight.shape[0]
    stride = call.square("stride", (1, 1))
    dilation = _pair(call, "dilation", (1, 1))
    pads = _padding(call, weight, dilation)
    bias = call.constant("bias")
    bias = np.zeros(outputs) if bias is None else bias
    if x.kind == "vector" and x.dims == (1, x.channels, 1, 1):
        dense = _linear_of_tap(weight, pads, dilation, groups)
        return ctx.emit(Linear, call, (outputs,), x=x.op, weight=dense, bias=bias)
    if not x.is_plain_map:
        raise Refused(f"works on a map, but its input is {describe(x)}", about_inputs=True)
    if call.dims[-2:] == (1, 1) and max(weight.shape[2:]) > MAX_KERNEL and not any(pads):
        return _over_whole_map(ctx, call, x, weight, bias, dilation, groups)
    return ctx.emit(
        GeneralConv,
        call,
        call.dims[1:],
        x=x.op,
        weight=weight,
        bias=bias,
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=groups,
    )


def _over_whole_map(
    ctx: Context,
    call: Call,
    x: Value,
    weight: Array,
    bias: Array,
    dilation: tuple[int, int],
    groups: int,
) -> Value:
    """A large kernel that has one place on the map: a linear layer of the flattened map."""
    outputs, inputs = weight.shape[:2]
    dense = np.zeros((outputs, *x.shape))
    rows, columns = (
        step * np.arange(size) for size, step in zip(weight.shape[2:], dilation, strict=True)
    )
    for output in range(outputs):
        first = output // (outputs // groups) * inputs
        place = np.ix_(np.arange(first, first + inputs), rows, columns)
        dense[output][place] = weight[output]
    pixels = int(np.prod(x.shape))
    flat = ctx.emit(Flatten, call, (pixels,), x=x.op)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    matrix = dense.reshape(outputs, pixels)
    return ctx.emit(Linear, call, (outputs,), x=flat.op, weight=matrix, bias=bias)


def _pair(call: Call, name: str, default: tuple[int, int]) -> tuple[int, int]:
    """An argument for rows and columns, given for both or once."""
    pair = call.args.get(name)
    if isinstance(pair, int):
        return pair, pair
    return (int(pair[0]), int(pair[-1])) if pair else default


def _padding(call: Call, weight: Array, dilation: tuple[int, int]) -> Pads:
    padding = call.args.get("padding")
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        sizes = zip(weight.shape[2:], dilation, strict=True)
        totals = [step * (size - 1) for size, step in sizes]
        top, left = (total // 2 for total in totals)
        return top, totals[0] - top, left, totals[1] - left
    rows, columns = _pair(call, "padding", (0, 0))
    return rows, rows, columns, columns


def _linear_of_tap(weight: Array, pads: Pads, dilation: tuple[int, int], groups: int) -> Array:
    """The matrix ``(O, I)`` that a convolution is on a 1x1 map: its tap over the only pixel."""
    tap: Array = np.zeros((weight.shape[0], weight.shape[1]))
    (row, off_row), (column, off_column) = (
        divmod(pads[0], dilation[0]),
        divmod(pads[2], dilation[1]),
    )
    if not off_row and not off_column and row < weight.shape[2] and column < weight.shape[3]:
        tap = weight[:, :, row, column]
    outputs, inputs = tap.shape
    dense = np.zeros((outputs, inputs * groups))
    per_group = outputs // groups
    for g in range(groups):
        rows = slice(g * per_group, (g + 1) * per_group)
        dense[rows, g * inputs : (g + 1) * inputs] = tap[rows]
    return dense


def _emit_linear(ctx: Context, call: Call, x: Value, weight: Array, bias: Array | None) -> Value:
    if x.kind == "map" and x.order is None:
        raise Refused(
            f"a linear layer directly on {describe(x)}",
            "flatten the map or take its global average first",
            about_inputs=True,
        )
    if bias is not None and not single_axis(bias.shape, weight.shape[0]):
        raise Refused(f"bias of shape {bias.shape}", "use nn.Linear")
    flat = np.zeros(weight.shape[0]) if bias is None else bias.reshape(-1)
    if x.kind == "map":
        return linear_on_pixels(ctx, call, x, weight, flat)
    if x.kind == "mask" or x.dims[-1] != weight.shape[1] or x.is_expanded:
        raise Refused(f"a linear layer on {describe(x)}", about_inputs=True)
    weight = columns_of(x, weight)
    return ctx.emit(Linear, call, (weight.shape[0],), x=x.op, weight=weight, bias=flat)


def _linear(ctx: Context, call: Call) -> Value:
    weight = call.constant("weight")
    assert weight is not None
    call.require_floats("input")
    return _emit_linear(ctx, call, call.value("input"), weight, call.constant("bias"))


def _addmm(ctx: Context, call: Call) -> Value:
    weight = call.constant("mat2")
    bias = call.constant("self")
    assert weight is not None
    assert bias is not None
    call.require_floats("mat1")
    alpha, beta = float(call.args.get("alpha", 1)), float(call.args.get("beta", 1))
    return _emit_linear(ctx, call, call.value("mat1"), alpha * weight.T, beta * bias)


def _mm(ctx: Context, call: Call) -> Value:
    weight = call.constant("mat2" if "mat2" in call.args else "other")
    assert weight is not None
    if weight.ndim != 2:
        raise Refused(f"a product with a constant of shape {weight.shape}", "use nn.Linear")
    call.require_floats("self")
    return _emit_linear(ctx, call, call.value("self"), weight.T, None)


def _batch_norm(ctx: Context, call: Call) -> Value:
    call.require_floats("input")
    x = call.value("input")
    mean, variance = call.constant("running_mean"), call.constant("running_var")
    if mean is None or variance is None:
        raise Refused("batch norm without running statistics", "set track_running_stats=True")
    if call.args.get("training"):
        raise Refused("batch norm in training mode", "call model.eval() before exporting")
    if x.kind == "mask" or x.is_expanded or not (x.kind == "vector" or x.is_plain_map):
        raise Refused(f"batch norm of {describe(x)}", about_inputs=True)
    weight, bias = call.constant("weight"), call.constant("bias")
    scale = (1.0 if weight is None else weight) / np.sqrt(variance + float(call.args["eps"]))
    offset = (0.0 if bias is None else bias) - mean * scale
    if x.order is not None:
        scale, offset = in_own_order(scale, x), in_own_order(offset, x)
    return ctx.affine(call, x, scale, offset)


def _relu(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind == "mask":
        return x
    if x.is_expanded:
        raise Refused(f"ReLU of {describe(x)}", about_inputs=True)
    return ctx.elementwise(Relu, call, x)


def _clamp(ctx: Context, call: Call) -> Value:
    low = call.args.get("min", call.args.get("min_val"))
    high = call.args.get("max", call.args.get("max_val"))
    if low == 0 and high is None:
        return _relu(ctx, call)
    if isinstance(low, Value) or isinstance(high, Value):
        raise Refused("clamping to a value computed from the image", "clamp to numbers")
    ends = (-inf if low is None else float(low), inf if high is None else float(high))
    return clip(ctx, call, call.value(), *ends)


def _relu6(ctx: Context, call: Call) -> Value:
    return clip(ctx, call, call.value(), 0.0, 6.0)


def _elementwise(ctx: Context, call: Call, kind: type[Op], label: str, **fields: Any) -> Value:
    x = call.value()
    if x.kind == "mask" or x.is_expanded:
        raise Refused(f"{label} of {describe(x)}", about_inputs=True)
    return ctx.elementwise(kind, call, x, **fields)


def _leaky_relu(ctx: Context, call: Call) -> Value:
    slope = np.full(call.value().channels, float(call.args.get("negative_slope", 0.01)))
    return _elementwise(ctx, call, LeakyRelu, "LeakyReLU", slope=slope)


def _prelu(ctx: Context, call: Call) -> Value:
    weight = call.constant("weight")
    assert weight is not None
    slope = np.broadcast_to(weight.reshape(-1), (call.value().channels,))
    return _elementwise(ctx, call, LeakyRelu, "PReLU", slope=slope)


def _softmax(ctx: Context, call: Call) -> Value:
    x = call.value()
    dimension = int(call.args.get("dim", -1)) % len(x.dims)
    if x.kind != "vector" or x.is_expanded or x.dims[dimension] != x.channels:
        raise Refused(
            f"softmax of {describe(x)}",
            "take the softmax of the logits [N, classes] on dimension 1, or remove it",
        )
    return ctx.emit(Softmax, call, x.shape, x=x.op)


def _sigmoid(ctx: Context, call: Call) -> Value:
    x = ctx.as_vector(call, call.value())
    if x.kind != "vector" or x.is_expanded:
        raise Refused(
            f"sigmoid of {describe(x)}",
            "sigmoid is available on the vector of a squeeze-and-excitation only",
            about_inputs=True,
        )
    return ctx.emit(Sigmoid, call, x.shape, x=x.op)


def _tanh(ctx: Context, call: Call) -> Value:
    """``tanh(x) = 2 sigmoid(2 x) - 1``."""
    x = ctx.as_vector(call, call.value())
    if x.kind != "vector" or x.is_expanded:
        raise Refused(f"tanh of {describe(x)}", "use ReLU on maps", about_inputs=True)
    twice, zeros = np.full(x.channels, 2.0), np.zeros(x.channels)
    doubled = ctx.emit(Affine, call, x.shape, x=x.op, scale=twice, offset=zeros)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    half = ctx.emit(Sigmoid, call, x.shape, x=doubled.op)
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    return ctx.emit(Affine, call, x.shape, x=half.op, scale=twice, offset=zeros - 1)


HANDLERS = {
    "aten::_native_batch_norm_legit": _batch_norm,
    "aten::_native_batch_norm_legit_functional": _batch_norm,
    "aten::_native_batch_norm_legit_no_training": _batch_norm,
    "aten::addmm": _addmm,
    "aten::batch_norm": _batch_norm,
    "aten::clamp": _clamp,
    "aten::clamp_max": _clamp,
    "aten::clamp_min": _clamp,
    "aten::hardtanh": _clamp,
    "aten::leaky_relu": _leaky_relu,
    "aten::prelu": _prelu,
    "aten::_prelu_kernel": _prelu,
    "aten::relu6": _relu6,
    "aten::softmax": _softmax,
    "aten::_softmax": _softmax,
    "aten::log_softmax": _softmax,
    "aten::_log_softmax": _softmax,
    "aten::conv2d": _conv,
    "aten::convolution": _conv,
    "aten::linear": _linear,
    "aten::matmul": _mm,
    "aten::mm": _mm,
    "aten::native_batch_norm": _batch_norm,
    "aten::relu": _relu,
    "aten::sigmoid": _sigmoid,
    "aten::tanh": _tanh,
}
