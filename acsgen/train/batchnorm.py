"""Settles BatchNorm's statistics on the finished weights."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import torch
from torch import Tensor, nn

from acsgen.train.gate_modes import LEARNED, gates_in_mode
from acsgen.train.memory import memory_format

#: Batches that the statistics are averaged over.
SETTLING_BATCHES = 100


@torch.no_grad()
def settle_batch_norm(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Recompute the running statistics: means over batches, in float32, gates without noise.

    While training they follow moving weights, noisy masks and (with bfloat16) rounded activations;
    the last few batches weigh most, and one odd batch can move gate decisions by several percent.

    Args:
        model: trained; left in eval mode.
        batches: (images, labels); the first :data:`SETTLING_BATCHES` are used.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    saved = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    with gates_in_mode(model, LEARNED, noise=0.0):
        for images, _ in islice(batches, SETTLING_BATCHES):
            model(images.contiguous(memory_format=memory_format(images.device)))
    model.eval()
    for norm, momentum in zip(norms, saved, strict=True):
        norm.momentum = momentum
