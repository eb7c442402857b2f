"""The image."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds._tensors import tensor
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.input import Input


def _run(layer: Input, results: Results, images: Tensor) -> Tensor:
    """The image as the network sees it: normalized."""
    scale, offset = (tensor(v, images.dtype)[:, None, None] for v in (layer.scale, layer.offset))
    return images * scale + offset


def _start(op: og.Image, sources: tuple[Layer, ...]) -> Input:
    return Input(op.name, op.where, op.shape, scale=op.scale, offset=op.offset)


FLOAT_KINDS.add("input", FloatKind(run=_run, starts={(og.Image, 3): _start}, absorbs={}))
