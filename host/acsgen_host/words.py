"""How images, thresholds and results lie in the 64-bit words that cross the bus.

The build, its simulations and the driver use these very functions.  Words are uint64 in the order
of the processor; their content begins in the lowest bits of the first word.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from . import isa

WORD_BITS = 8 * isa.WORD_BYTES

#: Every word of a result buffer before a run, so that a word the engine does not write is seen.
POISON = 0xDEADBEEFDEADBEEF


def words_for(count: int, bits: int) -> int:
    """Return the words that ``count`` values of so many bits take."""
    return -(-count * bits // WORD_BITS)


def as_bytes(words: np.ndarray) -> np.ndarray:
    """Return words as their bytes, uint8, in memory order."""
    return np.ascontiguousarray(words).astype("<u8").view(np.uint8)


def pack(values: np.ndarray, kind: str) -> np.ndarray:
    """Return integers as words, the last one filled with zeros.

    ``kind`` is the type of one in memory, for example ``<i4``.
    """
    size = np.dtype(kind).itemsize
    padded = np.zeros(words_for(len(values), 8 * size) * isa.WORD_BYTES // size, kind)
    padded[: len(values)] = values
    return padded.view("<u8").astype(np.uint64)


def unpack(words: np.ndarray, kind: str, count: int) -> np.ndarray:
    """Return the first ``count`` integers that :func:`pack` put into words."""
    return as_bytes(words).view(kind)[:count]


def pack_bits(bits: np.ndarray) -> np.ndarray:
    """Return bits, 0 or 1, as words: 64 to a word."""
    return pack(np.packbits(bits, bitorder="little"), "<u1")


def unpack_bits(words: np.ndarray, count: int) -> np.ndarray:
    """Return the first ``count`` bits of words, uint8."""
    return np.unpackbits(as_bytes(words), bitorder="little")[:count]


def in_order(values: np.ndarray, order: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return values by channel in the order in which an engine keeps the channels."""
    return np.asarray(values)[np.asarray(order, np.intp)]


def by_channel(kept: np.ndarray, order: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return values by channel of values that an engine keeps in an order of channels."""
    values = np.empty_like(kept)
    values[np.asarray(order, np.intp)] = kept
    return values


def image_words(shape: tuple[int, int, int]) -> int:
    """Return the words of an image ``(C, H, W)``, one byte a pixel: every row is padded."""
    channels, height, width = shape
    return channels * height * words_for(width, 8)


def pack_image(image: np.ndarray, target: np.ndarray | None = None) -> np.ndarray:
    """Return an image uint8 ``[C, H, W]`` as the engine reads it, in ``target`` if given."""
    channels, height, width = image.shape
    if target is None:
        target = np.empty(image_words(image.shape), np.uint64)
    rows = target.view(np.uint8).reshape(channels, height, -1)
    rows[:, :, :width] = image
    rows[:, :, width:] = 0
    return target


def unpack_images(stored: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the images uint8 ``[N, C, H, W]`` of packed ones, uint8, one behind the other."""
    channels, height, width = shape
    rows = stored.reshape(-1, channels, height, words_for(width, 8) * isa.WORD_BYTES)
    return np.ascontiguousarray(rows[..., :width])


def header(result: np.ndarray) -> dict[str, int]:
    """Return the words of a result's header by name."""
    return {name: int(result[index]) for index, name in enumerate(isa.RESULT_HEADER)}


def written(result: np.ndarray, address: int, count: int) -> bool:
    """Return whether the engine wrote some of ``count`` words of a result.

    A program need not run every line, and leaves :data:`POISON` where a result was not computed.
    """
    return bool(np.any(result[address : address + count] != POISON))


def logits(result: np.ndarray, address: int, classes: int) -> np.ndarray:
    """Return the logits int32 ``(classes,)`` that begin at a word of a result."""
    words = result[address : address + words_for(classes, 32)]
    return unpack(words, "<i4", classes).astype(np.int32)


def mask(result: np.ndarray, address: int, channels: int) -> np.ndarray:
    """Return the mask uint8 0/1 ``(channels,)`` that begins at a word of a result."""
    return unpack_bits(result[address : address + words_for(channels, 1)], channels)
