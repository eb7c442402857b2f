"""Means over a map."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.global_avg import GlobalAvg


def _run(layer: GlobalAvg, results: Results, images: Tensor) -> Tensor:
    return results[layer.x].mean((2, 3))


def _start(op: og.GlobalAvg, sources: tuple[Layer, ...]) -> GlobalAvg:
    return GlobalAvg(op.name, op.where, op.shape, sources[0].name)


FLOAT_KINDS.add("global_avg", FloatKind(run=_run, starts={(og.GlobalAvg, 1): _start}, absorbs={}))
