"""The border of the image: pixels that normalize to zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.layers import Input


def pad_pixels(source: Input) -> NDArray[np.float64]:
    """The pixel ``(C,)`` float64 that normalizes to zero, not rounded and not cut to 0..255."""
    return -np.asarray(source.offset, np.float64) / np.asarray(source.scale, np.float64)


def pad_values(source: Input) -> NDArray[np.uint8]:
    """The pixel ``(C,)`` uint8 nearest to the one that normalizes to zero."""
    return np.asarray(np.clip(np.rint(pad_pixels(source)), 0, 255), np.uint8)
