"""Samples of power over time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import PowerError, Problem

#: Fewer samples of a stretch say nothing of its mean.
LEAST_SAMPLES = 5

#: A stretch whose samples leave a hole larger than this share of it is not measured.
LARGEST_HOLE = 0.25


class SourceInfo(NamedTuple):
    """What a power source measures, which belongs to every figure of it.

    Attributes:
        source: the sensor, in words.
        scope: the part of the board whose power it is.
        shunt_ohm: the resistor it measures over; None where there is none, or it is not known.
        synthetic: whether the samples were made up, for want of a sensor.
        step_watts: the least difference that the sensor can show; 0 where it is not known.
    """

    source: str
    scope: str
    shunt_ohm: float | None = None
    synthetic: bool = False
    step_watts: float = 0.0


class Trace(NamedTuple):
    """Samples of one source.

    Attributes:
        time: seconds of the driver's clock, rising, ``[N]``.
        watts: power at these times, ``[N]``.
        info: the source.
    """

    time: np.ndarray
    watts: np.ndarray
    info: SourceInfo

    @property
    def rate_hz(self) -> float:
        """Samples a second: one over the median of the steps; 0 for fewer than two."""
        steps = np.diff(self.time)
        return float(1 / np.median(steps)) if len(steps) and np.median(steps) > 0 else 0.0

    def between(self, start: float, end: float) -> Stretch:
        """Return the samples from ``start`` to ``end``, with the time that each stands for.

        Raises :class:`PowerError` where too few are there, or a hole is too large: lost samples are
        no reason to guess.
        """
        inside = (self.time >= start) & (self.time <= end)
        time, watts = self.time[inside], self.watts[inside]
        what = ""
        if len(time) < LEAST_SAMPLES:
            what = f"{len(time)} samples in {end - start:.1f} s"
        else:
            hole = float(np.diff(np.concatenate(([start], time, [end]))).max())
            if hole > LARGEST_HOLE * (end - start):
                what = f"no sample for {hole:.1f} s of a stretch of {end - start:.1f} s"
        if what:
            raise PowerError(
                Problem(
                    self.info.source, what, "sample faster, take longer loops, or mend the cable"
                )
            )
        borders = np.concatenate(([start], (time[1:] + time[:-1]) / 2, [end]))
        return Stretch(watts, np.diff(borders))


class Stretch(NamedTuple):
    """Samples of one stretch of time: ``watts`` ``[N]``, and the ``seconds`` each stands for."""

    watts: np.ndarray
    seconds: np.ndarray

    @property
    def mean(self) -> float:
        """Mean power in watts, over time rather than over samples, which may have been lost."""
        return float(np.sum(self.watts * self.seconds) / np.sum(self.seconds))


def make_trace(time: Any, watts: Any, info: SourceInfo) -> Trace:
    """Return samples as a trace, in the order of time, without those that are no numbers.

    Raises :class:`PowerError` if none is left.
    """
    t, w = np.asarray(time, np.float64), np.asarray(watts, np.float64)
    good = np.isfinite(t) & np.isfinite(w)
    order = np.argsort(t[good], kind="stable")
    t, w = t[good][order], w[good][order]
    if not len(t):
        raise PowerError(Problem(info.source, "gave no sample", "look at its wiring and options"))
    return Trace(t, w, info)
