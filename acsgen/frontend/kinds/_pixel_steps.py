"""What convolutions and elementwise layers take in alike: mask, residual and ReLU, in this order.

The engine has one order of steps: multiply-accumulate, mask, bias, residual, ReLU.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from acsgen.frontend import opgraph as og
from acsgen.ir.kinds.base import Layer
from acsgen.ir.layers import Conv, Eltwise
from acsgen.ir.masks import whole

LayerT = TypeVar("LayerT", Conv, Eltwise)


def absorb_relu(layer: LayerT, op: og.Relu, others: tuple[Layer, ...]) -> LayerT | None:
    """ReLU is the last step; one with an upper end starts a layer of its own."""
    return None if op.high is not None else replace(layer, relu=True)


def absorb_residual(layer: LayerT, op: og.Add, others: tuple[Layer, ...]) -> LayerT | None:
    """Add another map before the ReLU."""
    if layer.residual is not None or layer.relu:
        return None
    (residual,) = others
    return replace(layer, residual=residual.name)


def absorb_mask(layer: LayerT, mask: Layer, exact_zero: bool) -> LayerT | None:
    """A mask after ReLU equals a mask before it; a masked channel is zero either way.

    Args:
        layer: the layer whose result is masked.
        mask: the gate.
        exact_zero: whether the mask that the layer may have makes its channels zero.
    """
    if layer.residual is not None:
        return None
    wanted = whole(mask.name, layer.shape[0])
    if not layer.mask:
        return replace(layer, mask=wanted)
    return layer if layer.mask == wanted and exact_zero else None
