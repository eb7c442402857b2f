"""Maps read as vectors."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.flatten import Flatten


def _run(layer: Flatten, results: Results, images: Tensor) -> Tensor:
    return results[layer.x].flatten(1)


def _start(op: og.Flatten, sources: tuple[Layer, ...]) -> Flatten:
    return Flatten(op.name, op.where, op.shape, sources[0].name)


FLOAT_KINDS.add("flatten", FloatKind(run=_run, starts={(og.Flatten, 1): _start}, absorbs={}))
