"""Handlers of pieces of tensors: slices of maps, entries of vectors, bits of masks.

One vector of decisions may serve many layers: a block's mask is then some bits of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import Linear, Slice, TakeBits
from acsgen.frontend.ops.rearrange import rearranged


def _slice(ctx: Context, call: Call) -> Value:
    x = call.value()
    if x.dims == call.dims:
        return x
    axis = int(call.args.get("dim") or 0) % len(x.dims)
    start, step = int(call.args.get("start") or 0), int(call.args.get("step") or 1)
    start += x.dims[axis] if start < 0 else 0
    if x.kind != "map" and x.order is None:
        if step != 1:
            raise Refused(f"takes every {step}-th entry of {describe(x)}", "take a range of them")
        return _piece(ctx, call, x, axis, start, call.dims)
    if (start and axis >= 2) or not x.is_plain_map:
        return rearranged(ctx, call)
    return ctx.emit(Slice, call, call.dims[1:], x=x.op, axis=axis - 1, start=start, step=step)


def _select(ctx: Context, call: Call) -> Value:
    x = call.value()
    axis = int(call.args["dim"]) % len(x.dims)
    index = int(call.args["index"]) % x.dims[axis]
    if x.dims[axis] == 1 and x.kind != "map":
        return replace(x, dims=call.dims)
    if x.kind == "map":
        raise Refused(f"takes one entry of {describe(x)}", "take a range, x[:, i : i + 1]")
    return _piece(ctx, call, x, axis, index, call.dims)


def _split(ctx: Context, call: Call) -> Value:
    """All pieces; :func:`_getitem` takes one."""
    x = call.value()
    axis = int(call.args.get("dim") or 0) % len(x.dims)
    return replace(x, split_axis=axis)


def _unbind(ctx: Context, call: Call) -> Value:
    """The only piece, as recurrent layers take a sequence of one step apart."""
    x = call.value()
    if x.kind == "map" or x.dims[int(call.args.get("dim") or 0)] != 1:
        raise Refused(f"takes {describe(x)} apart", "give a recurrent layer one step at a time")
    return replace(x, dims=call.dims)


def _stack(ctx: Context, call: Call) -> Value:
    vectors = call.args["tensors"]
    if len(vectors) != 1 or not isinstance(vectors[0], Value) or vectors[0].kind == "map":
        remedy = "concatenate maps on their channels, torch.cat([a, b], 1)"
        raise Refused("stacks tensors on a new dimension", remedy)
    return replace(vectors[0], dims=call.dims)


def _getitem(ctx: Context, call: Call) -> Value:
    x, index = call.value("a"), int(call.args["b"])
    if x.split_axis is None:
        if index != 0:
            raise Refused("uses a second result (indices or statistics)", about_inputs=True)
        return x
    source: Any = call.node.all_input_nodes[0].meta["val"]
    sizes = [int(piece.shape[x.split_axis]) for piece in source]
    start, whole = sum(sizes[:index]), replace(x, split_axis=None)
    if whole.dims == call.dims:
        return whole
    if whole.kind != "map":
        return _piece(ctx, call, whole, x.split_axis, start, call.dims)
    if not whole.is_plain_map:
        raise Refused(f"cuts {describe(whole)}", "keep maps as [N, C, H, W]", about_inputs=True)
    place = x.split_axis - 1
    return ctx.emit(Slice, call, call.dims[1:], x=x.op, axis=place, start=start, step=1)


def _piece(
    ctx: Context, call: Call, x: Value, axis: int, first: int, dims: tuple[int, ...]
) -> Value:
    """Entries of a vector, or bits of a mask, from ``first`` on."""
    count = int(np.prod(dims))
    if x.is_expanded or x.dims[axis] != x.channels or x.combined:
        raise Refused(f"takes a piece of {describe(x)}", about_inputs=True)
    if x.kind == "mask":
        bits = ctx.emit(TakeBits, call, (count,), x=x.op, first=first)
        name = ctx.names.unique(f"{x.op}.bit{first}" + (f"to{first + count - 1}" * (count > 1)))
        ctx.ops[-1] = replace(ctx.ops[-1], name=name)
        return replace(x, op=name, shape=(count,), dims=dims, suspect=bits.suspect)
    rows = np.eye(x.channels)[first : first + count]
    return ctx.emit(Linear, call, (count,), x=x.op, weight=rows, bias=np.zeros(count))


HANDLERS = {
    "aten::chunk": _split,
    "aten::select": _select,
    "aten::slice": _slice,
    "aten::split": _split,
    "aten::split_with_sizes": _split,
    "aten::stack": _stack,
    "aten::unbind": _unbind,
    "aten::unsafe_split": _split,
    "getitem": _getitem,
}
