"""Images as a network takes them, and results as a host sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import words
from .arguments import listed
from .bundle import Bundle
from .errors import InputError, Problem

#: Words of the header that say how a run ended; the others are counters.
_OUTCOME = ("spec_hash", "status", "fault_index")


class Result(NamedTuple):
    """One image's results.

    Attributes:
        outputs: int32 ``(classes,)`` by name, of the outputs that the run computed, in their order.
        masks: uint8 0/1 ``(channels,)`` by gate name, of the gates that ran.
        counters: the engine's counters by name; ``cycles`` and ``stall_cycles`` are 0 where the
            engine does not count them.
        seconds: from the start to the moment the driver saw the end, so with the waiting's grain.
    """

    outputs: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    counters: dict[str, int]
    seconds: float

    @property
    def answer(self) -> str:
        """The output that is the network's answer: the last one that the run computed."""
        return list(self.outputs)[-1]

    @property
    def logits(self) -> np.ndarray:
        """The answer, int32 ``(classes,)``."""
        return self.outputs[self.answer]

    @property
    def prediction(self) -> int:
        """The class; the lowest index wins a tie."""
        return int(self.logits.argmax())


def check_images(images: Any, bundle: Bundle) -> np.ndarray:
    """Return images as an array uint8 ``[N, C, H, W]``; one image may come without the N.

    A list or a generator of images is taken too, and no images at all.

    Raises :class:`InputError` for anything else: a network's input must never be a guess.
    """
    wanted = "x".join(str(size) for size in bundle.shape)
    given = listed(images)
    if isinstance(given, (list, tuple)) and not given:
        return np.zeros((0, *bundle.shape), np.uint8)
    if isinstance(given, (list, tuple)):
        try:
            given = [np.asarray(image) for image in given]
        except (TypeError, ValueError) as error:
            raise _unlike(wanted, bundle) from error
        # numpy before 1.24 would make them an array of objects.
        if len({image.shape for image in given}) > 1:
            raise _unlike(wanted, bundle)
    array = np.asarray(given)
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


def _unlike(wanted: str, bundle: Bundle) -> InputError:
    return InputError(
        Problem(
            "images",
            f"differ in shape or are not arrays, {bundle.model} takes {wanted} or N of these",
            "pass arrays of one shape",
        )
    )


def decode(bundle: Bundle, buffer: np.ndarray, seconds: float) -> Result:
    """Return the content of a result buffer, uint64 words, after a good run."""
    masks = {
        gate.name: words.mask(buffer, gate.mask_address, gate.channels)
        for gate in bundle.gates.values()
        if words.written(buffer, gate.mask_address, gate.mask_words)
    }
    outputs = {
        output.name: words.logits(buffer, output.address, output.classes)
        for output in bundle.outputs.values()
        if words.written(buffer, output.address, output.words)
    }
    counters = {name: value for name, value in words.header(buffer).items() if name not in _OUTCOME}
    return Result(outputs, masks, counters, seconds)
