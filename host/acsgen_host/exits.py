"""Early exits: where a run may end before the program does, and how it is told to.

A run ends at an exit if the classifier there is sure (the entropy of its softmax is below a
threshold), or if the rest of the network might overrun a budget of a run, in multiply-accumulates
or in cycles.  All are data: the threshold is a word of the parameters, and a budget is a limit in
each EXIT of the program, with which the engine compares its own counter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from . import isa

#: A limit that no counter reaches.
NO_LIMIT = (1 << min(bits for _, _, bits in isa.EXIT_LIMITS.values())) - 1

_INT32 = np.iinfo(np.int32)

#: The threshold of an exit that no entropy takes.
NEVER = int(_INT32.max)


class BundleExit(NamedTuple):
    """An early exit of a bundle.

    Attributes:
        name: of the exit.
        output: the output that is the answer there.
        instruction: number of the EXIT.
        threshold: entropy in nats as built; 0 where a budget alone takes the exit.
        threshold_address: word of the parameters with the integer threshold.
        acc_scale: nats of one unit of what it is compared with; 0 where no entropy is computed.
        macs_before: the most multiply-accumulates from the exit before, or the start, to this one.
        macs_after: the most from this exit to the next one, or to the end.
    """

    name: str
    output: str
    instruction: int
    threshold: float
    threshold_address: int
    acc_scale: float
    macs_before: int
    macs_after: int


def entropy_threshold(entropy: float, acc_scale: float) -> np.ndarray:
    """Return the threshold int32 ``(1,)`` with which a classifier is sure below an entropy.

    An accumulator, times ``-acc_scale``, is an entropy in nats.  0 is never met, whatever was
    rounded, and infinity always.

    Raises :class:`ValueError` for a negative entropy, and for what is no number.
    """
    if not entropy >= 0.0:
        raise ValueError(f"an entropy is a number from 0 on, not {entropy}")
    if entropy == 0.0:
        return np.full(1, NEVER, np.int32)
    if math.isinf(entropy):
        return np.full(1, _INT32.min, np.int32)
    exact = math.floor(-entropy / acc_scale)
    return np.full(1, max(exact, int(_INT32.min)), np.int32)


def entropy_of(threshold: int, acc_scale: float) -> float:
    """Return the entropy in nats below which a classifier is sure, of an integer threshold."""
    if threshold == NEVER:
        return 0.0
    return math.inf if threshold == _INT32.min else -threshold * acc_scale


def limit(budget: int, after: int) -> int:
    """Return the limit of an exit: beyond it, ``after`` more might be more than the budget."""
    return min(max(budget - after, 0), NO_LIMIT)


def write_limit(program: np.ndarray, instruction: int, name: str, value: int) -> int:
    """Write a limit into an EXIT of a program, uint64 words; return which word it was."""
    word, lsb, bits = isa.EXIT_LIMITS[name]
    at = instruction * isa.INSTRUCTION_WORDS + word
    mask = (1 << bits) - 1
    program[at] = np.uint64((int(program[at]) & ~(mask << lsb)) | (value & mask) << lsb)
    return at
