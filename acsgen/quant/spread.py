"""Decides where the channels of a result have scales of their own, and how these differ.

One scale for a whole map is fine while its channels are of like size.  Where they are not, and the
next layer's weights make up for that, the small channels are lost in the rounding of the large ones
(Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
section 4.1, equalize such layers).  Scales by channel equalize exactly, since readers take them
into their weights, and the layer itself has a multiplier for each of its channels anyway.

The results that share the ratios of their scales (:mod:`acsgen.quant.family`) are judged together,
by the error that rounding them, and rounding the weights that read them, adds to the sums of the
readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.layers import Layer, LayerGraph
from acsgen.quant.family import Floats, Key, Member, Statistics, family_of, roots_of

#: Error of the readers' sums, as a share of their variance, from which on it matters: 35 dB. Eight
#: bits that are in use give 30 to 50 dB.
LEAST_ERROR = 1 / 3000


@dataclass(frozen=True)
class Need:
    """When channels get scales of their own.

    Attributes:
        error: that one scale for all channels makes, at least, as a share of the variance of the
            readers' sums.
        gain: scales by channel make it smaller by this factor, at least.
    """

    error: float
    gain: float


#: Scales by channel take no time, but channels of like size gain next to nothing by them, and one
#: scale is easier to read.
PLAIN = Need(LEAST_ERROR, gain=4.0)

#: Where every decibel counts. A channel's reach on the calibration images says less than the
#: histogram of all channels, so that a small gain may be none.
REFINED = Need(0.0, gain=1.5)

#: Root mean square of a channel about its mean, as a share of its largest magnitude: that of a
#: normal distribution that reaches over six deviations.
TYPICAL = 1 / 6


def own_units(graph: LayerGraph, layer: Layer, known: Statistics, need: Need) -> Floats | None:
    """What the scales of the channels of a result should be in proportion to.

    Args:
        graph: the network in floats.
        layer: whose result it is; each of its channels has a multiplier of its own.
        known: of the network's results.
        need: when scales by channel are worth it.

    Returns:
        ``(C,)``, the largest about 1; None where all channels should have one scale.
    """
    roots = roots_of(graph, layer)
    family = None if roots is None else family_of(graph, roots, known)
    if roots is None or family is None or not any(part.readers for part in family.values()):
        return None
    alive = np.any([known.reaches[root.name] > 0 for root in roots], axis=0)
    if not alive.any() or alive.size == 1:
        return None
    ones = np.ones(alive.size)
    # Values near the ends of float64 have no squares; an error that is no number decides nothing.
    with np.errstate(over="ignore", invalid="ignore"):
        before = _error(family, ones, known.weight_max)
        if not before > need.error:
            return None
        tried = [_without_dead(family, units, alive) for units in _candidates(family)]
        found = [_error(family, units, known.weight_max) for units in tried]
    errors = np.nan_to_num(found, nan=np.inf)
    best = int(np.argmin(errors))
    return tried[best] if errors[best] * need.gain < before else None


def _candidates(family: Mapping[Key, Member]) -> Iterator[Floats]:
    """Units to try: in proportion to the reach of one member, to the mean of all, and between."""
    channels = len(next(iter(family.values())).reach)
    reaches = [_by_channel(member.reach, channels) for member in family.values()]
    logs = [np.log2(_positive(reach)) for reach in reaches]
    yield _power(np.mean(logs, axis=0))
    yield _power(np.max(logs, axis=0))
    for log in logs:
        for weight in (1.0, 0.75, 0.5, 0.25):
            yield _power(weight * log + (1 - weight) * logs[0])


def _power(logs: Floats) -> Floats:
    """Powers of two, in steps of 1/1024 octave: the last bits of logarithms and powers depend on
    the processor, and the integers must not."""
    octaves, steps = np.divmod(np.rint(logs * 1024), 1024)
    mantissas = np.exp2(steps / 1024).astype(np.float32).astype(np.float64)
    return np.asarray(np.ldexp(mantissas, octaves.astype(np.int32)))


def _by_channel(reach: Floats, channels: int) -> Floats:
    """The reach of a map's channels, of a vector that has several values of each one."""
    return np.asarray(reach.reshape(channels, -1).max(axis=1))


