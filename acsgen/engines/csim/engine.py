"""Runs programs on the C simulation of the engine."""

from __future__ import annotations

from pathlib import Path

from acsgen_host.simulation.csim import DEFAULT_LATENCY, FULL_BANDWIDTH, CSimLibrary

from acsgen.engines.base import EngineRun, fresh_result
from acsgen.engines.csim.counts import Counter
from acsgen.program.words import Words


class CSimEngine:
    """A compiled engine.  Its on-chip memories live on between runs, as block RAM does.

    Cycles are counted, not simulated: results do not depend on the memory.

    Args:
        library: a shared library that :func:`build_library` made.
        latency: cycles from a request to the memory's first word.
        bandwidth: words that the memory gives or takes in 256 cycles.

    Attributes:
        library: the shared library that it was loaded from.
    """

    #: Rows are read in bursts of the words that hold weights of active inputs.
    skips_words = True

    def __init__(
        self, library: Path, latency: int = DEFAULT_LATENCY, bandwidth: int = FULL_BANDWIDTH
    ) -> None:
        self.library = library
        self._engine = CSimLibrary(library, latency, bandwidth)
        self._counter = Counter(self._engine.loaded)

    def set_memory(self, latency: int, bandwidth: int) -> None:
        """Let the next runs count the cycles of another memory; see :class:`CSimEngine`."""
        self._engine.set_memory(latency, bandwidth)

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run ``program`` on one packed image; see :meth:`acsgen.engines.base.Engine.run`."""
        return self.run_in_place(program, params, image, fresh_result(result_words), trace)

    def run_in_place(
        self, program: Words, params: Words, image: Words, result: Words, trace: bool = False
    ) -> EngineRun:
        """Run like :meth:`run`, but write into the caller's result buffer."""
        with self._engine.lock:
            registers = self._engine.run(program, params, image, result, trace)
            loops = self._counter.read()
        return EngineRun(
            result=result,
            status=registers.status,
            fault_index=registers.fault_index,
            spec_hash=registers.spec_hash,
            configuration=registers.configuration,
            loops=loops,
        )

    def close(self) -> None:
        """Do nothing: the library stays loaded until the process ends."""
