"""The engine's sigmoid table, from which every executor takes its values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sigmoid_table(fraction_bits: int) -> NDArray[np.uint8]:
    """256 * sigmoid(q / 2**fraction_bits) for q in -128..127, rounded half up and cut at 255."""
    argument = np.arange(-128, 128) / 2**fraction_bits
    rounded = np.floor(256.0 / (1.0 + np.exp(-argument)) + 0.5)
    return np.asarray(np.minimum(rounded, 255), np.uint8)
