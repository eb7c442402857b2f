"""Draws masks that save a given share of a network's MACs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acsgen.cost.macs import count_macs
from acsgen.ir.integer import IntGraph

#: Random roundings tried for one set of masks.
ROUNDINGS = 16

_HALVINGS = 12


@dataclass(frozen=True)
class DrawnMasks:
    """Masks that were drawn.

    Attributes:
        masks: booleans ``(C,)`` by gate name.
        open_share: share of every gate's channels that are open, up to rounding.
        macs: executed with these masks, the gates' own work included.
    """

    masks: dict[str, NDArray[np.bool_]] = field(repr=False)
    open_share: float
    macs: int


def draw_masks(graph: IntGraph, macs: float, seed: int) -> DrawnMasks:
    """Draw masks with which ``graph`` executes as nearly ``macs`` MACs as equal shares allow.

    Every gate has the same share of open channels, which are drawn at random.  The share times a
    gate's channels is rounded up or down at random, and of :data:`ROUNDINGS` such draws the one
    nearest to the target is kept.
    """
    rng = np.random.default_rng(seed)
    order = {gate.name: rng.permutation(gate.shape[0]) for gate in graph.gates}

    def draw(share: float, rounding: dict[str, float]) -> DrawnMasks:
        masks = {}
        for name, channels in order.items():
            opened = np.zeros(len(channels), bool)
            opened[channels[: int(share * len(channels) + rounding[name])]] = True
            masks[name] = opened
        counted = {name: mask[None].astype(np.uint8) for name, mask in masks.items()}
        return DrawnMasks(masks, share, int(count_macs(graph, counted, 1).executed[0]))

    # Executed MACs rise with the share, in steps finer than this many halvings can tell apart.
    nearest = dict.fromkeys(order, 0.5)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if draw(middle, nearest).macs < macs else (low, middle)
    draws = [draw(share, nearest) for share in (low, high)]
    draws += [draw(high, {name: rng.random() for name in order}) for _ in range(ROUNDINGS)]
    return min(draws, key=lambda drawn: abs(drawn.macs - macs))
