"""Max and average pooling."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.pool import Pool


def _run(layer: Pool, results: Results, images: Tensor) -> Tensor:
    x, window = results[layer.x], (layer.kernel, layer.stride, layer.pad)
    return F.max_pool2d(x, *window) if layer.mode == "max" else F.avg_pool2d(x, *window)


def _start(op: og.Pool, sources: tuple[Layer, ...]) -> Pool:
    return Pool(
        op.name,
        op.where,
        op.shape,
        sources[0].name,
        mode=op.mode,
        kernel=op.kernel,
        stride=op.stride,
        pad=op.pad,
    )


FLOAT_KINDS.add("pool", FloatKind(run=_run, starts={(og.Pool, 3): _start}, absorbs={}))
