"""Convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds import _pixel_steps as steps
from acsgen.frontend.kinds._tensors import by_channel, finish, tensor
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.frontend.masks import mask_bits
from acsgen.frontend.passes.normalize import depthwise
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.conv import Conv


def _run(layer: Conv, results: Results, images: Tensor) -> Tensor:
    x = results[layer.x]
    y = F.conv2d(
        x,
        tensor(layer.weight, x.dtype),
        tensor(layer.bias, x.dtype),
        stride=layer.stride,
        padding=layer.pad,
        groups=layer.groups,
    )
    if layer.mask:
        masked = tensor(layer.masked_bias, x.dtype)[None, :, None, None]
        y = torch.where(by_channel(mask_bits(layer.mask, results)) > 0, y, masked)
    return finish(y, layer, results)


def _start(op: og.Conv, sources: tuple[Layer, ...]) -> Conv:
    return Conv(
        op.name,
        op.where,
        op.shape,
        x=sources[0].name,
        weight=op.weight,
        bias=op.bias,
        masked_bias=np.zeros_like(op.bias),
        stride=op.stride,
        pad=op.pad,
        groups=op.groups,
        relu=False,
    )


def _start_affine(op: og.Affine, sources: tuple[Layer, ...]) -> Conv:
    return _start(depthwise(op, op.x, op.scale, op.offset), sources)


def _absorb_affine(layer: Conv, op: og.Affine, others: tuple[Layer, ...]) -> Conv | None:
    """Fold a batch norm or another affine step into the weights.

    Where a mask came first, a masked channel is what the affine step makes of zero.
    """
    if layer.residual is not None or layer.relu:
        return None
    masked = layer.masked_bias
    return replace(
        layer,
        weight=layer.weight * op.scale[:, None, None, None],
        bias=layer.bias * op.scale + op.offset,
        masked_bias=masked * op.scale + op.offset if layer.mask else masked,
    )


def _absorb_mask(layer: Conv, op: og.ApplyMask, others: tuple[Layer, ...]) -> Conv | None:
    return steps.absorb_mask(layer, others[0], exact_zero=not np.any(layer.masked_bias))


FLOAT_KINDS.add(
    "conv",
    FloatKind(
        run=_run,
        starts={(og.Conv, 3): _start, (og.Affine, 3): _start_affine},
        absorbs={
            og.Affine: _absorb_affine,
            og.ApplyMask: _absorb_mask,
            og.Add: steps.absorb_residual,
            og.Relu: steps.absorb_relu,
        },
    ),
)
