"""Convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds import _pixel_steps as steps
from acsgen.frontend.kinds._tensors import by_channel, finish, least, tensor
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.frontend.masks import mask_bits
from acsgen.frontend.passes.normalize import depthwise
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.conv import Conv
from acsgen.ir.kinds.eltwise import Eltwise


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
    y = finish(y, layer, results)
    return y if layer.clip is None else y.clamp(max=layer.clip)


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


def _start_relu(op: og.Relu, sources: tuple[Layer, ...]) -> Layer:
    """Only a convolution scales its result as an upper end needs it."""
    if op.high is None:
        return Eltwise(op.name, op.where, op.shape, sources[0].name, relu=True)
    channels = op.shape[0]
    same = depthwise(op, op.x, np.ones(channels), np.zeros(channels))
    return replace(_start(same, sources), relu=True, clip=op.high)


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


def _absorb_relu(layer: Conv, op: og.Relu, others: tuple[Layer, ...]) -> Conv | None:
    """A ReLU with an upper end needs a scale of its own, so it cannot stand behind a residual,
    whose channels may be scaled differently."""
    if op.high is not None and layer.residual is not None:
        return None
    return replace(layer, relu=True, clip=least(layer.clip, op.high))


FLOAT_KINDS.add(
    "conv",
    FloatKind(
        run=_run,
        starts={(og.Conv, 3): _start, (og.Affine, 3): _start_affine, (og.Relu, 3): _start_relu},
        absorbs={
            og.Affine: _absorb_affine,
            og.ApplyMask: _absorb_mask,
            og.Add: steps.absorb_residual,
            og.Relu: _absorb_relu,
        },
    ),
)