def _positive(reach: Floats) -> Floats:
    """The reach, with dead channels as large as the largest."""
    largest = float(reach.max())
    return np.where(reach > 0, reach, largest if largest > 0 else 1.0)


def _without_dead(family: Mapping[Key, Member], units: Floats, alive: NDArray[np.bool_]) -> Floats:
    """The units with those of dead channels so small that their weights do not decide the scale of
    any reader's weights; the largest of them is 1."""
    units = units / units[alive].max()
    if alive.all():
        return units
    limit = np.full(len(units), 1.0)
    for member in family.values():
        for reader, _ in member.readers:
            largest = _largest_weights(reader, len(units))
            heaviest = float((largest * units)[alive].max())
            # A channel of no weight in this reader is not limited by it.
            met = np.where(largest > 0, largest, 1.0)
            limit = np.where(largest > 0, np.minimum(limit, heaviest / met), limit)
    return np.where(alive, units, np.maximum(limit, 1e-30))


def _largest_weights(reader: Layer, channels: int) -> Floats:
    """The largest weight that meets each channel, ``(C,)``."""
    squares = _squares(reader).max(axis=2)
    groups = getattr(reader, "groups", 1)
    inputs = squares.shape[1]
    by_group = squares.reshape(groups, -1, inputs).max(axis=1).reshape(-1)
    return np.sqrt(_by_channel(by_group, channels))


def _squares(reader: Layer) -> Floats:
    """Squares of a reader's weights, ``(O, I/groups, taps)``."""
    weight = np.asarray(reader.weight, np.float64)  # type: ignore[attr-defined]
    return np.square(weight).reshape(*weight.shape[:2], -1)


def _error(family: Mapping[Key, Member], units: Floats, weight_max: int) -> float:
    """The error of the readers' sums as a share of their variance, added up over the readers."""
    total = 0.0
    roundings: dict[Key, Floats] = {}
    for key, member in family.items():
        spread = np.repeat(units, len(member.reach) // len(units))
        scale = spread * float((member.reach / spread).max()) / member.levels
        if member.clip is not None:
            scale = np.minimum(scale, member.clip / member.levels)
        rounding = scale**2 / 12
        for source, share in member.sources:
            passed = roundings[source]
            rounding = rounding + share * np.repeat(passed, len(rounding) // len(passed))
        roundings[key] = rounding
        for reader, variance in member.readers:
            total += at_reader(reader, scale, rounding, member.reach, variance, weight_max)
    return total


def at_reader(
    reader: Layer,
    scale: Floats,
    rounding: Floats,
    reach: Floats,
    variance: Floats,
    weight_max: int,
) -> float:
    """The median over a reader's outputs of the error of their sums as a share of their variance.

    Args:
        reader: a layer with weights.
        scale: of the channels that it reads, ``(I,)``.
        rounding: variance of the errors of these, ``(I,)``.
        reach: largest magnitudes of these, ``(I,)``.
        variance: of its sums, ``(O,)``.
        weight_max: the largest magnitude of its integer weights.
    """
    squares = _squares(reader)
    outputs, _, taps = squares.shape
    groups = getattr(reader, "groups", 1)

    def met(values: Floats) -> Floats:
        """Values of the inputs that each output meets, ``(O, I/groups)`` or one row for all."""
        by_group = values.reshape(groups, -1)
        return np.repeat(by_group, outputs // groups, axis=0) if groups > 1 else by_group

    of_inputs = (squares.sum(axis=2) * met(rounding)).sum(axis=1)
    step = np.sqrt((squares.max(axis=2) * met(scale) ** 2).max(axis=1)) / weight_max
    size = np.square(met(TYPICAL * reach / scale)).sum(axis=1) * taps
    error = of_inputs + step**2 / 12 * size
    found = (error > 0) & (variance > 0)
    if not found.any():
        return 0.0
    return float(np.median(np.minimum(error[found] / variance[found], 1.0)))
