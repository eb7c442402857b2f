"""Maps times one factor per channel."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds._tensors import by_channel
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.scale import Scale


def _run(layer: Scale, results: Results, images: Tensor) -> Tensor:
    return results[layer.x] * by_channel(results[layer.vector])


def _start(op: og.ApplyVector, sources: tuple[Layer, ...]) -> Scale:
    x, vector = (source.name for source in sources)
    return Scale(op.name, op.where, op.shape, x, vector)


FLOAT_KINDS.add("scale", FloatKind(run=_run, starts={(og.ApplyVector, 3): _start}, absorbs={}))
