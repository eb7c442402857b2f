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
        distinct: how many different masks the images have, all gates together; None in files from
            before it was measured.
        first_component: share of the masks' variance over the images that lies along its first
            principal component, in (0, 1]: at 1 all bits that move follow one switch. None where
            no bit moves, and in files from before it was measured.
    """

    bits: int
    mean_open: float
    input_dependent: float
    mean_entropy: float
    distinct: int | None = None
    first_component: float | None = None


def mask_statistics(masks: NDArray[np.generic]) -> MaskStatistics:
    """Statistics of masks ``[images, bits]`` of 0 and 1, those of all gates side by side."""
    low, high = DEPENDENT
    frequency = masks.mean(axis=0, dtype=np.float64)
    p = frequency.clip(1e-12, 1.0 - 1e-12)
    entropy = -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
    return MaskStatistics(
        bits=len(frequency),
        mean_open=float(frequency.mean()),
        input_dependent=float(np.mean((frequency > low) & (frequency < high))),
        mean_entropy=float(entropy.mean()),
        distinct=len(np.unique(np.packbits(masks.astype(np.bool_), axis=1), axis=0)),
        first_component=first_component(masks),
    )


def first_component(masks: NDArray[np.generic]) -> float | None:
    """Share of the variance of ``masks [images, bits]`` along its first principal component.

    It is the largest eigenvalue of the bits' covariance over the sum of all; None where no bit
    moves.
    """
    centred = masks.astype(np.float64)
    centred -= centred.mean(axis=0)
    centred = centred[:, centred.any(axis=0)]
    if centred.size == 0:
        return None
    # The eigenvalues that differ from 0 are the same for both products; the smaller one is taken.
    tall = centred.shape[0] > centred.shape[1]
    product = centred.T @ centred if tall else centred @ centred.T
    return float(np.linalg.eigvalsh(product)[-1] / np.trace(product))
