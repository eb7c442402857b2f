"""Hard budgets in cycles: what a run may take from one early exit to the next.

Multiply-accumulates are known beforehand, exactly.  Cycles are not: they depend on the memory
behind the engine.  So the engine itself says what it takes, once: runs with all gates open are
ended at one exit after the other, by limits of cycles that are data as all limits are, and the
engine's own counter tells how long each took.
"""

from __future__ import annotations

import math
from typing import Callable, Mapping, NamedTuple, Sequence

from .errors import InputError, Problem

#: Share of a measured way that is added to it: the memory may be slower for another image.
MARGIN = 0.05

#: A run ends with its EXIT's verdict but for words that were asked for ahead of their instruction:
#: so many cycles before its end the search for the moment of the verdict begins.
_FIRST_GUESS = 32


class Ended(NamedTuple):
    """Where a run ended, the number of an instruction, and after how many cycles."""

    instruction: int
    cycles: int


class CycleBounds(NamedTuple):
    """The most cycles of the ways between exits, measured with all gates open, and a margin.

    Attributes:
        first: from the start to the end of a run that answers at the first exit.
        after: by exit, from its verdict to the end of a run that answers at the next one, or at
            the end of the program.
    """

    first: int
    after: tuple[int, ...]


#: Runs an image with all gates open and no exit taken by its entropy, under limits of cycles by the
#: number of an exit; exits that are not named have none.
LimitedRun = Callable[[Mapping[int, int]], Ended]


def measure_bounds(exits: Sequence[int], run: LimitedRun, margin: float = MARGIN) -> CycleBounds:
    """Measure an engine.

    Args:
        exits: the instructions of the exits, in the order in which they run; at least one.
        run: runs an image.
        margin: share that is added to every measured way.

    Raises :class:`InputError` if the engine has no cycle counter.
    """
    ends = []
    for number, instruction in enumerate(exits):
        ended = run({number: 0})
        if ended.instruction != instruction or not ended.cycles:
            what = "the engine has no cycle counter"
            raise InputError(Problem("hard budget in cycles", what, "give the budget in MACs"))
        ends.append(ended.cycles)
    ends.append(run({}).cycles)
    verdicts = _verdicts(exits, ends[:-1], run)
    ways = [end - verdict for end, verdict in zip(ends[1:], verdicts)]
    more = 1.0 + margin
    return CycleBounds(math.ceil(ends[0] * more), tuple(math.ceil(way * more) for way in ways))


def _verdicts(exits: Sequence[int], ends: Sequence[int], run: LimitedRun) -> list[int]:
    """For every exit a moment that is not after its verdict, in cycles from the start.

    A run ends at an exit if its limit is below the moment of the verdict.  So limits fall, farther
    and farther below the ends of the runs, and each time a run ends at an exit, the moment of that
    exit is known, and it has no limit any more.
    """
    found: dict[int, int] = {}
    distance = _FIRST_GUESS
    while len(found) < len(exits):
        limits = {
            number: max(end - distance, 0) for number, end in enumerate(ends) if number not in found
        }
        ended = run(limits)
        if ended.instruction in exits:
            number = exits.index(ended.instruction)
            found[number] = limits[number]
        else:
            distance *= 2
    return [found[number] for number in range(len(exits))]
