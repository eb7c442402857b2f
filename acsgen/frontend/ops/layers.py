"""Handlers of convolution, linear layers, batch norm and activations."""

from __future__ import annotations

import numpy as np

from acsgen.frontend.context import Call, Context, Refused, Value, describe, single_axis
from acsgen.frontend.opgraph import Array, Conv, Linear, Relu, Sigmoid


def _conv(ctx: Context, call: Call) -> Value:
    if call.args.get("transposed"):
        raise Refused("transposed convolution", "use Conv2d")
    weight = call.constant("weight")
    assert weight is not None
    if weight.ndim != 4:
        raise Refused(f"a {weight.ndim - 2}-dimensional convolution", "use Conv2d")
    x = call.value("input" if "input" in call.args else "self")
    groups = int(call.args.get("groups", 1))
    outputs, _, height, width = weight.shape
    reasons = []
    if height != width:
        reasons.append(f"kernel {height}x{width} is not square")
    if call.square("dilation", (1, 1)) != 1 and (height, width) != (1, 1):
        reasons.append(f"dilation {call.square('dilation')}")
    if reasons:
        raise Refused(", ".join(reasons), "use a square kernel without dilation")
    stride = call.square("stride", (1, 1))
    pad = _padding(call, height)
    bias = call.constant("bias")
    bias = np.zeros(outputs) if bias is None else bias
    if x.kind == "vector" and x.dims == (1, x.channels, 1, 1):
        dense = _linear_of_tap(weight, pad, groups)
        return ctx.emit(Linear, call, (outputs,), x=x.op, weight=dense, bias=bias)
    if not x.is_plain_map:
        raise Refused(f"works on a map, but its input is {describe(x)}", about_inputs=True)
    if x.shape[1] + 2 * pad == height and x.shape[2] + 2 * pad == width:
        stride = 1  # a single output pixel
    shape = call.dims[1:]
    return ctx.emit(
        Conv, call, shape, x=x.op, weight=weight, bias=bias, stride=stride, pad=pad, groups=groups
    )


def _padding(call: Call, kernel: int) -> int:
    padding = call.args.get("padding")
    if padding == "valid":
        return 0
    if padding == "same":
        if kernel % 2 == 0:
            raise Refused("padding 'same' of an even kernel is not symmetric", "pad by a number")
        return kernel // 2
    return call.square("padding", (0, 0))


def _linear_of_tap(weight: Array, pad: int, groups: int) -> Array:
    """The matrix ``(O, I)`` that a convolution is on a 1x1 map: its tap over the only pixel."""
    tap = weight[:, :, pad, pad] if pad < weight.shape[2] else np.zeros(weight.shape[:2])
    outputs, inputs = tap.shape
    dense = np.zeros((outputs, inputs * groups))
    per_group = outputs // groups
    for g in range(groups):
        rows = slice(g * per_group, (g + 1) * per_group)
        dense[rows, g * inputs : (g + 1) * inputs] = tap[rows]
    return dense


def _emit_linear(ctx: Context, call: Call, x: Value, weight: Array, bias: Array | None) -> Value:
    if x.kind == "map":
        raise Refused(
            f"a linear layer directly on {describe(x)}",
            "flatten the map or take its global average first",
            about_inputs=True,
        )
    if x.kind == "mask" or x.dims[-1] != x.channels or x.is_expanded:
        raise Refused(f"a linear layer on {describe(x)}", about_inputs=True)
    if bias is not None and not single_axis(bias.shape, weight.shape[0]):
        raise Refused(f"bias of shape {bias.shape}", "use nn.Linear")
    flat = np.zeros(weight.shape[0]) if bias is None else bias.reshape(-1)
    return ctx.emit(Linear, call, (weight.shape[0],), x=x.op, weight=weight, bias=flat)


def _linear(ctx: Context, call: Call) -> Value:
    weight = call.constant("weight")
    assert weight is not None
    return _emit_linear(ctx, call, call.value("input"), weight, call.constant("bias"))


def _addmm(ctx: Context, call: Call) -> Value:
    weight = call.constant("mat2")
    bias = call.constant("self")
    assert weight is not None
    assert bias is not None
    alpha, beta = float(call.args.get("alpha", 1)), float(call.args.get("beta", 1))
    return _emit_linear(ctx, call, call.value("mat1"), alpha * weight.T, beta * bias)


def _mm(ctx: Context, call: Call) -> Value:
    weight = call.constant("mat2" if "mat2" in call.args else "other")
    assert weight is not None
    if weight.ndim != 2:
        raise Refused(f"a product with a constant of shape {weight.shape}", "use nn.Linear")
    return _emit_linear(ctx, call, call.value("self"), weight.T, None)


def _batch_norm(ctx: Context, call: Call) -> Value:
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
    return ctx.affine(call, x, scale, offset)


def _relu(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind == "mask":
        return x
    if x.is_expanded:
        raise Refused(f"ReLU of {describe(x)}", about_inputs=True)
    return ctx.emit(Relu, call, x.shape, x=x.op)


def _clamp(ctx: Context, call: Call) -> Value:
    low, high = call.args.get("min"), call.args.get("max")
    if low != 0 or high is not None:
        raise Refused(f"clamping to {low}..{high}", "use ReLU")
    return _relu(ctx, call)


def _sigmoid(ctx: Context, call: Call) -> Value:
    x = ctx.as_vector(call, call.value())
    if x.kind != "vector" or x.is_expanded:
        raise Refused(
            f"sigmoid of {describe(x)}",
            "sigmoid is available on the vector of a squeeze-and-excitation only",
            about_inputs=True,
        )
    return ctx.emit(Sigmoid, call, x.shape, x=x.op)


HANDLERS = {
    "aten::_native_batch_norm_legit": _batch_norm,
    "aten::_native_batch_norm_legit_functional": _batch_norm,
    "aten::_native_batch_norm_legit_no_training": _batch_norm,
    "aten::addmm": _addmm,
    "aten::batch_norm": _batch_norm,
    "aten::clamp": _clamp,
    "aten::clamp_min": _clamp,
    "aten::conv2d": _conv,
    "aten::convolution": _conv,
    "aten::linear": _linear,
    "aten::matmul": _mm,
    "aten::mm": _mm,
    "aten::native_batch_norm": _batch_norm,
    "aten::relu": _relu,
    "aten::sigmoid": _sigmoid,
}
