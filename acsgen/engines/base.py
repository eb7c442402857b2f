"""The protocol of an engine: a program goes in, a result buffer and counts come out.

Every engine has the same instruction set and the same buffers.  How engines differ stands here as
data, on the engine and on its runs, so that no caller asks which engine it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from acsgen_host.words import POISON, header
from numpy.typing import NDArray

from acsgen.engines.loop_counts import LoopCounts
from acsgen.program.words import Words

#: The two forms of the one engine that a build renders: Vitis HLS C++ and SystemVerilog.
Implementation = Literal["hls", "rtl"]


class CompileError(Exception):
    """A compiler refused an engine's sources: a bug of acsgen, never of the user's network."""


class EngineHung(Exception):
    """The engine did not finish within the given cycles."""


class EngineViolation(Exception):
    """The engine broke a rule: an assertion failed, or it does not keep to the AXI protocol."""


@dataclass(frozen=True)
class BusCounts:
    """The words that the memory behind an engine counted during one run.

    Attributes:
        read: words that the memory gave.
        written: words that it took, result header included.
        stray: words outside the buffers, or written to another than the result buffer.
    """

    read: int
    written: int
    stray: int


@dataclass(frozen=True)
class EngineRun:
    """One run: the result buffer and the registers after it.

    Attributes:
        result: the result buffer, uint64 words.
        status: as in :class:`acsgen.isa.generated.Status`; the engine does not judge it.
        fault_index: the instruction that an error status is about.
        spec_hash: version of the instruction set that the engine has.
        configuration: the engine's sizes, as its register holds them.
        cycles: from the edge that takes the start bit to the one that sees the interrupt; None for
            an engine without a clock.
        bus: the counts of the memory; None where no bus is simulated.
        loops: the cycles of every loop, where an engine counts those instead of having a clock.
        ends: int64, cycles from the start to the end of every instruction but END, where an engine
            with a clock tells them.
    """

    result: Words = field(repr=False)
    status: int
    fault_index: int
    spec_hash: int
    configuration: int
    cycles: int | None = None
    bus: BusCounts | None = None
    loops: LoopCounts | None = field(default=None, repr=False)
    ends: NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

    @property
    def counters(self) -> dict[str, int]:
        """The words of the result header by name: the engine's own counters among them."""
        return header(self.result)

    @property
    def by_instruction(self) -> NDArray[np.int64] | None:
        """The cycles of every instruction that ran, END included; None where nobody counts them.

        With a clock an instruction takes the cycles from the end of the one before it, although
        its words may have been fetched earlier.
        """
        if self.loops is not None:
            return np.asarray(self.loops.cycles.sum(axis=1), np.int64)
        if self.ends is None:
            return None
        return np.diff(self.ends, prepend=0, append=self.counters["cycles"])


class Engine(Protocol):
    """Something that runs programs: a simulation, a recording of one, a board."""

    @property
    def skips_words(self) -> bool:
        """Whether the engine leaves unneeded words in memory.

        A word of a weight row is *unneeded* if every weight in it belongs to an input channel that
        the mask of a run has closed.
        """
        ...

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run a program on one packed image.

        Args:
            program: uint64 words.
            params: uint64 words.
            image: uint64 words.
            result_words: size of the result buffer.
            trace: whether the result of every layer is written too.

        Raises:
            EngineHung: it did not finish.
            EngineViolation: it broke a rule that is watched as it runs.
        """
        ...

    def close(self) -> None:
        """Give back memory and files that the engine holds; it runs no more."""
        ...


def fresh_result(words: int) -> Words:
    """Return a result buffer of so many words that no engine has written yet."""
    return np.full(words, POISON, dtype=np.uint64)
