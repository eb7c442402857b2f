"""Maps one behind the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.frontend.kinds.join import joined
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.concat import Concat

#: The dimension of a map's channels, in a batch of maps.
CHANNELS = 1
RANK = 4


def _run(layer: Concat, results: Results, images: Tensor) -> Tensor:
    return torch.cat([results[name] for name in layer.maps], dim=CHANNELS)


def _start(op: og.Concat, sources: tuple[Layer, ...]) -> Concat:
    return Concat(op.name, op.where, op.shape, tuple(source.name for source in sources))


def _cat(ctx: Context, call: Call) -> Value:
    maps: list[Any] = call.args["tensors"]
    dimension = int(call.args["dim"])
    computed = [value for value in maps if isinstance(value, Value)]
    if all(value.kind == "vector" and not value.is_expanded for value in computed):
        return joined(ctx, call, maps, dimension)
    for value in computed:
        if not value.is_plain_map:
            raise Refused(
                f"concatenates {describe(value)}",
                "concatenate maps with maps, and vectors with vectors",
                about_inputs=True,
            )
    if dimension not in (CHANNELS, CHANNELS - RANK):
        raise Refused(f"concatenates on dimension {dimension}", "concatenate channels (dim=1)")
    if len(computed) < len(maps):
        computed = _with_zeros(ctx, call, maps)
    if len(computed) == 1:
        return computed[0]
    channels = sum(value.shape[0] for value in computed)
    shape = (channels, *computed[0].shape[1:])
    return ctx.emit(og.Concat, call, shape, maps=tuple(value.op for value in computed))


def _with_zeros(ctx: Context, call: Call, parts: list[Any]) -> list[Value]:
    """The maps among the parts, each with the channels of zeros that lie between it and the next.

    Those before the first map are that map's, too.

    Raises:
        Refused: a part is a constant other than zero.
    """
    found: list[tuple[Value, int, int]] = []
    before = 0
    for part in parts:
        if isinstance(part, Value):
            found.append((part, before, 0))
            before = 0
            continue
        if torch.as_tensor(part).any():
            remedy = "compute all maps from the image; channels of zeros are possible"
            raise Refused("concatenates a constant", remedy)
        count = int(part.shape[CHANNELS])
        if found:
            found[-1] = (*found[-1][:2], found[-1][2] + count)
        else:
            before += count
    padded = []
    for value, first, last in found:
        if first or last:
            shape = (first + value.channels + last, *value.shape[1:])
            pad = {"channels": (first, last), "pads": (0, 0, 0, 0)}
            value = ctx.emit(og.Pad, call, shape, x=value.op, **pad)
            if len(found) > 1:
                ctx.ops[-1] = replace(ctx.ops[-1], node="")  # the exported node is the whole
        padded.append(value)
    return padded


FLOAT_KINDS.add(
    "concat",
    FloatKind(
        run=_run,
        starts={(og.Concat, 3): _start},
        absorbs={},
        handlers={"aten::cat": _cat},
    ),
)
