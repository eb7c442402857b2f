"""What the C simulation of the HLS engine counts: iterations of every loop, and their cycles.

Cycles are the iterations times the interval that the sources claim of a loop, the depth that they
claim for every run of it, and the cycles in which it waited for memory (``sim/csim``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Columns of :attr:`LoopCounts.counts`.
ITERATIONS, RUNS, WAITS = range(3)

#: The loop around all others, whose interval is what an instruction takes outside them.
PROGRAM_LOOP = "PROGRAM_STEPS"


@dataclass(frozen=True)
class Claim:
    """What the sources claim of a loop.

    Attributes:
        label: its label in the sources.
        interval: cycles from one iteration to the next.
        depth: cycles that every run of the loop takes besides.
    """

    label: str
    interval: int
    depth: int


@dataclass(frozen=True)
class LoopCounts:
    """The counts of one run.

    Attributes:
        claims: of every loop.
        counts: ``(instructions, loops, 3)``: iterations, runs, and cycles waited for memory.
        total: cycles of the whole run, by the simulation's own clock.
    """

    claims: tuple[Claim, ...]
    counts: NDArray[np.int64]
    total: int

    @property
    def cycles(self) -> NDArray[np.int64]:
        """Cycles by instruction and loop."""
        interval = np.array([claim.interval for claim in self.claims])
        depth = np.array([claim.depth for claim in self.claims])
        counts = self.counts
        return np.asarray(
            counts[..., ITERATIONS] * interval + counts[..., RUNS] * depth + counts[..., WAITS],
            np.int64,
        )

    def by_loop(self) -> dict[str, int]:
        """Return the cycles of every loop that ran, by its label."""
        return {
            claim.label: int(cycles)
            for claim, cycles in zip(self.claims, self.cycles.sum(axis=0), strict=True)
            if cycles
        }

    @property
    def waits(self) -> int:
        """Cycles in which a loop waited for memory."""
        return int(self.counts[..., WAITS].sum())
