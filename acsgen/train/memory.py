"""The order in which tensors lie in memory while training."""

from __future__ import annotations

import torch


def memory_format(device: torch.device) -> torch.memory_format:
    """The memory format of images and weights that convolutions on ``device`` are trained in.

    Channels innermost is faster on a GPU. On a CPU it is not safe: the backward pass of PyTorch
    2.13's convolution (oneDNN) writes out of bounds for such tensors with few channels on
    processors with AVX2 and without AVX-512. There the heap is corrupted and gradients are wrong,
    with or without a crash.
    """
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format
