"""Puts the trace of a meter with a clock of its own onto the time of the driver.

The driver makes a pattern of load before and after what it measures: the 13 chips of a Barker
code, whose autocorrelation has a single high peak.  The pattern before gives the offset of the
clocks, the one after it how they drift apart.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence

import numpy as np

from ..errors import PowerError, Problem
from .csvfile import cumulative, resample
from .trace import Trace

#: 1 is load, 0 is idle.
BARKER = (1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1)

#: Seconds of a chip.
CHIP_SECONDS = 1.0

#: Bins a chip of the first search.
BINS = 10

#: A correlation below this is no pattern.
LEAST_CORRELATION = 0.5

#: Clocks of meters and boards differ by less than this.
LARGEST_SKEW = 5e-3


class Chip(NamedTuple):
    """A part of a pattern, as it was made: seconds of the driver's clock, and whether it loads."""

    start: float
    end: float
    load: bool


class Alignment(NamedTuple):
    """How a meter's clock relates to the driver's.

    Attributes:
        offset: the driver's time at the meter's zero, in seconds.
        skew: by how much the driver's second is shorter than the meter's: driver = offset +
            (1 + skew) meter.
        correlation: of the trace with the pattern before, and with the one after it.
    """

    offset: float
    skew: float
    correlation: tuple[float, float]

    def apply(self, trace: Trace) -> Trace:
        """Return the trace on the driver's clock."""
        return trace._replace(time=self.offset + (1 + self.skew) * trace.time)


def align(trace: Trace, before: Sequence[Chip], after: Sequence[Chip]) -> Alignment:
    """Return how a trace relates to the patterns that the driver made.

    Raises :class:`PowerError` where one of them is not to be found.
    """
    apart = after[0].start - before[0].start
    step = (before[-1].end - before[0].start) / len(before) / BINS
    time, watts = resample(trace, step)
    scores = [_score(watts, chips, step) for chips in (before, after)]
    # Both patterns look alike, so that they are looked for together, as far apart as they were made
    # and their clocks may differ.
    slack = math.ceil(LARGEST_SKEW * apart / step) + 1
    shift = round(apart / step)
    count = min(len(scores[0]), len(scores[1]) - shift - slack)
    if count <= 0:
        what = f"it has {trace.time[-1] - trace.time[0]:.0f} s, the patterns take {apart:.0f} s"
        raise _not_found(trace, f"before and after the loops, {what}")
    turns = range(max(0, shift - slack), shift + slack + 1)
    behind = np.array([scores[1][turn : turn + count] for turn in turns])
    first = int(np.argmax(scores[0][:count] + behind.max(axis=0)))
    second = first + turns[int(np.argmax(behind[:, first]))]
    found = float(scores[0][first]), float(scores[1][second])
    for which, correlation in zip(("before", "after"), found):
        if correlation < LEAST_CORRELATION:
            what = f"{which} the loops: the best correlation is {correlation:.2f}"
            raise _not_found(trace, what)
    # Two points of the line from the meter's time to the driver's, in the middle of each pattern,
    # where the drift of the clocks within it cancels.
    points = []
    for chips, place in ((before, first), (after, second)):
        coarse = chips[0].start - float(time[place] - step / 2)
        driver = (chips[0].start + chips[-1].end) / 2
        points.append((driver - _refine(trace, chips, coarse, 2 * step), driver))
    (meter_1, driver_1), (meter_2, driver_2) = points
    slope = (driver_2 - driver_1) / (meter_2 - meter_1)
    return Alignment(driver_1 - slope * meter_1, slope - 1, found)


def _score(watts: np.ndarray, chips: Sequence[Chip], step: float) -> np.ndarray:
    """Return the correlation of every stretch of bins with a pattern."""
    count = round((chips[-1].end - chips[0].start) / step)
    wave = np.array([_level(chips, chips[0].start + (n + 0.5) * step) for n in range(count)])
    return _correlate(watts, wave) if len(watts) >= count else np.zeros(0)


def _level(chips: Sequence[Chip], at: float) -> float:
    return float(any(chip.load and chip.start <= at < chip.end for chip in chips))


def _correlate(values: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Pearson's correlation of a wave with every stretch of ``values`` of its length."""
    count = len(wave)
    shape = wave - wave.mean()
    size = 1 << int(np.ceil(np.log2(len(values) + count)))
    centred = values - values.mean()
    spectrum = np.fft.rfft(centred, size) * np.conj(np.fft.rfft(shape, size))
    product = np.fft.irfft(spectrum, size)[: len(values) - count + 1]
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    mean = (sums[count:] - sums[:-count]) / count
    spread = np.maximum(0.0, (squares[count:] - squares[:-count]) / count - mean**2)
    norm = np.sqrt(spread) * np.sqrt(np.mean(shape**2)) * count
    return np.where(
        norm > 1e-12 * max(1.0, float(norm.max())), product / np.maximum(norm, 1e-300), 0.0
    )


def _refine(trace: Trace, chips: Sequence[Chip], coarse: float, reach: float) -> float:
    """Return the offset at which load and idle differ most.

    Around its peak that difference falls in straight lines to both sides, so that the middle
    between two points of equal height is the peak.
    """
    energy = cumulative(trace)
    starts = np.array([chip.start for chip in chips])
    ends = np.array([chip.end for chip in chips])
    signs = np.array([1.0 if chip.load else -1.0 for chip in chips])
    # So that a level, which is no difference, adds nothing.
    lengths = ends - starts
    weights = np.where(signs > 0, 1 / lengths[signs > 0].sum(), -1 / lengths[signs < 0].sum())
    offsets = coarse + np.linspace(-reach, reach, 401)
    contrast = np.array(
        [
            np.sum(
                weights
                * (
                    np.interp(ends - offset, trace.time, energy)
                    - np.interp(starts - offset, trace.time, energy)
                )
            )
            for offset in offsets
        ]
    )
    top, floor = float(contrast.max()), float(max(contrast[0], contrast[-1]))
    level = floor + (top - floor) / 2
    above = np.flatnonzero(contrast >= level)
    return float((offsets[above[0]] + offsets[above[-1]]) / 2)


def _not_found(trace: Trace, which: str) -> PowerError:
    return PowerError(
        Problem(
            trace.info.source,
            f"the pattern of load is not to be found in it, {which}",
            "start the meter before the command and stop it afterwards; take longer chips where it "
            "is slow or noisy",
        )
    )
