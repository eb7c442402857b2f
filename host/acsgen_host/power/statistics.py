"""From samples to energy for an image with an interval: paired differences, Student's t.

A repeat is a loop of inferences between two idle stretches.  The idle power at the time of the loop
is the mean of both, so that a linear drift cancels within every repeat and repeats do not depend on
each other.  The interval comes from the spread of the repeats, and so needs no assumption about the
noise of single samples, which neighbours share.

A sensor with coarse steps and little noise shows the same error in every repeat, which no spread
tells.  That error is taken from the theory of quantization (Widrow and Kollar, Quantization Noise,
2008, chapter 4), and its half width is added to that of the spread as the root of the squares.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, Sequence

import numpy as np

from ..errors import PowerError, Problem
from .trace import Stretch, Trace

#: Coverage of the intervals.
CONFIDENCE = 0.95

#: Below this number of repeats there is no interval worth the name.
LEAST_REPEATS = 3

#: A value that does not repeat at least so often on average is not from a sensor with coarse steps.
REPETITIONS = 4


class Repeat(NamedTuple):
    """One loop and the idle stretches around it, as times of the driver's clock in seconds.

    Attributes:
        idle_before: (start, end), without the time that the power takes to settle.
        load: likewise.
        idle_after: likewise.
        seconds: what the whole loop took.
        images: how many it ran.
    """

    idle_before: tuple[float, float]
    load: tuple[float, float]
    idle_after: tuple[float, float]
    seconds: float
    images: int


class Estimate(NamedTuple):
    """A mean with its interval.

    Attributes:
        value: the mean.
        low: lower end of the 95 % interval.
        high: upper end.
        repeats: how many it is the mean of.
        resolution: the part of the half width that is due to the sensor's steps.
    """

    value: float
    low: float
    high: float
    repeats: int
    resolution: float = 0.0

    @property
    def resolved(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate in another unit; the factor is positive."""
        return Estimate(
            factor * self.value,
            factor * self.low,
            factor * self.high,
            self.repeats,
            factor * self.resolution,
        )


class Energy(NamedTuple):
    """Power and energy of a loop of inferences.

    Attributes:
        total: joules an image, idle power included.
        net: joules an image, idle power at the same time subtracted.
        loop_watts: power during the loops.
        idle_watts: power with the bitstream loaded and the engine idle.
        net_watts: their difference.
        seconds: for an image, the driver's work included.
    """

    total: Estimate
    net: Estimate
    loop_watts: Estimate
    idle_watts: Estimate
    net_watts: Estimate
    seconds: float


def evaluate(trace: Trace, repeats: Sequence[Repeat]) -> Energy:
    """Return power and energy of the repeats of one loop.

    Raises :class:`PowerError` for fewer than three repeats, or samples that are missing.
    """
    if len(repeats) < LEAST_REPEATS:
        raise PowerError(
            Problem("repeats", f"are {len(repeats)}", f"take at least {LEAST_REPEATS}, better 5")
        )
    step = trace.info.step_watts or sensor_step(trace.watts)
    loops = [trace.between(*repeat.load) for repeat in repeats]
    idles = [
        (trace.between(*repeat.idle_before), trace.between(*repeat.idle_after))
        for repeat in repeats
    ]
    loop = np.array([stretch.mean for stretch in loops])
    idle = np.array([(before.mean + after.mean) / 2 for before, after in idles])
    each = np.array([repeat.seconds / repeat.images for repeat in repeats])
    # The variance of few levels depends on where the truth lies between them, so that the smaller
    # of the two is taken for both.
    quiet = min(_variance(loops), _variance([stretch for pair in idles for stretch in pair]))
    error, seconds = _step_error(step, quiet), float(each.mean())
    return Energy(
        total=_level(loop * each, error * seconds),
        net=estimate((loop - idle) * each, error * seconds, 2),
        loop_watts=_level(loop, error),
        idle_watts=_level(idle, error),
        net_watts=estimate(loop - idle, error, 2),
        seconds=seconds,
    )


