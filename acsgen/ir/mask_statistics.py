"""How much masks depend on the image, over a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: A gate bit depends on the input if it is open for a share of the images within these bounds.
DEPENDENT = (0.02, 0.98)


@dataclass(frozen=True)
class MaskStatistics:
    """Statistics of gate bits; a bit is one channel of one call of a gate.

    Attributes:
        bits: number of gate bits.
        mean_open: mean share of open bits.
        input_dependent: share of bits that are open for a share of images within :data:`DEPENDENT`.
        mean_entropy: mean entropy of a bit over the images, in bits: 0 constant, 1 a fair coin.
    """

    bits: int
    mean_open: float
    input_dependent: float
    mean_entropy: float


def mask_statistics(frequency: NDArray[np.float64]) -> MaskStatistics:
    """Statistics of bits ``[bits]``, each given as the share of images that it is open for."""
    low, high = DEPENDENT
    p = frequency.clip(1e-12, 1.0 - 1e-12)
    entropy = -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
    return MaskStatistics(
        bits=len(frequency),
        mean_open=float(frequency.mean()),
        input_dependent=float(np.mean((frequency > low) & (frequency < high))),
        mean_entropy=float(entropy.mean()),
    )
