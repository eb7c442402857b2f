"""Buffers of the engine: little-endian 64-bit words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import WORD_BYTES

Words = NDArray[np.uint64]


def as_bytes(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return words as their bytes, in memory order."""
    return np.ascontiguousarray(words).astype("<u8").view(np.uint8)


def packed(values: NDArray[np.integer], dtype: np.dtype[np.generic]) -> Words:
    """Return numbers as words, as many to a word as fit, the first in the lowest bits."""
    per_word = WORD_BYTES // dtype.itemsize
    padded = np.zeros(-(-len(values) // per_word) * per_word, dtype)
    padded[: len(values)] = values
    return padded.view("<u8").astype(np.uint64)
