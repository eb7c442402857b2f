"""How maps lie in the feature memory: planes, rows, blocks; raster and split layout.

The same formulas as the engine's.  A *segment* is 8 pixels, a *block* 8 segments.  A plane is
stored row by row, each row in ``2**row_log2`` segments.  A split map is four planes, one for each
parity of row and column (0: even row, even column; 1: even, odd; 2: odd, even; 3: odd, odd), so
that a stride-2 tap reads consecutive pixels.  In the planes of odd columns the two halves of every
block are exchanged, so that the engine writes both parities of a row at once: to different banks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import LANES, SEGMENT_PIXELS, SEGMENTS

PHASES = 4


def row_pixels(row_log2: int) -> int:
    """Return the pixels of a row, padding included."""
    return SEGMENT_PIXELS << row_log2


def plane_blocks(height: int, row_log2: int) -> int:
    """Return the blocks of a plane."""
    return -(-(height << row_log2) // SEGMENTS)


def phase_size(size: int, phase: int) -> int:
    """Return the rows (columns) of the phase plane of parity ``phase``."""
    return (size + 1 - phase) >> 1


def phase_row_log2(row_log2: int) -> int:
    """Return the ``row_log2`` of the phase planes of a raster plane written split."""
    return max(row_log2 - 1, 0)


@dataclass(frozen=True)
class MapFormat:
    """How a map of ``channels x height x width`` pixels is stored.

    ``row_log2`` is that of the planes as stored: the raster plane, or each of the phase planes.
    """

    channels: int
    height: int
    width: int
    row_log2: int
    split: bool

    @property
    def plane(self) -> int:
        """Blocks of one plane as stored."""
        return plane_blocks(
            phase_size(self.height, 0) if self.split else self.height, self.row_log2
        )

    @property
    def step(self) -> int:
        """Blocks of one channel, which follow each other without gaps."""
        return PHASES * self.plane if self.split else self.plane

    @property
    def blocks(self) -> int:
        """Blocks of the whole map."""
        return self.channels * self.step

    def pixels(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the map ``(channels, height, width)`` from its stored bytes."""
        planes = stored.reshape(self.channels, -1, self.plane * LANES)
        pitch = row_pixels(self.row_log2)
        if not self.split:
            return planes.reshape(self.channels, -1, pitch)[:, : self.height, : self.width]
        pixels = np.zeros((self.channels, self.height, self.width), np.uint8)
        for phase in range(PHASES):
            y, x = divmod(phase, 2)
            part = pixels[:, y::2, x::2]
            stored_phase = planes[:, phase]
            if x:
                halves = stored_phase.reshape(self.channels, -1, 2, LANES // 2)
                stored_phase = halves[:, :, ::-1]
            rows = stored_phase.reshape(self.channels, -1, pitch)
            part[:] = rows[:, : part.shape[1], : part.shape[2]]
        return pixels

    def byte_index(self) -> NDArray[np.intp]:
        """Return for a raster map the stored byte of every pixel, ``(channels, height, width)``."""
        channel = np.arange(self.channels)[:, None, None] * (self.step * LANES)
        row = np.arange(self.height)[:, None] * row_pixels(self.row_log2)
        return np.asarray(channel + row + np.arange(self.width), np.intp)
