"""The entropy of a classifier's softmax by linear layers with ReLU alone.

With ``L = ln(sum exp(l))``, the logarithm of the softmax is ``ln p[j] = l[j] - L``, and the entropy
is ``sum h(L - l[j])`` with ``h(x) = x exp(-x)``. Both parts are functions of one variable, which
ReLUs add up from pieces of straight lines:

* ``L`` by a tournament: of two numbers, ``ln(exp(a) + exp(b)) = b + softplus(a - b)``, so that
  every round halves how many there are, and the last one is ``L``. Differences matter and sizes do
  not: nothing overflows, and a class far below the others adds the nothing that it should.
* ``h`` by its values at some points (:data:`POINTS`), and lines between them.

The vectors are bytes of one unit, some hundredths of a nat, and the lines have slopes of whole
127ths, so that a number is an exact sum of integers over 127 of the entries of a vector, and only
entries are rounded.  Every round carries the logits along, which costs nothing but rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from acsgen_host.exits import entropy_threshold
from numpy.typing import NDArray

from acsgen.ir.integer import Format, IntLinear, IntLogits
from acsgen.ir.kinds.entropy import ENTROPY_LINES, IntEntropy
from acsgen.ir.ranges import WEIGHT_MAX
from acsgen.quant.scales import UNSIGNED_LEVELS, Floats, encode_ratio

#: Lines of softplus but the first, which is zero: so many units has every pair of a round.
LINES = 8

#: Where the lines of ``h`` meet it, in nats, and at last zero. Chosen so that they are nowhere
#: farther from it than 0.0093, and beyond 3 nats, where most classes are, not than 0.0059.
POINTS = (0.0, 0.212, 0.442, 0.754, 1.193, 2.916, 3.689, 4.721, 7.034)

assert len(POINTS) == ENTROPY_LINES + 1

#: How far below the least of all largest logits a logit is told from others, in nats: the
#: probability of a class there is below one in ten thousand.
DEPTH = 9.0

#: Room above the largest logit seen, as a share of the range.
ROOM = 0.1

#: A number as integers over 127 of entries of a vector, by the entry.
_Number = dict[int, int]


@dataclass(frozen=True)
class _Row:
    """An entry of a vector: a sum over the one before, in units of 1/127, and what it is
    multiplied by before it is rounded."""

    terms: _Number
    offset: float
    factor: float = 1.0


def softplus_lines() -> tuple[NDArray[np.int64], Floats]:
    """``softplus(d) = sum steps[k]/127 relu(d - knots[k])``, from below but for half of the error.

    Returns:
        The steps of the slope in 127ths, which add up to 127, and the knots in nats.
    """
    shares = np.sin(np.pi * np.arange(LINES + 1) / (2 * LINES)) ** 2
    slopes = np.rint(shares * WEIGHT_MAX) / WEIGHT_MAX
    inner = slopes[1:-1]
    heights = np.zeros(LINES + 1)
    # A tangent of slope s is s*d and the entropy of a coin of probability s.
    heights[1:-1] = -inner * np.log(inner) - (1 - inner) * np.log(1 - inner)
    knots = (heights[:-1] - heights[1:]) / (slopes[1:] - slopes[:-1])
    error = np.log1p(np.exp(knots)) - (slopes[:-1] * knots + heights[:-1])
    heights[1:-1] += error.max() / 2
    knots = (heights[:-1] - heights[1:]) / (slopes[1:] - slopes[:-1])
    return np.rint(np.diff(slopes) * WEIGHT_MAX).astype(np.int64), knots


def surprise_lines() -> tuple[NDArray[np.int64], Floats, float]:
    """``x exp(-x) = unit * sum weights[k] relu(knots[k] - x)`` for x from 0 on.

    Returns:
        The weights, up to 127; the knots in nats; and the unit.
    """
    points = np.array(POINTS)
    heights = points[:-1] * np.exp(-points[:-1])
    slopes = np.diff([*heights, 0.0]) / np.diff(points)
    exact = np.diff([*slopes, 0.0])
    unit = float(np.abs(exact).max()) / WEIGHT_MAX
    weights = np.rint(exact / unit).astype(np.int64)
    knots = points[1:].copy()
    # From right to left, every knot makes up for what was rounded of its weight.
    for k in range(len(knots) - 1, -1, -1):
        rest = unit * float((weights[k + 1 :] * np.maximum(knots[k + 1 :] - points[k], 0)).sum())
        knots[k] = points[k] + (heights[k] - rest) / (weights[k] * unit)
    return weights, knots, unit


@dataclass(frozen=True)
class _Vector:
    """A vector of the network: its rows, and where the logits and the numbers of the next round lie
    in it.  Entry j is logit j."""

    rows: tuple[_Row, ...]
    numbers: tuple[_Number, ...]


def _carried(classes: int) -> list[_Row]:
    return [_Row({j: WEIGHT_MAX}, 0.0) for j in range(classes)]


def _round(numbers: tuple[_Number, ...], classes: int) -> _Vector:
    """One round of the tournament: logarithms of the sums of two exponentials each."""
    steps, knots = softplus_lines()
    rows, winners = _carried(classes), []
    for first, second in zip(numbers[::2], numbers[1::2], strict=False):
        winner = {len(rows): WEIGHT_MAX}
        rows.append(_Row(second, 0.0))
        difference = {**first, **{entry: -factor for entry, factor in second.items()}}
        for step, knot in zip(steps.tolist(), knots.tolist(), strict=True):
            winner[len(rows)] = step
            rows.append(_Row(difference, -knot))
        winners.append(winner)
    if len(numbers) % 2:
        winners.append({len(rows): WEIGHT_MAX})
        rows.append(_Row(numbers[-1], 0.0))
    return _Vector(tuple(rows), tuple(winners))


def _surprises(total: _Number, classes: int, factor: float) -> tuple[_Row, ...]:
    """The lines of ``h`` for every class, class by class."""
    _, knots, _ = surprise_lines()
    return tuple(
        _Row(_minus(total, j), float(knot), factor) for j in range(classes) for knot in knots
    )


def _minus(total: _Number, logit: int) -> _Number:
    """127 times logit minus logarithm of the sum."""
    negative = {entry: -value for entry, value in total.items()}
    negative[logit] = negative.get(logit, 0) + WEIGHT_MAX
    return negative


def entropy_layers(
    name: str, where: str, logits: IntLogits, values: NDArray[np.integer], threshold: float
) -> tuple[IntLinear | IntEntropy, ...]:
    """The integer layers that decide whether a classifier is sure.

    Args:
        name: of the decision, the last of them.
        where: module path, for messages.
        logits: the classifier; the first layer has its weights.
        values: its integers on the calibration images, ``[N, C]``.
        threshold: entropy in nats below which it is sure.
    """
    classes = logits.shape[0]
    scale = float(logits.format.scales(classes)[0])
    low, unit = _range(values.astype(np.float64) * scale)
    layers: list[IntLinear | IntEntropy] = [_narrow(f"{name}.logits", where, logits, low, unit)]
    numbers: tuple[_Number, ...] = tuple({j: WEIGHT_MAX} for j in range(classes))
    width = classes
    while len(numbers) > 1:
        vector = _round(numbers, classes)
        label = f"{name}.sum{len(layers)}"
        layers.append(_linear(label, where, layers[-1].name, vector.rows, width, unit))
        numbers, width = vector.numbers, len(vector.rows)
    weights, knots, line_unit = surprise_lines()
    factor = max(1.0, np.floor(UNSIGNED_LEVELS * unit / float(knots.max())))
    rows = _surprises(numbers[0], classes, factor)
    layers.append(_linear(f"{name}.terms", where, layers[-1].name, rows, width, unit))
    acc_scale = np.array([line_unit * unit / factor])
    layers.append(
        IntEntropy(
            name,
            where,
            (1,),
            format=Format(1.0, False),
            x=layers[-1].name,
            weight=-np.tile(weights, classes)[None].astype(np.int8),
            bias=np.zeros(1, np.int32),
            threshold=entropy_threshold(threshold, float(acc_scale[0])),
            acc_scale=acc_scale,
            entropy=threshold,
        )
    )
    return tuple(layers)


def _range(logits: Floats) -> tuple[float, float]:
    """The logit that becomes 0, and the nats of one unit, for logits ``[N, C]``.

    Sums of exponentials, and differences from the lowest knot, need room above the largest logit.
    """
    top = logits.max(axis=1)
    low = max(float(logits.min()), float(top.min()) - DEPTH)
    reach = max(float(top.max()) - low, 1.0) * (1 + ROOM)
    above = max(float(np.log(logits.shape[1])), float(-softplus_lines()[1].min()))
    return low, (reach + above) / UNSIGNED_LEVELS


def _narrow(name: str, where: str, logits: IntLogits, low: float, unit: float) -> IntLinear:
    """The classifier's logits as bytes."""
    classes = logits.shape[0]
    # A channel whose weights are all zero may have no scale of its own.
    scales = np.ldexp(logits.mult.astype(np.float64), -logits.shift.astype(np.int64))
    scales = scales * logits.format.scales(classes)
    offset = np.rint(-low / np.where(scales > 0, scales, np.inf)).astype(np.int64)
    mult, shift = encode_ratio(scales / unit)
    return IntLinear(
        name,
        where,
        (classes,),
        format=Format(unit, False),
        x=logits.x,
        weight=logits.weight,
        bias=(logits.bias.astype(np.int64) + offset).astype(np.int32),
        mult=mult,
        shift=shift,
        sigmoid=False,
    )


def _linear(
    name: str, where: str, x: str, rows: tuple[_Row, ...], width: int, unit: float
) -> IntLinear:
    """A layer of these rows over a vector of ``width`` entries."""
    weight = np.zeros((len(rows), width), np.int8)
    for index, row in enumerate(rows):
        for entry, factor in row.terms.items():
            weight[index, entry] = factor
    bias = np.array([row.offset / unit * WEIGHT_MAX for row in rows])
    factors = np.array([row.factor for row in rows])
    mult, shift = encode_ratio(factors / WEIGHT_MAX)
    return IntLinear(
        name,
        where,
        (len(rows),),
        format=Format(unit / float(factors[0]), False),
        x=x,
        weight=weight,
        bias=np.rint(bias).astype(np.int32),
        mult=mult,
        shift=shift,
        sigmoid=False,
    )
