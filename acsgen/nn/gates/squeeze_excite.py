"""Squeeze-and-Excitation (Hu et al. 2018), as used between the two DGConvs of an ACS gate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SqueezeExcite(nn.Module):
    """Rescale each channel by a factor in (0, 1) computed from all channel means.

    Global average pool, Linear, ReLU, Linear, Sigmoid, multiply; no biases. Works on [N, C, H, W].

    Args:
        channels: C.
        reduction: the hidden width is ``max(channels // reduction, 2)``.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(channels // reduction, 2)
        self.squeeze = nn.Linear(channels, hidden, bias=False)
        self.excite = nn.Linear(hidden, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same shape."""
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3))))))
        return x * scale.unsqueeze(-1).unsqueeze(-1)
