"""What the C simulation counts: iterations of every loop, and the cycles that they take.

Cycles are the iterations times the interval that the sources claim of a loop, the depth that they
claim for every run of it, and the cycles in which it waited for memory (``sim/csim``).
"""

from __future__ import annotations

import ctypes
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


class Counter:
    """Reads the clock of a library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.acs_claim_name.restype = ctypes.c_char_p
        library.acs_count_cycles.restype = ctypes.c_uint64
        library.acs_count_loops.restype = ctypes.POINTER(ctypes.c_uint64)
        self.claims = tuple(
            Claim(
                library.acs_claim_name(number).decode(),
                library.acs_claim_interval(number),
                library.acs_claim_depth(number),
            )
            for number in range(library.acs_claims())
        )

    def set_memory(self, latency: int, bandwidth: int) -> None:
        """Let the next runs have this memory: cycles to a first word, beats in 256 cycles."""
        self._library.acs_count_memory(ctypes.c_uint64(latency), ctypes.c_uint64(bandwidth))

    def read(self) -> LoopCounts:
        """Return the counts of the last run."""
        shape = (self._library.acs_count_instructions(), len(self.claims), 3)
        words = np.ctypeslib.as_array(self._library.acs_count_loops(), shape)
        return LoopCounts(
            self.claims, words.astype(np.int64), int(self._library.acs_count_cycles())
        )
