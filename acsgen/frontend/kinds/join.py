"""Vectors one behind the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
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


def joined(ctx: Context, call: Call, vectors: list[Value | Tensor], dimension: int) -> Value:
    """The entries of several vectors, one behind the other; of constants, too, such as the zeros
    with which a state begins.

    Raises:
        Refused: they are put side by side on another dimension than that of their entries.
    """
    computed = [value for value in vectors if isinstance(value, Value)]
    if len(vectors) == 1:
        return computed[0]
    for value in computed:
        if value.dims[dimension] != value.channels:
            raise Refused(f"concatenates on dimension {dimension}", "concatenate entries (dim=1)")
    names = tuple(value.op for value in computed)
    size = sum(value.channels for value in computed)
    if len(computed) == len(vectors):
        return ctx.emit(og.Join, call, (size,), vectors=names)
    x = computed[0].op
    if len(computed) > 1:
        x = ctx.emit(og.Join, call, (size,), vectors=names).op
        ctx.ops[-1] = replace(ctx.ops[-1], node="")
    rows, constants = [np.zeros((0, size))], [np.zeros(0)]
    first = 0
    for part in vectors:
        if isinstance(part, Value):
            rows.append(np.eye(size)[first : first + part.channels])
            constants.append(np.zeros(part.channels))
            first += part.channels
        else:
            rows.append(np.zeros((part.numel(), size)))
            constants.append(part.detach().to(torch.float64).numpy().reshape(-1))
    weight, bias = np.concatenate(rows), np.concatenate(constants)
    return ctx.emit(og.Linear, call, (len(bias),), x=x, weight=weight, bias=bias)


FLOAT_KINDS.add("join", FloatKind(run=_run, starts={(og.Join, 1): _start}, absorbs={}))
