"""Adds, ReLUs and masks on maps that no layer before could take in."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds import _pixel_steps as steps
from acsgen.frontend.kinds._tensors import by_channel, finish
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.frontend.masks import mask_bits
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.eltwise import Eltwise
from acsgen.ir.masks import whole


def _run(layer: Eltwise, results: Results, images: Tensor) -> Tensor:
    y = results[layer.x]
    if layer.mask:
        y = y * by_channel(mask_bits(layer.mask, results))
    return finish(y, layer, results)


def _start_add(op: og.Add, sources: tuple[Layer, ...]) -> Eltwise:
    x, residual = (source.name for source in sources)
    return Eltwise(op.name, op.where, op.shape, x, relu=False, residual=residual)


def _start_mask(op: og.ApplyMask, sources: tuple[Layer, ...]) -> Eltwise:
    x, gate = (source.name for source in sources)
    mask = whole(gate, op.shape[0])
    return Eltwise(op.name, op.where, op.shape, x, relu=False, mask=mask)


def _absorb_mask(layer: Eltwise, op: og.ApplyMask, others: tuple[Layer, ...]) -> Eltwise | None:
    return steps.absorb_mask(layer, others[0], exact_zero=True)


FLOAT_KINDS.add(
    "eltwise",
    FloatKind(
        run=_run,
        starts={
            (og.Add, 3): _start_add,
            (og.ApplyMask, 3): _start_mask,
        },
        absorbs={
            og.ApplyMask: _absorb_mask,
            og.Add: steps.absorb_residual,
            og.Relu: steps.absorb_relu,
        },
    ),
)
