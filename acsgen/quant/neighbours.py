"""Which channels of a gate open for the same images, so that an engine can keep them together.

Weights that meet only channels that are switched off are not read from memory.  Memory is read in
words and bursts, so that it takes least where channels that are used together lie together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def neighbours(masks: NDArray[np.integer]) -> tuple[int, ...]:
    """Return the channels in an order in which those that open for the same images are neighbours.

    The first one is open most often, and every other one differs from the one before it for as few
    images as possible.  Of several the one that is open more often comes first, then the one with
    the lower number.  All of it is counting, so that every processor finds the same.

    Args:
        masks: of images, 0/1 ``[N, channels]``.
    """
    bits = masks.astype(np.float64)  # Products of these count images, exactly.
    both = bits.T @ bits
    opened = both.diagonal()
    differ = opened[:, None] + opened[None, :] - 2 * both
    channels = np.arange(len(opened))
    left = np.ones(len(opened), bool)
    order: list[int] = []
    while left.any():
        distance = differ[order[-1]] if order else np.zeros(len(opened))
        at = channels[left]
        best = np.lexsort((at, -opened[left], distance[left]))[0]
        order.append(int(at[best]))
        left[order[-1]] = False
    return tuple(order)
