"""Handlers of sums and products: affine steps, residuals, masks and per-channel factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from acsgen.frontend.context import KEEP_ORDER, Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import (
    Add,
    AddVectors,
    Affine,
    AndMasks,
    ApplyComplement,
    ApplyMask,
    ApplyVector,
    Array,
    MulVectors,
)
from acsgen.frontend.ops.rearrange import in_own_order

_MASK_REMEDY = "multiply maps with the mask or with 1 - mask"


def _per_channel(constant: Any, x: Value, call: Call) -> Array:
    """A constant operand as one number per channel of ``x``."""
    tensor = constant if isinstance(constant, Tensor) else torch.tensor(float(constant))
    if _is_vector(x) and _without_ones(x.dims) == _without_ones(call.dims) == (x.channels,):
        row = np.broadcast_to(tensor.detach().to(torch.float64).numpy(), call.dims)
        return row.reshape(-1)
    if x.kind == "mask" or x.is_expanded or call.dims != x.dims:
        raise Refused(f"arithmetic on {describe(x)}", about_inputs=True)
    full = np.broadcast_to(tensor.detach().to(torch.float64).numpy(), x.dims)
    if x.order is not None:
        full = in_own_order(full, x)
    if x.kind == "vector":
        return full.reshape(-1)
    per_pixel = full.reshape(x.channels, -1)
    if not (per_pixel == per_pixel[:, :1]).all():
        raise Refused("arithmetic with a constant for every pixel", "use one number per channel")
    return per_pixel[:, 0]


def _number_of(value: Any) -> bool:
    return not isinstance(value, Value)


def _is_zero(value: Any) -> bool:
    """Whether a constant is zero throughout, as the state of a recurrent layer is at its start."""
    return _number_of(value) and not bool(torch.as_tensor(value).any())


def _is_vector(value: Any) -> bool:
    """Whether it is a vector whose entries lie as they are."""
    known = isinstance(value, Value) and value.kind == "vector" and not value.is_expanded
    return known and value.order is None


def _without_ones(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The dimensions from the first on that is not 1."""
    start = next((place for place, size in enumerate(dims) if size != 1), len(dims) - 1)
    return dims[start:]


def _two_vectors(call: Call, left: Any, right: Any) -> bool:
    """Whether two vectors of one size are combined entry by entry."""
    if not (_is_vector(left) and _is_vector(right)):
        return False
    return _without_ones(left.dims) == _without_ones(right.dims) == _without_ones(call.dims)


def _combine(ctx: Context, call: Call, left_factor: float, right_factor: float) -> Value:
    """``left_factor * self + right_factor * other``."""
    left: Any = call.args["self"]
    right: Any = call.args["other"]
    for x, factor, other in ((left, left_factor, right), (right, right_factor, left)):
        alike = _is_vector(x) and _without_ones(x.dims) == _without_ones(call.dims)
        if alike and factor == 1.0 and _is_zero(other):
            assert isinstance(x, Value)
            return replace(x, dims=call.dims)
    for mask, factor, other, other_factor in (
        (left, left_factor, right, right_factor),
        (right, right_factor, left, left_factor),
    ):
        if isinstance(mask, Value) and mask.kind == "mask":
            return _complement(call, mask, factor, other, other_factor)
    if _number_of(right):
        x = call.value()
        offset = right_factor * _per_channel(right, x, call)
        return ctx.affine(call, x, np.asarray(left_factor), offset)
    if _number_of(left):
        x = call.value("other")
        offset = left_factor * _per_channel(left, x, call)
        return ctx.affine(call, x, np.asarray(right_factor), offset)
    if not _same_order(left, right):
        raise Refused(f"adds {describe(left)} and {describe(right)}", KEEP_ORDER)
    if _two_vectors(call, left, right):
        total = ctx.emit(
            AddVectors,
            call,
            left.shape,
            x=left.op,
            y=right.op,
            x_factor=left_factor,
            y_factor=right_factor,
        )
        return ctx.in_order(total, left.order)
    if left.kind != "map" or right.kind != "map" or left.dims != right.dims:
        raise Refused(
            f"adds {describe(left)} and {describe(right)}",
            "the engine adds maps of equal shape",
            about_inputs=True,
        )
    terms = [_scaled(ctx, call, v, f) for v, f in ((left, left_factor), (right, right_factor))]
    total = ctx.emit(Add, call, left.shape, x=terms[0].op, y=terms[1].op)
    return ctx.in_order(total, left.order)


def _same_order(left: Value, right: Value) -> bool:
    if left.order is None or right.order is None:
        return left.order is right.order
    return np.array_equal(left.order, right.order)


def _complement(call: Call, mask: Value, factor: float, other: Any, other_factor: float) -> Value:
    """``1 - mask``, which is the only sum that a mask may be part of."""
    ones = not isinstance(other, Value) and bool(
        (torch.as_tensor(other).to(torch.float64) * other_factor == 1.0).all()
    )
    if factor != -1.0 or not ones or call.dims != mask.dims:
        raise Refused("arithmetic on a channel mask other than 1 - mask", _MASK_REMEDY)
    return replace(mask, complement=not mask.complement)


