"""Rules by which a layer takes in the operation that follows it.

Each rule gets a finished layer and an operation that is the only reader of its result, and returns
the layer that computes both, or None where the order of the engine's own steps
(multiply-accumulate, mask, bias, residual, ReLU) does not allow it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Affine, Linear
from acsgen.ir import layers as ir


def absorb_affine(layer: ir.Layer, op: Affine) -> ir.Layer | None:
    """Fold a batch norm or another affine step into the weights.

    Where a mask came first, a masked channel is what the affine step makes of zero.
    """
    if isinstance(layer, ir.Conv) and layer.residual is None and not layer.relu:
        masked = layer.masked_bias
        return replace(
            layer,
            weight=layer.weight * op.scale[:, None, None, None],
            bias=layer.bias * op.scale + op.offset,
            masked_bias=masked if layer.mask is None else masked * op.scale + op.offset,
        )
    if isinstance(layer, ir.Linear) and layer.activation == "none":
        return replace(
            layer,
            weight=layer.weight * op.scale[:, None],
            bias=layer.bias * op.scale + op.offset,
        )
    return None


def absorb_relu(layer: ir.Layer) -> ir.Layer | None:
    """ReLU is the last step of a convolution, an elementwise layer and a linear layer alike."""
    if isinstance(layer, (ir.Conv, ir.Eltwise)):
        return replace(layer, relu=True)
    if isinstance(layer, ir.Linear) and layer.activation in ("none", "relu"):
        return replace(layer, activation="relu")
    return None


def absorb_sigmoid(layer: ir.Layer) -> ir.Layer | None:
    """The sigmoid table stands behind a linear layer."""
    if isinstance(layer, ir.Linear) and layer.activation == "none":
        return replace(layer, activation="sigmoid")
    return None


def absorb_mask(layer: ir.Layer, mask: str) -> ir.Layer | None:
    """A mask after ReLU equals a mask before it; a masked channel is zero either way."""
    if not isinstance(layer, (ir.Conv, ir.Eltwise)) or layer.residual is not None:
        return None
    if layer.mask is None:
        return replace(layer, mask=mask)
    same = layer.mask == mask
    exact_zero = isinstance(layer, ir.Eltwise) or not np.any(layer.masked_bias)
    return layer if same and exact_zero else None


def absorb_residual(layer: ir.Layer, residual: str) -> ir.Layer | None:
    """Add another map before the ReLU."""
    if isinstance(layer, (ir.Conv, ir.Eltwise)) and layer.residual is None and not layer.relu:
        return replace(layer, residual=residual)
    return None


def collapse_linear(layer: ir.Layer, op: Linear) -> ir.Layer | None:
    """Two linear layers with no activation between are one, where that is not more products."""
    if not isinstance(layer, ir.Linear) or layer.activation != "none":
        return None
    outputs, hidden = op.weight.shape
    inputs = layer.weight.shape[1]
    if outputs * inputs > hidden * (inputs + outputs):
        return None
    return replace(
        layer,
        name=op.name,
        where=op.where,
        shape=op.shape,
        weight=op.weight @ layer.weight,
        bias=op.weight @ layer.bias + op.bias,
    )
