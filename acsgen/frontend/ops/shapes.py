"""Handlers of operations that compute nothing: views, copies, changes of type."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from acsgen.frontend.context import Call, Context, Handler, Refused, Value, describe, single_axis
from acsgen.frontend.opgraph import Flatten, Image, Pad
from acsgen.frontend.ops.rearrange import rearranged


def _same(ctx: Context, call: Call) -> Value:
    return call.value("input" if "input" in call.args else "self")


def _reshape(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.dims == call.dims:
        return x
    if x.order is not None:
        return rearranged(ctx, call)
    if x.kind != "map":
        if x.is_expanded or not single_axis(call.dims, x.channels):
            raise Refused(f"reshapes {describe(x)} to {list(call.dims)}", about_inputs=True)
        return replace(x, dims=call.dims)
    channels, height, width = x.shape
    ordered = x.dims in ((1, *x.shape), (1, channels, height * width))
    if ordered and call.dims in ((1, *x.shape), (1, channels, height * width)):
        return replace(x, dims=call.dims)
    if ordered and single_axis(call.dims, channels * height * width):
        return ctx.emit(Flatten, call, (channels * height * width,), x=x.op)
    return rearranged(ctx, call)


def _pad(ctx: Context, call: Call) -> Value:
    x = call.map()
    mode, fill = call.args.get("mode", "constant"), call.args.get("value") or 0.0
    if mode != "constant" or fill != 0:
        what = f"padding with {fill}" if mode == "constant" else f"padding by {mode}"
        raise Refused(what, "pad with zeros")
    sizes = [int(size) for size in call.args["pad"]]
    sizes += [0] * (8 - len(sizes))
    left, right, top, bottom, before, behind, first, last = sizes
    if min(sizes) < 0 or first or last:
        raise Refused(f"padding by {sizes}", "pad channels, rows and columns by 0 or more")
    pads = (top, bottom, left, right)
    return ctx.emit(Pad, call, call.dims[1:], x=x.op, channels=(before, behind), pads=pads)


def _permute(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.kind != "map":
        return _reshape(ctx, call)
    if isinstance(ctx.ops[-1], Image) and x.is_plain_map and x.shape[0] > call.dims[1]:
        remedy = "let forward take the image as [N, C, H, W], as the engine gives it"
        raise Refused(f"rearranges {describe(x)}", remedy)
    return rearranged(ctx, call)


def _expand(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.dims == call.dims:
        return x
    if x.kind == "map" or x.order is not None:
        return rearranged(ctx, call)
    aligned = len(call.dims) == 4 and (1,) * (4 - len(x.dims)) + x.dims == (1, x.channels, 1, 1)
    if not aligned or call.dims[0] != 1:
        raise Refused(f"expands {describe(x)} to {list(call.dims)}", about_inputs=True)
    return replace(x, dims=call.dims)


def _convert(ctx: Context, call: Call) -> Value:
    x = call.value()
    if call.dtype.is_floating_point:
        if call.dtype.itemsize < 4:
            raise Refused(f"conversion to {call.dtype}", "export the network in float32")
        return replace(x, pixels=False)
    if not x.pixels or call.dtype.itemsize < 1 or str(call.dtype) == "torch.bool":
        raise Refused(f"conversion to {call.dtype}", "keep activations in float32")
    return x


def _dropout(ctx: Context, call: Call) -> Value:
    if call.args.get("train"):
        raise Refused("dropout in training mode", "call model.eval() before exporting")
    return _same(ctx, call)


def _zeros_like(ctx: Context, call: Call) -> Tensor:
    return torch.zeros(call.dims, dtype=call.dtype)


def _ones_like(ctx: Context, call: Call) -> Tensor:
    return torch.ones(call.dims, dtype=call.dtype)


HANDLERS: dict[str, Handler] = {
    "aten::_to_copy": _convert,
    "aten::_unsafe_view": _reshape,
    "aten::alias": _same,
    "aten::clone": _same,
    "aten::contiguous": _same,
    "aten::detach": _same,
    "aten::dropout": _dropout,
    "aten::expand": _expand,
    "aten::expand_as": _expand,
    "aten::feature_dropout": _dropout,
    "aten::flatten": _reshape,
    "aten::constant_pad_nd": _pad,
    "aten::pad": _pad,
    "aten::new_ones": _ones_like,
    "aten::new_zeros": _zeros_like,
    "aten::ones_like": _ones_like,
    "aten::permute": _permute,
    "aten::reshape": _reshape,
    "aten::squeeze": _reshape,
    "aten::swapaxes": _permute,
    "aten::t": _permute,
    "aten::to": _convert,
    "aten::transpose": _permute,
    "aten::type_as": _convert,
    "aten::unsqueeze": _reshape,
    "aten::view": _reshape,
    "aten::zeros_like": _zeros_like,
}
