"""The load that is measured: loops of inferences, idle stretches, and the clock of both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ..errors import InputError, Problem
from ..result import check_images

if TYPE_CHECKING:
    from ..accelerator import Accelerator

#: A loop looks at the clock about so often, in seconds.
LOOK_SECONDS = 0.1


class Loop(NamedTuple):
    """One stretch of inferences.

    Attributes:
        start: seconds of the clock.
        end: likewise.
        images: how many were run.
        counters: the engine's counters, mean of an image.
    """

    start: float
    end: float
    images: int
    counters: dict[str, float]


class Workload(Protocol):
    """Something that runs inferences for a while, or nothing for a while."""

    def now(self) -> float:
        """Return the time in seconds."""

    def loop(self, seconds: float) -> Loop:
        """Run inferences for at least so many seconds."""

    def idle(self, seconds: float) -> None:
        """Leave the engine idle for so many seconds."""


def images_of_loops(accelerator: Accelerator, images: Any) -> np.ndarray:
    """Return the images of loops, uint8 ``[N, C, H, W]``.

    Raises :class:`InputError` for other images, or none: a loop over none would have no end.
    """
    pixels = check_images(images, accelerator.bundle)
    if not len(pixels):
        raise InputError(Problem("images", "there are none", "give at least one"))
    return pixels


class Inferences:
    """Runs the same images over and over on an accelerator."""

    def __init__(self, accelerator: Accelerator, images: Any) -> None:
        """Take images uint8 ``[N, C, H, W]``."""
        self._accelerator = accelerator
        self._images = images_of_loops(accelerator, images)
        self._at_once = 1

    def now(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def loop(self, seconds: float) -> Loop:
        """Run inferences for at least so many seconds; whole rounds of the images.

        A round that is cut off would favour its first images.
        """
        totals: dict[str, float] = {}
        count = 0
        start = self.now()
        while True:
            first = 0
            while first < len(self._images):
                began = self.now()
                results = self._accelerator.run_many(self._images[first:][: self._at_once])
                for result in results:
                    for name, value in result.counters.items():
                        totals[name] = totals.get(name, 0.0) + value
                count += len(results)
                first += len(results)
                each = (self.now() - began) / len(results)
                self._at_once = int(np.clip(LOOK_SECONDS / max(each, 1e-6), 1, len(self._images)))
            end = self.now()
            if end - start >= seconds:
                return Loop(start, end, count, {n: v / count for n, v in totals.items()})

    def idle(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
