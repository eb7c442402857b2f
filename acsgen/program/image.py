"""An image as LOAD reads it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acsgen.program.words import Words


def pack_image(image: NDArray[np.uint8]) -> Words:
    """Pack one image ``(C, H, W)`` as LOAD reads it: planar, each row padded to whole words."""
    channels, height, width = image.shape
    padded = np.zeros((channels, height, -(-width // 8) * 8), dtype=np.uint8)
    padded[:, :, :width] = image
    return padded.reshape(-1).view("<u8").astype(np.uint64, copy=False)
