"""Vectors one behind the other."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.context import Call, Context, Refused, Value
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.join import Join


def _run(layer: Join, results: Results, images: Tensor) -> Tensor:
    return torch.cat([results[name] for name in layer.vectors], dim=1)


def _start(op: og.Join, sources: tuple[Layer, ...]) -> Join:
    return Join(op.name, op.where, op.shape, tuple(source.name for source in sources))


def joined(ctx: Context, call: Call, vectors: list[Value], dimension: int) -> Value:
    """The entries of several vectors, one behind the other.

    Raises:
        Refused: they are put side by side on another dimension than that of their entries.
    """
    if len(vectors) == 1:
        return vectors[0]
    for value in vectors:
        if value.dims[dimension] != value.channels:
            raise Refused(f"concatenates on dimension {dimension}", "concatenate entries (dim=1)")
    size = sum(value.channels for value in vectors)
    return ctx.emit(og.Join, call, (size,), vectors=tuple(value.op for value in vectors))


FLOAT_KINDS.add("join", FloatKind(run=_run, starts={(og.Join, 1): _start}, absorbs={}))
