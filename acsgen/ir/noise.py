"""The noise that quantization adds to a layer, as a figure, and the layers to blame for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_BLAMED = 3
#: A layer that loses less than this to its inputs only passes their noise on.
_LOSS_DB = 3.0
#: Noise so far below the signal of every channel does not change a prediction.
_HARMLESS_DB = 20.0


@dataclass(frozen=True)
class LayerNoise:
    """Signal to noise of one layer's integers against the float network, in decibels.

    Attributes:
        layer: its name.
        snr_db: mean square of the float result over that of the difference.
        channel_snr_db: the same where every channel counts alike, however small its values are. A
            channel whose noise exceeds its signal counts as lost, and no more.
        added_db: by how much ``channel_snr_db`` is worse than that of the worst input.
    """

    layer: str
    snr_db: float
    channel_snr_db: float
    added_db: float


def blamed(noise: Sequence[LayerNoise]) -> list[LayerNoise]:
    """Return the layers that add most noise to that of their inputs, the worst first."""
    adding = [item for item in noise if item.added_db >= _LOSS_DB]
    harmful = [item for item in adding if item.channel_snr_db < _HARMLESS_DB]
    worst_first = sorted(harmful or adding or noise, key=lambda item: -item.added_db)
    return worst_first[:_BLAMED]
