"""Linear layers, with the activations behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds._tensors import affine, least
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import FloatArray, Layer
from acsgen.ir.kinds.linear import Linear


def _run(layer: Linear, results: Results, images: Tensor) -> Tensor:
    y = affine(layer, results)
    if layer.activation == "relu":
        return torch.relu(y) if layer.clip is None else y.clamp(0, layer.clip)
    return torch.sigmoid(y) if layer.activation == "sigmoid" else y


def _size(layer: Linear, results: Results, images: Tensor) -> Tensor:
    """A sigmoid of nearly nothing is 0.5, and rounded like that."""
    y = affine(layer, results)
    return y.clamp(min=1.0) if layer.activation == "sigmoid" else y


def _start(op: og.Linear, sources: tuple[Layer, ...]) -> Linear:
    return _new(op, sources, op.weight, op.bias)


def _start_affine(op: og.Affine, sources: tuple[Layer, ...]) -> Linear:
    return _new(op, sources, np.diag(op.scale), op.offset)


def _start_relu(op: og.Relu, sources: tuple[Layer, ...]) -> Linear:
    return replace(_identity(op, sources, "relu"), clip=op.high)


def _start_sigmoid(op: og.Sigmoid, sources: tuple[Layer, ...]) -> Linear:
    return _identity(op, sources, "sigmoid")


def _identity(
    op: og.Op, sources: tuple[Layer, ...], activation: Literal["relu", "sigmoid"]
) -> Linear:
    """A layer that passes its vector on, for an activation that has none."""
    size = op.shape[0]
    return replace(_new(op, sources, np.eye(size), np.zeros(size)), activation=activation)


def _new(op: og.Op, sources: tuple[Layer, ...], weight: FloatArray, bias: FloatArray) -> Linear:
    (x,) = sources
    return Linear(op.name, op.where, op.shape, x.name, weight, bias, "none")


def _absorb_affine(layer: Linear, op: og.Affine, others: tuple[Layer, ...]) -> Linear | None:
    """Fold a batch norm or another affine step into the weights."""
    if layer.activation != "none":
        return None
    return replace(
        layer,
        weight=layer.weight * op.scale[:, None],
        bias=layer.bias * op.scale + op.offset,
    )


def _absorb_relu(layer: Linear, op: og.Relu, others: tuple[Layer, ...]) -> Linear | None:
    if layer.activation == "sigmoid":
        return None
    return replace(layer, activation="relu", clip=least(layer.clip, op.high))


def _absorb_sigmoid(layer: Linear, op: og.Sigmoid, others: tuple[Layer, ...]) -> Linear | None:
    """The sigmoid table stands behind a linear layer."""
    return replace(layer, activation="sigmoid") if layer.activation == "none" else None


def _absorb_linear(layer: Linear, op: og.Linear, others: tuple[Layer, ...]) -> Linear | None:
    """Two linear layers with no activation between are one, where that is not more products."""
    if layer.activation != "none":
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
        weight=_product(op.weight, layer.weight),
        bias=_product(op.weight, layer.bias[:, None])[:, 0] + op.bias,
    )


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """``left @ right``, added up in the order of ``right``'s rows on every processor: weights that
    are about to be rounded must not depend on the order in which a BLAS adds."""
    total = np.zeros((left.shape[0], right.shape[1]))
    for column, row in zip(left.T, right, strict=True):
        total = total + column[:, None] * row
    return total


FLOAT_KINDS.add(
    "linear",
    FloatKind(
        run=_run,
        starts={
            (og.Linear, 1): _start,
            (og.Affine, 1): _start_affine,
            (og.Relu, 1): _start_relu,
            (og.Sigmoid, 1): _start_sigmoid,
        },
        absorbs={
            og.Affine: _absorb_affine,
            og.Relu: _absorb_relu,
            og.Sigmoid: _absorb_sigmoid,
            og.Linear: _absorb_linear,
        },
        size=_size,
    ),
)
