"""Images as the engine reads them, and results as it writes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import isa
from .bundle import Bundle
from .errors import InputError, Problem

#: Words of the header that say how a run ended; the others are counters.
_OUTCOME = ("spec_hash", "status", "fault_index")


class Result(NamedTuple):
    """One image's results.

    Attributes:
        logits: int32 ``(classes,)``.
        masks: uint8 0/1 ``(channels,)`` by gate name.
        counters: the engine's counters by name; ``cycles`` and ``stall_cycles`` are 0 where the
            engine does not count them.
        seconds: from the start to the moment the driver saw the end, so with the waiting's grain.
    """

    logits: np.ndarray
    masks: dict[str, np.ndarray]
    counters: dict[str, int]
    seconds: float

    @property
    def prediction(self) -> int:
        """The class; the lowest index wins a tie."""
        return int(self.logits.argmax())


def check_images(images: Any, bundle: Bundle) -> np.ndarray:
    """Return images as an array uint8 ``[N, C, H, W]``; one image may come without the N.

    Raises :class:`InputError` for anything else: what a network sees must never be a guess.
    """
    array = np.asarray(images)
    wanted = "x".join(str(size) for size in bundle.shape)
    if array.dtype != np.uint8:
        raise InputError(
            Problem(
                "images",
                f"are {array.dtype}, {bundle.model} takes uint8",
                "pass raw pixels, 0 to 255, not normalized",
            )
        )
    if array.shape == bundle.shape:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[1:] != bundle.shape:
        found = "x".join(str(size) for size in array.shape) or "a single number"
        raise InputError(
            Problem(
                "images",
                f"have shape {found}, {bundle.model} takes {wanted} or N of these",
                "channels come first, then rows, then columns",
            )
        )
    return array


def pack_image(image: np.ndarray, target: np.ndarray) -> None:
    """Write an image uint8 ``[C, H, W]`` into ``target``, uint64 words, every row padded."""
    channels, height, width = image.shape
    rows = target.view(np.uint8).reshape(channels, height, -1)
    rows[:, :, :width] = image
    rows[:, :, width:] = 0


def header(words: np.ndarray) -> dict[str, int]:
    """Return the words of the result header by name."""
    return {name: int(words[index]) for index, name in enumerate(isa.RESULT_HEADER)}


def decode(bundle: Bundle, words: np.ndarray, seconds: float) -> Result:
    """Return what a result buffer, uint64 words, holds after a good run."""
    logits = words[bundle.logits_address :][: -(-bundle.classes // 2)].copy().view("<i4")
    masks = {}
    for gate in bundle.gates.values():
        packed = words[gate.mask_address :][: gate.mask_words].copy().view(np.uint8)
        masks[gate.name] = np.unpackbits(packed, bitorder="little")[: gate.channels]
    counters = {name: value for name, value in header(words).items() if name not in _OUTCOME}
    return Result(logits[: bundle.classes].astype(np.int32), masks, counters, seconds)
