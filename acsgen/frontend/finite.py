"""Refuses networks whose numbers overflow, or are no numbers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from torch import Tensor

from acsgen.ir.layers import Layer, LayerGraph
from acsgen.support.errors import Problem, UserError

_REMEDY = "the training diverged, or the file is damaged; train again"


def require_finite(graph: LayerGraph) -> None:
    """Refuse constants that became NaN or infinite when BatchNorm was folded into them.

    Raises:
        UserError: one problem for every layer concerned.
    """
    bad = [layer for layer in graph if not all(_finite(value) for value in _arrays(layer))]
    what = (
        "its weights become NaN or infinite with its BatchNorm: a negative running_var, or "
        "numbers too large"
    )
    if bad:
        raise UserError([Problem(layer.where, what, _REMEDY) for layer in bad])


def require_finite_result(layer: Layer, result: Tensor) -> None:
    """Refuse a network whose own result, of one layer, is NaN or infinite.

    Raises:
        UserError: it is.
    """
    if not bool(result.isfinite().all()):
        what = "the network itself computes NaN or infinite values here, for random images"
        raise UserError(Problem(layer.where, what, _REMEDY))


def _arrays(layer: Layer) -> list[np.ndarray]:
    values = (getattr(layer, field.name) for field in fields(layer))
    return [value for value in values if isinstance(value, np.ndarray)]


def _finite(array: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(array)))