def estimate(values: np.ndarray, step_error: float = 0.0, levels: int = 1) -> Estimate:
    """Return the mean of independent values with its interval.

    ``step_error`` is the standard uncertainty that all of them share, from each of so many levels.
    """
    mean, variance = float(np.mean(values)), float(np.var(values, ddof=1))
    return _interval(mean, variance, len(values), 1, step_error, levels)


def _level(values: np.ndarray, step_error: float) -> Estimate:
    """Return the mean of values that may rise or fall with time, as a board warms up.

    The mean of what was there is wanted, and the drift is no error of it: the interval comes from
    what a straight line leaves over.
    """
    place = np.arange(len(values)) - (len(values) - 1) / 2
    slope = float(np.sum(place * values) / np.sum(place**2))
    mean = float(np.mean(values))
    left = values - mean - slope * place
    variance = float(np.sum(left**2) / (len(values) - 2))
    return _interval(mean, variance, len(values), 2, step_error, 1)


#: 95 % of errors that are spread evenly, and of the difference of two of them, lie within so many
#: standard deviations.
EVEN, TRIANGULAR = 0.95 * math.sqrt(3), (1 - math.sqrt(0.05)) * math.sqrt(6)


def _interval(
    mean: float, variance: float, count: int, fitted: int, step_error: float, levels: int
) -> Estimate:
    random = student_t(count - fitted) * math.sqrt(variance / count)
    steps = step_error * (EVEN if levels == 1 else TRIANGULAR * math.sqrt(levels))
    half = math.hypot(random, steps)
    return Estimate(mean, mean - half, mean + half, count, steps)


def sensor_step(watts: np.ndarray) -> float:
    """Return the step of a sensor in watts, from its samples; 0 where none is to be seen.

    It is the least difference of two levels, which is too much where only few of them were met: an
    interval is then wider than it had to be.  A source that knows its step tells it.
    """
    levels = np.unique(watts)
    if len(levels) < 2 or len(watts) < REPETITIONS * len(levels):
        return 0.0
    apart = np.diff(levels)
    # The same level of a product of two numbers may differ in its last digits.
    return float(apart[apart > 1e-6 * apart.max()].min())


def _variance(stretches: Sequence[Stretch]) -> float:
    return float(np.mean([np.var(stretch.watts) for stretch in stretches]))


def _step_error(step: float, variance: float) -> float:
    """Return the standard uncertainty of a mean that steps of a sensor cause, in watts.

    Noise carries a value over several steps, and its mean comes out between them: the error falls
    with the noise s as the sum over k of exp(-4 pi^2 k^2 s^2 / step^2) / k^2.
    """
    if not step:
        return 0.0
    noise = max(0.0, variance / step**2 - 1 / 12)
    terms = sum(math.exp(-4 * math.pi**2 * k**2 * noise) / k**2 for k in range(1, 50))
    return step * math.sqrt(terms / (2 * math.pi**2))


def student_t(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Return the half width of a two-sided interval of Student's t, in standard errors.

    Exact for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4), and between them
    interpolated in their inverse.
    """
    lower = max(1, math.floor(freedom))
    if lower >= MANY:
        return _whole_t(MANY, confidence)
    at_lower, at_upper = _whole_t(lower, confidence), _whole_t(lower + 1, confidence)
    share = (1 / lower - 1 / max(freedom, lower)) / (1 / lower - 1 / (lower + 1))
    return at_lower + share * (at_upper - at_lower)


#: So many degrees of freedom are as good as the normal distribution.
MANY = 300


@lru_cache(maxsize=None)
def _whole_t(freedom: int, confidence: float) -> float:
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The probability that Student's t of so many degrees of freedom is within -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for factor in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine**2 * (factor - 1) / factor
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total
