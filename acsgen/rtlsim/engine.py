"""Runs programs on the RTL simulation of the engine."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acsgen.csim.engine import POISON, EngineRun, Words, buffer_arguments

#: More cycles than any program that fits the engine should take.
MAX_CYCLES = 200_000_000

#: 256 of 256 cycles carry a beat.
FULL_BANDWIDTH = 256


class EngineHung(Exception):
    """The engine did not finish within the given cycles."""


@dataclass(frozen=True)
class Memory:
    """How the memory behind the AXI port behaves.

    Attributes:
        latency: cycles from an address to its first beat, and from a last beat to its answer.
        bandwidth: beats in 256 cycles, reads and writes each.
        seed: of random pauses on every channel; 0 for none.
        fail_read: number of the read beat that answers SLVERR, from 1; 0 for none.
        fail_write: number of the write burst that answers SLVERR, since the engine was made.
    """

    latency: int = 32
    bandwidth: int = FULL_BANDWIDTH
    seed: int = 0
    fail_read: int = 0
    fail_write: int = 0


class _Options(ctypes.Structure):
    _fields_ = (
        ("latency", ctypes.c_uint32),
        ("bandwidth", ctypes.c_uint32),
        ("seed", ctypes.c_uint32),
        ("fail_read", ctypes.c_uint32),
        ("fail_write", ctypes.c_uint32),
        ("max_cycles", ctypes.c_uint64),
    )


class _Outcome(ctypes.Structure):
    _fields_ = (
        ("spec_hash", ctypes.c_uint32),
        ("configuration", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("fault_index", ctypes.c_uint32),
        ("cycles", ctypes.c_uint64),
        ("read_beats", ctypes.c_uint64),
        ("written_beats", ctypes.c_uint64),
        ("stray", ctypes.c_uint64),
        ("finished", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class RtlRun(EngineRun):
    """A run on the RTL, with what the bench counted itself.

    Attributes:
        cycles: from the write of the start bit to the interrupt.
        read_beats: beats that the memory gave.
        written_beats: beats that it took, result header included.
        stray: beats outside the buffers.
    """

    cycles: int
    read_beats: int
    written_beats: int
    stray: int


class RtlEngine:
    """A compiled engine.  Its on-chip memories live on between runs, as block RAM does."""

    def __init__(
        self, library: Path, memory: Memory | None = None, max_cycles: int = MAX_CYCLES
    ) -> None:
        self.memory = Memory() if memory is None else memory
        self.max_cycles = max_cycles
        self._library = ctypes.CDLL(str(library.resolve()))
        self._library.acs_rtlsim_new.restype = ctypes.c_void_p
        self._library.acs_rtlsim_run.restype = None
        self._library.acs_rtlsim_delete.restype = None
        self._simulation = ctypes.c_void_p(self._library.acs_rtlsim_new())

    def close(self) -> None:
        """Free the model."""
        if self._simulation:
            self._library.acs_rtlsim_delete(self._simulation)
            self._simulation = ctypes.c_void_p()

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> RtlRun:
        """Run ``program`` on one packed image; see :meth:`acsgen.csim.CSimEngine.run`.

        Raises :class:`EngineHung` where the engine does not finish.
        """
        result = np.full(result_words, POISON, dtype=np.uint64)
        options = _Options(
            self.memory.latency,
            self.memory.bandwidth,
            self.memory.seed,
            self.memory.fail_read,
            self.memory.fail_write,
            self.max_cycles,
        )
        outcome = _Outcome()
        self._library.acs_rtlsim_run(
            self._simulation,
            *buffer_arguments(program),
            *buffer_arguments(params),
            *buffer_arguments(image),
            *buffer_arguments(result),
            ctypes.c_uint32(trace),
            ctypes.byref(options),
            ctypes.byref(outcome),
        )
        if not outcome.finished:
            raise EngineHung(f"no end after {self.max_cycles} cycles")
        return RtlRun(
            result=result,
            status=outcome.status,
            fault_index=outcome.fault_index,
            spec_hash=outcome.spec_hash,
            configuration=outcome.configuration,
            cycles=outcome.cycles,
            read_beats=outcome.read_beats,
            written_beats=outcome.written_beats,
            stray=outcome.stray,
        )
