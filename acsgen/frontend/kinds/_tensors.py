"""Steps that several kinds compute alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from acsgen.frontend.kinds.base import Results
from acsgen.ir.kinds.base import FloatArray
from acsgen.ir.layers import Conv, Eltwise, FullyConnected


def tensor(array: FloatArray, dtype: torch.dtype) -> Tensor:
    """The array as a tensor of ``dtype``."""
    # PyTorch warns of an array that must not be written, such as one that numpy broadcast.
    return torch.from_numpy(np.require(array, requirements="W")).to(dtype)


def by_channel(vector: Tensor) -> Tensor:
    """``[N, C]`` as ``[N, C, 1, 1]``, to go with a map."""
    return vector[:, :, None, None]


def least(first: float | None, second: float | None) -> float | None:
    """The smaller of two upper ends; None stands for an end that is not there."""
    return min((end for end in (first, second) if end is not None), default=None)


def affine(layer: FullyConnected, results: Results) -> Tensor:
    """``weight @ x + bias``, ``[N, O]``."""
    x = results[layer.x]
    return F.linear(x, tensor(layer.weight, x.dtype), tensor(layer.bias, x.dtype))


def finish(y: Tensor, layer: Conv | Eltwise, results: Results) -> Tensor:
    """Add the residual, then ReLU, where the layer has them."""
    if layer.residual is not None:
        y = y + results[layer.residual]
    return torch.relu(y) if layer.relu else y
