"""Traces whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from acsgen_host.power import Repeat, SourceInfo, Trace, make_trace
from numpy.typing import NDArray

INFO = SourceInfo("made for a test", "nothing")


@dataclass(frozen=True)
class World:
    """Power of a board, and the faults of a meter.

    Attributes:
        idle: watts, idle.
        net: joules of an image above idle.
        each: seconds of an image.
        noise: standard deviation of a sample, watts.
        memory: correlation of the noise of neighbouring samples.
        drift: watts a second.
        lost: share of the samples that are lost.
        step: watts of a step of the sensor.
        rate: samples a second.
        repeats: of the loop.
        seconds: of the loop.
    """

    idle: float = 3.0
    net: float = 2e-4
    each: float = 1e-3
    noise: float = 0.05
    memory: float = 0.0
    drift: float = 0.0
    lost: float = 0.0
    step: float = 0.0
    rate: float = 50.0
    repeats: int = 5
    seconds: float = 10.0

    @property
    def plan(self) -> list[Repeat]:
        """Half of the idle time before a loop, half of it behind."""
        half, found = self.seconds / 2, []
        for number in range(self.repeats):
            start = number * 2 * self.seconds
            load = start + half, start + half + self.seconds
            images = round(self.seconds / self.each)
            after = load[1], load[1] + half
            found.append(Repeat((start, load[0]), load, after, images * self.each, images))
        return found

    @property
    def total(self) -> float:
        """True joules of an image, idle power included, mean over the loops."""
        middle = np.mean([sum(repeat.load) / 2 for repeat in self.plan])
        return self.net + (self.idle + self.drift * float(middle)) * self.each

    def trace(self, rng: np.random.Generator) -> Trace:
        """What the meter shows."""
        plan = self.plan
        count = int((plan[-1].idle_after[1]) * self.rate)
        time = (np.arange(count) + 0.5) / self.rate
        watts = self.idle + self.drift * time
        for repeat in plan:
            inside = (time >= repeat.load[0]) & (time < repeat.load[1])
            watts = watts + inside * (self.net / self.each)
        watts = watts + self._noise(rng, count)
        if self.step:
            watts = np.round(watts / self.step) * self.step
        kept = rng.random(count) >= self.lost
        return make_trace(time[kept], watts[kept], INFO._replace(step_watts=self.step))

    def _noise(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        white = rng.normal(0.0, self.noise, count)
        if not self.memory:
            return white
        from scipy.signal import lfilter

        # Of the same standard deviation, from the first sample on.
        white[1:] *= np.sqrt(1 - self.memory**2)
        return np.asarray(lfilter([1.0], [1.0, -self.memory], white))
