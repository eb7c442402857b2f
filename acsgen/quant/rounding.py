"""Rounds the weights of an output together, so that their errors make up for each other.

Each weight to the nearest integer is the best for independent inputs.  Inputs of a layer go
together, and what counts is the error of the sum: with the covariance ``H`` of the inputs and the
weights ``u`` before rounding, ``(u - z) H (u - z)`` is the variance of the error that integers
``z`` make (Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020,
section 3; its mean is the bias's business).  From the nearest integers on, each weight in turn
takes the integer that is best beside the others, until none changes (coordinate descent, as in
Behdin et al., "QuantEase", 2023).

All of it is done in whole numbers that float64 holds exactly, so that the order in which a library
adds does not matter and every processor finds the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.ranges import WEIGHT_MAX, largest_partial_sum
from acsgen.quant.scales import MAX_PRODUCTS, Floats, IntWeights

#: Fractional bits of weights before rounding, and bits of the covariances: a sum of products of
#: 4096 inputs stays below 2**53.
FRACTION_BITS = 8
COVARIANCE_BITS = 22

#: Weights before rounding are cut at so many times the largest integer.
REACH = 4

#: Share of the mean variance that is added to the variance of each input: the calibration images
#: are not all there is.
DAMPING = 0.01

#: Rounds over all weights; the changes of later ones are few.
ROUNDS = 8


@dataclass
class Moments:
    """Counts and sums of a layer's integer inputs, exact in float64.

    Attributes:
        groups: of the layer.
        size: inputs of each output, over channels and taps.
        count: of the windows so far.
        total: sums of the inputs, ``(G, I)``.
        products: sums of the products of two inputs, ``(G, I, I)``.
    """

    groups: int
    size: int
    count: int = 0
    total: Floats = field(init=False)
    products: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.zeros((self.groups, self.size))
        self.products = np.zeros((self.groups, self.size, self.size))

    def add(self, windows: Floats) -> None:
        """Count windows of inputs, ``(G, I, samples)`` whole numbers of 8 bits."""
        self.count += windows.shape[2]
        self.total += windows.sum(axis=2)
        self.products += windows @ windows.transpose(0, 2, 1)

    def covariance(self) -> Floats:
        """Covariances up to a common factor, damped; whole numbers, ``(G, I, I)``."""
        covariance = self.products * self.count - self.total[:, :, None] * self.total[:, None, :]
        variances = np.diagonal(covariance, axis1=1, axis2=2)
        _, exponents = np.frexp(variances.max(axis=1, initial=0.0))
        units = np.rint(np.ldexp(covariance, (COVARIANCE_BITS - exponents)[:, None, None]))
        diagonal = np.arange(self.size)
        mean = units[:, diagonal, diagonal].sum(axis=1) / self.size
        units[:, diagonal, diagonal] += np.maximum(np.rint(DAMPING * mean), 1.0)[:, None]
        return np.asarray(units)


def rounded_together(
    integers: IntWeights,
    moments: Moments,
    signed: NDArray[np.bool_],
    weight_max: int = WEIGHT_MAX,
) -> IntWeights:
    """The weights with integers that go together; an output that might overflow keeps its own.

    Args:
        integers: the nearest integers, and the weights that they are of, ``(O, I/groups, ...)``.
        moments: of the inputs.
        signed: signs of the inputs, as :func:`acsgen.ir.ranges.largest_partial_sum` takes them.
        weight_max: the largest magnitude of an integer weight.
    """
    nearest = integers.weight
    by_group = (moments.groups, len(nearest) // moments.groups, moments.size)
    exact = np.clip(integers.exact, -REACH * weight_max, REACH * weight_max).reshape(by_group)
    found = _descend(exact, nearest.reshape(by_group), moments.covariance(), weight_max)
    weight = found.reshape(nearest.shape).astype(np.int8)
    too_large = largest_partial_sum(weight, signed) > MAX_PRODUCTS
    weight[too_large] = nearest[too_large]
    return IntWeights(weight, integers.acc_scale, integers.exact)


def _descend(
    exact: Floats, nearest: NDArray[np.int8], covariance: Floats, weight_max: int
) -> Floats:
    """Coordinate descent; ``(G, O/G, I)`` weights, and covariances ``(G, I, I)``."""
    one = float(2**FRACTION_BITS)
    weight = nearest.astype(np.float64)
    slopes = (np.rint(exact * one) - weight * one) @ covariance
    for _ in range(ROUNDS):
        changed = False
        for i in range(weight.shape[2]):
            column = weight[:, :, i]
            best = column + np.rint(slopes[:, :, i] / (one * covariance[:, i, i])[:, None])
            step = np.clip(best, -weight_max, weight_max) - column
            groups, outputs = np.nonzero(step)
            if len(groups) == 0:
                continue
            changed = True
            steps = step[groups, outputs]
            weight[groups, outputs, i] += steps
            slopes[groups, outputs] -= (one * steps)[:, None] * covariance[groups, i]
        if not changed:
            break
    return weight
