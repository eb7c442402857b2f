"""The classifier: the linear layer that the network ends in."""

from __future__ import annotations

from torch import Tensor

from acsgen.frontend.kinds._tensors import affine
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.linear import Linear
from acsgen.ir.kinds.logits import Logits


def _run(layer: Logits, results: Results, images: Tensor) -> Tensor:
    return affine(layer, results)


def classifier(linear: Linear, name: str) -> Logits:
    """The classifier that computes the same as ``linear``."""
    return Logits(
        name=name,
        where=linear.where,
        shape=linear.shape,
        x=linear.x,
        weight=linear.weight,
        bias=linear.bias,
    )


# No operation starts it: fusing ends with it.
FLOAT_KINDS.add("logits", FloatKind(run=_run, starts={}, absorbs={}))
