"""A histogram of magnitudes that grows with its data, and the clipping scale it suggests."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BINS = 2048
#: Clipping limits tried, as shares of the largest magnitude seen. They are rounded to float32,
#: since the last bits of a float64 power depend on the processor.
CANDIDATES = np.exp2(-np.arange(0, 97) / 16).astype(np.float32).astype(np.float64)


class Histogram:
    """Weighted counts of ``|x|`` over :data:`BINS` equal bins; zeros, which cost nothing, apart.

    The range doubles when a larger value comes, so that one pass over the data is enough and the
    result does not depend on how the data is cut into batches.
    """

    def __init__(self) -> None:
        self.counts: NDArray[np.float64] = np.zeros(BINS)
        self.limit = 0.0
        self.largest = 0.0

    def add(self, values: Tensor, weight: float = 1.0) -> None:
        """Count ``values`` (any shape), each ``weight`` times."""
        magnitudes = values.detach().abs().flatten().to(torch.float32)
        largest = float(magnitudes.max()) if len(magnitudes) else 0.0
        if largest == 0.0:
            return
        self.largest = max(self.largest, largest)
        self._grow(largest)
        counts = torch.histc(magnitudes, BINS, 0.0, self.limit).double().numpy()
        counts[0] -= int((magnitudes == 0).sum())
        self.counts += weight * counts

    def _grow(self, largest: float) -> None:
        """Make the limit a power of two of at least ``largest``, merging bins in pairs."""
        _, exponent = np.frexp(largest)
        limit = float(np.ldexp(1.0, exponent))
        if self.limit == 0.0:
            self.limit = limit
        while self.limit < limit:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([merged, np.zeros(BINS - len(merged))])
            self.limit *= 2

    def best_scale(self, levels: int) -> float:
        """The scale with the least mean squared error of rounding and clipping together.

        Args:
            levels: the largest integer, which takes all values beyond.

        Returns:
            The real value of one unit, or 0 if nothing but zeros was seen.
        """
        if self.largest == 0.0:
            return 0.0
        centers = (np.arange(BINS) + 0.5) * (self.limit / BINS)
        scales = self.largest * CANDIDATES / levels
        errors = [self._error(float(scale), centers, levels) for scale in scales]
        return float(scales[int(np.argmin(errors))])

    def _error(self, scale: float, centers: NDArray[np.floating], levels: int) -> float:
        inside = scale * scale / 12
        beyond = np.maximum(centers - scale * levels, 0.0)
        # Exactly rounded: a library's dot product adds in the order of the processor's vectors,
        # and the candidates on both sides of the least error are close together.
        return math.fsum(self.counts * (np.square(beyond) + inside))
