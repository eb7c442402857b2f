"""Training batches from a data set held on the device: shuffling and light augmentation.

All random choices of an epoch are drawn on the CPU from (seed, epoch), so that a resumed run and a
run on another device see the same batches.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


class Batches:
    """Endless supply of epochs over ``images`` uint8 [N, C, H, W] and ``labels`` [N].

    Args:
        images: on the device to train on.
        labels: on the same device.
        batch: images per batch; the incomplete last batch of an epoch is dropped.
        shift: largest translation in pixels; borders are repeated.
        flip: mirror half of the images.
        seed: see the module's docstring.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, batch: int, shift: int, flip: bool, seed: int
    ) -> None:
        self._images = images
        self._labels = labels
        self._batch = batch
        self._shift = shift
        self._flip = flip
        self._seed = seed
        height, width = images.shape[2:]
        self._rows = torch.arange(height, device=images.device)
        self._columns = torch.arange(width, device=images.device)

    def __len__(self) -> int:
        return len(self._labels) // self._batch

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of epoch ``number``."""
        rng = np.random.default_rng([self._seed, number])
        count = len(self) * self._batch
        device = self._images.device
        order = torch.from_numpy(rng.permutation(len(self._labels))[:count]).to(device)
        moves = rng.integers(-self._shift, self._shift + 1, (2, count))
        dy, dx = torch.from_numpy(moves).to(device)
        mirrored = torch.from_numpy(rng.integers(0, 2, count)).to(device).bool()
        for start in range(0, count, self._batch):
            chosen = slice(start, start + self._batch)
            index = order[chosen]
            rows = (self._rows + dy[chosen, None]).clamp(0, len(self._rows) - 1)
            columns = (self._columns + dx[chosen, None]).clamp(0, len(self._columns) - 1)
            if self._flip:
                columns = torch.where(mirrored[chosen, None], columns.flip(1), columns)
            picked = self._images[index[:, None, None], :, rows[:, :, None], columns[:, None, :]]
            yield picked.permute(0, 3, 1, 2).contiguous(), self._labels[index]
