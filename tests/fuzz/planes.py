"""Where maps lie in feature memory: the source of an instruction, its result, and what is added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import LANES, SEGMENTS, WORD_BYTES, Instruction

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Plane:
    """Where the pixels of a map lie: ``pitch`` is log2 of the segments in a stored row."""

    base: int
    step: int
    channels: int
    height: int
    width: int
    pitch: int
    #: Blocks from one phase plane to the next of a split map; None: raster.
    phase: int | None = None

    def blocks(self) -> int:
        """Blocks from a channel's first to its last."""
        if self.phase is not None:
            return 3 * self.phase + plane_blocks((self.height + 1) // 2, self.pitch)
        return plane_blocks(self.height, self.pitch)

    def all_blocks(self) -> Ints:
        """The blocks of all channels, each once."""
        each = np.arange(self.blocks())
        return np.unique(self.base + np.arange(self.channels)[:, None] * self.step + each)

    def cells(self) -> Ints:
        """Byte address of every pixel, ``(channels, height, width)``."""
        c, y, x = np.ix_(range(self.channels), range(self.height), range(self.width))
        start = (self.base + c * self.step) * LANES
        row = WORD_BYTES << self.pitch
        if self.phase is None:
            return np.asarray(start + y * row + x, np.int64)
        plane = (2 * (y % 2) + x % 2) * self.phase * LANES
        # In the planes of odd columns the halves of every block are exchanged.
        within = ((y // 2) * row + x // 2) ^ (x % 2 * (LANES // 2))
        return np.asarray(start + plane + within, np.int64)


def plane_blocks(rows: int, pitch: int) -> int:
    """Blocks of a plane."""
    return -(-(rows << pitch) // SEGMENTS)


def result_channels(op: Instruction) -> int:
    """Channels of a map that an instruction writes."""
    return op.groups * op.channels if op.grouped else op.channels


def traced_words(op: Instruction) -> int:
    """Words that are copied to the result buffer when an instruction is traced."""
    if op.writes_map:
        return result_channels(op) * op.dst_step * SEGMENTS
    if op.copies_map:
        return op.channels * op.src_step * SEGMENTS
    return -(-op.channels // WORD_BYTES)


def result_plane(op: Instruction) -> Plane:
    """The map that an instruction writes."""
    shape = (result_channels(op), op.dst_height, op.dst_width)
    if not op.dst_split:
        return Plane(op.dst_base, op.dst_step, *shape, op.row_log2)
    pitch = max(op.row_log2 - 1, 0)
    phase = plane_blocks((op.dst_height + 1) // 2, pitch)
    return Plane(op.dst_base, op.dst_step, *shape, pitch, phase)


def source_plane(op: Instruction, channels: int) -> Plane:
    """The map under a moving window."""
    shape = (channels, op.src_height, op.src_width)
    phase = op.src_plane if op.stride == 2 else None
    return Plane(op.src_base, op.src_step, *shape, op.row_log2, phase)


def same_shape(op: Instruction, base: int, step: int, channels: int) -> Plane:
    """A raster map as large as the result."""
    return Plane(base, step, channels, op.dst_height, op.dst_width, op.row_log2)


def residual_plane(op: Instruction) -> Plane | None:
    """The map that is added, if there is one."""
    if not op.res_enable:
        return None
    return same_shape(op, op.res_base, op.res_step, result_channels(op))
