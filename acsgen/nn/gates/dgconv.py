"""Dynamic grouping convolution (DGConv, Zhang et al. 2019; ACS paper, equations 2 to 4).

The channel connectivity of a C-to-C convolution is a Kronecker product of log2(C) learned 2x2
factors. Once trained it is an ordinary grouped convolution behind a fixed channel permutation,
which the compiler resolves; the hardware never sees the learning machinery.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def is_power_of_two(value: int) -> bool:
    """Whether ``value`` is 1, 2, 4, 8, ..."""
    return value > 0 and value & (value - 1) == 0


class DGConv2d(nn.Module):
    """C-to-C convolution whose grouping is learned.

    With g the K = log2(C) binary gates (most significant channel bit first), the weight is
    multiplied by U = M_1 (x) ... (x) M_K, where M_k is the 2x2 matrix of ones for g_k = 1 and the
    identity for g_k = 0. Hence weight (o, c) survives iff ``(o ^ c) & Z == 0`` with Z the bits
    where g is 0: a convolution with 2^(number of zeros) groups.

    The trained parameter ``gate`` is continuous; g = 1 where ``gate >= 0``. In training the
    gradient passes straight through that sign. In eval mode U depends on parameters alone, through
    plain aten operators, so that an exported graph folds to a constant weight.

    Args:
        channels: C, a power of two.
        kernel_size: odd; the padding is ``kernel_size // 2``.
        stride: spatial stride.

    Raises:
        ValueError: ``channels`` is not a power of two, or ``kernel_size`` is even.
    """

    #: Start with every factor open (a dense convolution); the cost term of the loss closes them.
    INITIAL_GATE = 0.5

    def __init__(self, channels: int, kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__()
        if not is_power_of_two(channels):
            raise ValueError(f"DGConv2d needs a power of two as channel count, got {channels}")
        if kernel_size % 2 == 0:
            raise ValueError(f"DGConv2d needs an odd kernel size, got {kernel_size}")
        self.channels = channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(channels, channels, kernel_size, kernel_size))
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        bits = channels.bit_length() - 1
        self.gate = nn.Parameter(torch.full((bits,), self.INITIAL_GATE))

    def gate_bits(self) -> Tensor:
        """The K binary gates as float 0/1; differentiable (straight-through) in training."""
        hard = (self.gate >= 0).to(self.gate.dtype)
        if self.training:
            return hard + (self.gate - self.gate.detach())
        return hard

    def relationship(self) -> Tensor:
        """U, the [C, C] matrix of 0/1 that tells which (output, input) pairs are connected."""
        ones = self.gate.new_ones(2, 2)
        eye = torch.eye(2, dtype=self.gate.dtype, device=self.gate.device)
        bits = self.gate_bits()
        u = self.gate.new_ones(1, 1)
        for k in range(bits.shape[0]):
            factor = bits[k] * ones + (1.0 - bits[k]) * eye
            size = 2 << k
            u = (u[:, None, :, None] * factor[None, :, None, :]).reshape(size, size)
        return u

    def surviving_weights(self) -> Tensor:
        """Number of weights left after grouping, a scalar: k*k * 2^(K + sum g).

        This is the DGConv regularizer times the kernel area; differentiable in training.
        """
        return self.channels * self.kernel_size**2 * torch.pow(2.0, self.gate_bits().sum())

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, C, ceil(H / stride), ceil(W / stride)]."""
        weight = self.weight * self.relationship().unsqueeze(-1).unsqueeze(-1)
        return F.conv2d(x, weight, stride=self.stride, padding=self.kernel_size // 2)

    def extra_repr(self) -> str:
        """The module's parameters for ``print(module)``."""
        return f"{self.channels}, kernel_size={self.kernel_size}, stride={self.stride}"
