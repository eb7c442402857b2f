"""Runs programs on the C simulation of the engine."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import WORD_BYTES

Words = NDArray[np.uint64]

#: What the result buffer holds before a run, so that a word the engine does not write is seen.
POISON = np.uint64(0xDEADBEEFDEADBEEF)


class _Registers(ctypes.Structure):
    _fields_ = (
        ("spec_hash", ctypes.c_uint32),
        ("configuration", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("fault_index", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class EngineRun:
    """One run: the result buffer (uint64 words) and the registers after it."""

    result: Words
    status: int
    fault_index: int
    spec_hash: int
    configuration: int


class CSimEngine:
    """A compiled engine.  Its on-chip memories live on between runs, as block RAM does.

    Attributes:
        library: what it was loaded from.
    """

    def __init__(self, library: Path) -> None:
        self.library = library
        # RTLD_LOCAL (the default): two engines in one process do not share memories.
        self._run = ctypes.CDLL(str(library.resolve())).acs_csim_run
        self._run.restype = None

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run ``program`` on one packed image.

        All buffers are little-endian 64-bit words; ``result_words`` sizes the result buffer.  The
        status is not judged here.
        """
        result = np.full(result_words, POISON, dtype=np.uint64)
        return self.run_in_place(program, params, image, result, trace)

    def run_in_place(
        self, program: Words, params: Words, image: Words, result: Words, trace: bool = False
    ) -> EngineRun:
        """Like :meth:`run`, into a result buffer that is there."""
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
        )


def buffer_arguments(words: Words) -> tuple[ctypes.c_void_p, ctypes.c_uint32]:
    """Return a buffer as the simulations' C interfaces take it: address and size in words."""
    if words.dtype != np.uint64 or not words.flags.c_contiguous:
        raise TypeError("buffers are contiguous arrays of uint64 words")
    return ctypes.c_void_p(words.ctypes.data), ctypes.c_uint32(len(words))


def pack_image(image: NDArray[np.uint8]) -> Words:
    """Pack one image ``(C, H, W)`` as LOAD reads it: planar, each row padded to whole words."""
    channels, height, width = image.shape
    padded = np.zeros((channels, height, -(-width // WORD_BYTES) * WORD_BYTES), dtype=np.uint8)
    padded[:, :, :width] = image
    return padded.reshape(-1).view("<u8").astype(np.uint64, copy=False)
