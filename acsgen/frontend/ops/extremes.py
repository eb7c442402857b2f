"""Handlers of maxima and minima, entry by entry, and of activations that are cut at an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import Clip, LeakyRelu, MulVectors, Sigmoid
from acsgen.frontend.pool_ops import Extreme

_INFINITY = float("inf")


def clip(ctx: Context, call: Call, x: Value, low: float, high: float) -> Value:
    """``x`` held between two numbers, one of which may be infinite.

    Raises:
        Refused: it is a mask, or stands for more entries than it has.
    """
    if x.kind == "mask" or x.is_expanded:
        raise Refused(f"clamping of {describe(x)}", about_inputs=True)
    return ctx.elementwise(Clip, call, x, low=low, high=high)


def maximum(ctx: Context, call: Call) -> Value:
    """The larger of two maps or vectors, or of one and a number."""
    return _extreme(ctx, call, largest=True)


def _minimum(ctx: Context, call: Call) -> Value:
    return _extreme(ctx, call, largest=False)


def _extreme(ctx: Context, call: Call, largest: bool) -> Value:
    left: Any = call.args["self"]
    right: Any = call.args["other"]
    word = "maximum" if largest else "minimum"
    for x, other in ((left, right), (right, left)):
        if not isinstance(other, Value):
            numbers = torch.unique(torch.as_tensor(other))
            if len(numbers) != 1:
                raise Refused(f"{word} with several constants", "use one number")
            bound = float(numbers[0])
            return clip(ctx, call, x, *((bound, _INFINITY) if largest else (-_INFINITY, bound)))
    vectors = left.kind == right.kind == "vector" and not (left.is_expanded or right.is_expanded)
    if left.dims != right.dims or not (vectors or (left.is_plain_map and right.is_plain_map)):
        what = f"{word} of {describe(left)} and {describe(right)}"
        raise Refused(what, "take it of maps or vectors of one size", about_inputs=True)
    return ctx.emit(Extreme, call, left.shape, x=left.op, y=right.op, largest=largest)


def _threshold(ctx: Context, call: Call) -> Value:
    bound = float(call.args["threshold"])
    if float(call.args["value"]) != bound:
        raise Refused("a threshold other than the value below it", "use ReLU")
    return clip(ctx, call, call.value(), bound, _INFINITY)


def _abs(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind == "mask" or x.is_expanded:
        raise Refused(f"absolute value of {describe(x)}", about_inputs=True)
    return ctx.elementwise(LeakyRelu, call, x, slope=np.full(x.channels, -1.0))


def _hard_sigmoid(ctx: Context, call: Call) -> Value:
    """``clamp(x / 6 + 1/2, 0, 1)``."""
    x = call.value()
    line = ctx.affine(call, x, np.asarray(1 / 6), np.asarray(0.5))
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    return clip(ctx, call, line, 0.0, 1.0)


def _hard_swish(ctx: Context, call: Call) -> Value:
    x = _factor(ctx, call, "Hardswish")
    factor = _hard_sigmoid(ctx, replace(call, args={"self": x}))
    return _product(ctx, call, x, factor)


def _silu(ctx: Context, call: Call) -> Value:
    x = _factor(ctx, call, "SiLU")
    return _product(ctx, call, x, ctx.emit(Sigmoid, call, x.shape, x=x.op))


def _factor(ctx: Context, call: Call, label: str) -> Value:
    """The vector that an activation multiplies with a factor of its own."""
    x = ctx.as_vector(call, call.value())
    if x.kind != "vector" or x.is_expanded:
        raise Refused(f"{label} of {describe(x)}", "use ReLU on maps", about_inputs=True)
    return x


def _product(ctx: Context, call: Call, x: Value, factor: Value) -> Value:
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    return ctx.emit(MulVectors, call, x.shape, x=x.op, y=factor.op)


HANDLERS = {
    "aten::abs": _abs,
    "aten::hardsigmoid": _hard_sigmoid,
    "aten::hardswish": _hard_swish,
    "aten::maximum": maximum,
    "aten::minimum": _minimum,
    "aten::silu": _silu,
    "aten::threshold": _threshold,
}