def _scaled(ctx: Context, call: Call, x: Value, factor: float) -> Value:
    if factor == 1.0:
        return x
    scale = np.full(x.channels, factor)
    value = ctx.emit(Affine, call, x.shape, x=x.op, scale=scale, offset=np.zeros(x.channels))
    ctx.ops[-1] = replace(ctx.ops[-1], node="")  # the exported node is the sum, not this term
    return value


def _add(ctx: Context, call: Call) -> Value:
    return _combine(ctx, call, 1.0, float(call.args.get("alpha", 1)))


def _sub(ctx: Context, call: Call) -> Value:
    return _combine(ctx, call, 1.0, -float(call.args.get("alpha", 1)))


def _rsub(ctx: Context, call: Call) -> Value:
    return _combine(ctx, call, -float(call.args.get("alpha", 1)), 1.0)


def _neg(ctx: Context, call: Call) -> Value:
    x = call.value()
    return ctx.affine(call, x, _per_channel(-1.0, x, call), np.asarray(0.0))


def _div(ctx: Context, call: Call) -> Value:
    if call.args.get("rounding_mode") is not None:
        raise Refused("division with rounding", "divide without rounding_mode")
    if not _number_of(call.args["other"]):
        what, remedy = "division by a value computed from the image", "multiply instead"
        raise Refused(what, remedy, about_inputs=True)
    x = call.value()
    divisor = _per_channel(call.args["other"], x, call)
    if not divisor.all():
        raise Refused("division by zero", "check the constant")
    return ctx.affine(call, x, 1.0 / divisor, np.asarray(0.0))


def _mul(ctx: Context, call: Call) -> Value | Tensor:
    left, right = call.args["self"], call.args["other"]
    for x, other in ((left, right), (right, left)):
        if _number_of(other):
            if x.kind == "mask":
                raise Refused("scales a channel mask", "scale the map instead")
            if _is_vector(x) and _is_zero(other):
                return torch.zeros(call.dims)
            return ctx.affine(call, x, _per_channel(other, x, call), np.asarray(0.0))
    if left.order is not None or right.order is not None:
        raise Refused(f"multiplies {describe(left)} with {describe(right)}", KEEP_ORDER)
    if left.kind == "mask" and right.kind == "mask":
        return _both_masks(ctx, call, left, right)
    if _two_vectors(call, left, right):
        return ctx.emit(MulVectors, call, left.shape, x=left.op, y=right.op)
    for x, factor in ((left, right), (right, left)):
        if x.is_plain_map and factor.kind == "mask":
            return _apply_mask(ctx, call, x, factor)
        if x.is_plain_map and factor.kind == "vector":
            _require_channel_axis(call, x, factor)
            if factor.channels != x.channels:
                raise Refused(f"multiplies {describe(x)} with {describe(factor)}")
            return ctx.emit(ApplyVector, call, x.shape, x=x.op, vector=factor.op)
    raise Refused(
        f"multiplies {describe(left)} with {describe(right)}",
        "the engine multiplies a map with a channel mask or with one factor per channel",
        # Two vectors are none of these, whatever the node was that made one of them.
        about_inputs=max(len(left.dims), len(right.dims)) > 2,
    )


def _both_masks(ctx: Context, call: Call, left: Value, right: Value) -> Value:
    """The product of two masks, one of which may have one bit for all channels."""
    wide, other = sorted((left, right), key=lambda mask: mask.channels, reverse=True)
    alike = wide.shape == other.shape or other.shape == (1,)
    if wide.dims != call.dims or not alike or left.complement or right.complement:
        raise Refused(f"multiplies {describe(left)} with {describe(right)}", about_inputs=True)
    both = ctx.emit(AndMasks, call, wide.shape, x=wide.op, y=other.op)
    return replace(both, kind="mask", combined=True)


def _apply_mask(ctx: Context, call: Call, x: Value, mask: Value) -> Value:
    _require_channel_axis(call, x, mask)
    kind = ApplyComplement if mask.complement else ApplyMask
    return ctx.emit(kind, call, x.shape, x=x.op, mask=mask.op)


def _require_channel_axis(call: Call, x: Value, factor: Value) -> None:
    """``factor`` must broadcast along the channels of ``x`` and no other axis."""
    dims = (1,) * (4 - len(factor.dims)) + factor.dims
    allowed = ((1, factor.channels, 1, 1), x.dims if factor.is_expanded else None)
    if dims not in allowed or call.dims != x.dims:
        raise Refused(
            f"multiplies {describe(x)} with {describe(factor)}",
            "shape the factor as [N, C, 1, 1]",
            about_inputs=True,
        )


HANDLERS = {
    "aten::add": _add,
    "aten::div": _div,
    "aten::mul": _mul,
    "aten::neg": _neg,
    "aten::rsub": _rsub,
    "aten::sub": _sub,
}
