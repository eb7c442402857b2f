"""Runs programs on the C simulation of the engine."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from acsgen.engines.base import EngineRun, fresh_result
from acsgen.engines.csim.counts import Counter
from acsgen.program.words import Words

#: The memory of the ZedBoard.
DEFAULT_LATENCY = 32
FULL_BANDWIDTH = 256


class _Registers(ctypes.Structure):
    _fields_ = (
        ("spec_hash", ctypes.c_uint32),
        ("configuration", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("fault_index", ctypes.c_uint32),
    )


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

    #: The C++ reads whole rows of weights, unneeded words included.
    skips_words = True

    def __init__(
        self, library: Path, latency: int = DEFAULT_LATENCY, bandwidth: int = FULL_BANDWIDTH
    ) -> None:
        self.library = library
        # RTLD_LOCAL (the default): two engines in one process do not share memories.
        loaded = ctypes.CDLL(str(library.resolve()))
        self._run = loaded.acs_csim_run
        self._run.restype = None
        self._counter = Counter(loaded)
        self.set_memory(latency, bandwidth)

    def set_memory(self, latency: int, bandwidth: int) -> None:
        """Let the next runs count the cycles of another memory; see :class:`CSimEngine`."""
        self._counter.set_memory(latency, bandwidth)

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run ``program`` on one packed image; see :meth:`acsgen.engines.base.Engine.run`."""
        return self.run_in_place(program, params, image, fresh_result(result_words), trace)

    def run_in_place(
        self, program: Words, params: Words, image: Words, result: Words, trace: bool = False
    ) -> EngineRun:
        """Run like :meth:`run`, but write into the caller's result buffer."""
        registers = _Registers()
        self._run(
            *buffer_arguments(program),
            *buffer_arguments(params),
            *buffer_arguments(image),
            *buffer_arguments(result),
            ctypes.c_uint32(trace),
            ctypes.byref(registers),
        )
        return EngineRun(
            result=result,
            status=registers.status,
            fault_index=registers.fault_index,
            spec_hash=registers.spec_hash,
            configuration=registers.configuration,
            loops=self._counter.read(),
        )

    def close(self) -> None:
        """Do nothing: the library stays loaded until the process ends."""


def buffer_arguments(words: Words) -> tuple[ctypes.c_void_p, ctypes.c_uint32]:
    """Return a buffer as the simulations' C interfaces take it: address and size in words."""
    if words.dtype != np.uint64 or not words.flags.c_contiguous:
        raise TypeError("buffers are contiguous arrays of uint64 words")
    return ctypes.c_void_p(words.ctypes.data), ctypes.c_uint32(len(words))
