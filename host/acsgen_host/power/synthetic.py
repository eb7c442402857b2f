"""A power source that is made up, for want of a board: for trying the tools, never for a figure.

Its power is idle power, and while the engine runs so many joules for each image, with noise, a
slow drift and lost samples.  Its time is not that of a clock on the wall: a loop of ten seconds
takes as long as one round of the images takes in the simulation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping

import numpy as np

from .trace import SourceInfo, Trace, make_trace
from .workload import Loop, images_of_loops

if TYPE_CHECKING:
    from ..accelerator import Accelerator

INFO = SourceInfo("SYNTHETIC", "made up: no sensor, no board", None, True)

BANNER = "\n".join(
    (
        "*" * 66,
        "*" + " " * 64 + "*",
        "*" + "S Y N T H E T I C   P O W E R".center(64) + "*",
        "*" + "No sensor: these watts and joules are made up by a formula.".center(64) + "*",
        "*" + "They show how the tools work, and say nothing of any board.".center(64) + "*",
        "*" + " " * 64 + "*",
        "*" * 66,
    )
)


def invented_energy(counters: Mapping[str, float]) -> float:
    """Joules for an image in this made-up world, from its counters.

    4 pJ for a MAC and 600 pJ for a byte of DDR, which no part that exists is claimed to take.
    """
    moved = 8 * (counters["read_words"] + counters["written_words"])
    return 4e-12 * counters["macs_executed"] + 600e-12 * moved + 2e-5


class SyntheticBench:
    """A workload on a simulated accelerator, and the recorder of its made-up power."""

    def __init__(
        self,
        accelerator: Accelerator,
        images: np.ndarray,
        *,
        rate_hz: float = 200.0,
        idle_watts: float = 3.0,
        noise_watts: float = 0.05,
        drift_watts: float = 0.1,
        lost: float = 0.01,
        energy: Callable[[Mapping[str, float]], float] = invented_energy,
        seed: int = 0,
    ) -> None:
        """Take a simulated accelerator and images uint8 ``[N, C, H, W]``.

        Args:
            accelerator: tells the counters and the seconds of an image.
            images: those of a loop.
            rate_hz: samples a second.
            idle_watts: with an idle engine.
            noise_watts: standard deviation of a sample.
            drift_watts: rise over ten minutes.
            lost: share of the samples that are lost.
            energy: joules of an image, from its mean counters.
            seed: of noise and losses.
        """
        self._accelerator = accelerator
        self._images = images_of_loops(accelerator, images)
        self._rate = rate_hz
        self._idle_watts, self._noise, self._drift, self._lost = (
            idle_watts,
            noise_watts,
            drift_watts,
            lost,
        )
        self._energy = energy
        self._rng = np.random.default_rng(seed)
        self._now = 0.0
        self._loads: list[tuple[float, float, float]] = []
        self._known: tuple[object, float, dict[str, float]] | None = None

    def now(self) -> float:
        """Return the made-up time in seconds."""
        return self._now

    def idle(self, seconds: float) -> None:
        """Let the made-up time pass."""
        self._now += seconds

    def loop(self, seconds: float) -> Loop:
        """Run one round of the images, and let the made-up time pass as if it were many."""
        each, counters = self._round()
        images = max(1, int(np.ceil(seconds / each)))
        start = self._now
        self._now += images * each
        self._loads.append((start, self._now, self._energy(counters) / each))
        return Loop(start, self._now, images, counters)

    def trace(self) -> Trace:
        """Return the made-up samples of all the time that has passed."""
        time = np.arange(0.0, self._now, 1 / self._rate)
        time += self._rng.uniform(0, 0.3 / self._rate, len(time))
        watts = self._idle_watts + self._drift * time / 600
        for start, end, more in self._loads:
            watts = watts + more * ((time >= start) & (time < end))
        watts = watts + self._rng.normal(0, self._noise, len(time))
        kept = self._rng.random(len(time)) >= self._lost
        return make_trace(time[kept], watts[kept], INFO)

    def __enter__(self) -> SyntheticBench:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def _round(self) -> tuple[float, dict[str, float]]:
        """Seconds and counters of an image, mean over the images, at the settings in force."""
        settings = tuple(v.tobytes() for v in self._accelerator.thresholds.values())
        if self._known is None or self._known[0] != settings:
            results = self._accelerator.run_many(self._images)
            names = results[0].counters
            counters = {n: float(np.mean([r.counters[n] for r in results])) for n in names}
            each = float(np.mean([result.seconds for result in results]))
            self._known = settings, each, counters
        return self._known[1], self._known[2]
