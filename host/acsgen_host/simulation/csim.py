"""The C simulation as a host sees it: registers, memory at physical addresses, an interrupt.

A build keeps its C++ engine as a shared library, compiled for the machine that built it.  The
register file here is the one that Vitis HLS puts before the function: its outputs are zero until a
first run has ended, ``done`` clears on read, ISR toggles on write and collects the events that IER
enables.  A whole run takes one clock edge; its cycles are counted by the library.
"""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any

import numpy as np

from .. import isa

#: Bits of the control register.
START, DONE, IDLE, READY, AUTO_RESTART, INTERRUPT = (1 << bit for bit in (0, 1, 2, 3, 7, 9))

#: Byte offsets of the outputs, and of the registers that a host may write besides those of control.
OUTPUTS = {isa.REGISTERS[name]: name for name in isa.OUTPUTS}
ARGUMENTS = [
    isa.REGISTERS[name] + more
    for name in isa.REGISTERS
    for more in ((0, 4) if name in isa.POINTERS else (0,))
    if name not in isa.OUTPUTS and name not in ("control", "gie", "ier", "isr")
]

#: The memory of the ZedBoard, for the count of the cycles: to a first word, and words in 256.
DEFAULT_LATENCY = 32
FULL_BANDWIDTH = 256


#: The same file is loaded once in a process, and its engine has one set of memories.
_locks: dict[int, threading.RLock] = {}


class StrayAccess(Exception):
    """The registers name memory that is not there; on a board the bus would answer an error."""


class CSimRegisters(ctypes.Structure):
    """The outputs of one run."""

    _fields_ = (
        ("spec_hash", ctypes.c_uint32),
        ("configuration", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("fault_index", ctypes.c_uint32),
    )


class CSimLibrary:
    """The compiled engine.  Its on-chip memories live on between runs, as block RAM does.

    Cycles are counted, not simulated: results do not depend on the memory.

    Attributes:
        path: the shared library.
        loaded: the same, for other functions of it.
        lock: held by the thread that runs it, and reads what the run left behind.
    """

    def __init__(
        self, path: Path, latency: int = DEFAULT_LATENCY, bandwidth: int = FULL_BANDWIDTH
    ) -> None:
        """Load the library; ``latency`` and ``bandwidth`` are those of :meth:`set_memory`.

        Raises :class:`OSError` where this machine cannot.
        """
        self.path = path
        # RTLD_LOCAL (the default): two files in one process do not share memories.
        self.loaded = ctypes.CDLL(str(path.resolve()))
        self.lock = _locks.setdefault(self.loaded._handle, threading.RLock())
        self._run = self.loaded.acs_csim_run
        self._run.restype = None
        self.loaded.acs_count_cycles.restype = ctypes.c_uint64
        self.set_memory(latency, bandwidth)

    def set_memory(self, latency: int, bandwidth: int) -> None:
        """Let the next runs have this memory: cycles to a first word, words in 256 cycles."""
        self.loaded.acs_count_memory(ctypes.c_uint64(latency), ctypes.c_uint64(bandwidth))

    def run(
        self,
        program: np.ndarray,
        params: np.ndarray,
        image: np.ndarray,
        result: np.ndarray,
        trace: bool = False,
    ) -> CSimRegisters:
        """Run a program; all buffers are uint64 words, and ``result`` is written."""
        registers = CSimRegisters()
        buffers = [x for b in (program, params, image, result) for x in buffer_arguments(b)]
        with self.lock:
            self._run(*buffers, ctypes.c_uint32(trace), ctypes.byref(registers))
        return registers

    @property
    def cycles(self) -> int:
        """The cycles of the last run, at the interval and depth that the sources claim."""
        return int(self.loaded.acs_count_cycles())


def buffer_arguments(words: np.ndarray) -> tuple[ctypes.c_void_p, ctypes.c_uint32]:
    """Return a buffer as the simulations' C interfaces take it: address and size in words."""
    if words.dtype != np.uint64 or not words.flags.c_contiguous:
        raise TypeError("buffers are contiguous arrays of uint64 words")
    return ctypes.c_void_p(words.ctypes.data), ctypes.c_uint32(len(words))


class CSimDevice:
    """One engine behind its registers.  Nothing runs but in :meth:`advance`."""

    def __init__(
        self, library: Path, latency: int = DEFAULT_LATENCY, bandwidth: int = FULL_BANDWIDTH
    ) -> None:
        self._library = CSimLibrary(library, latency, bandwidth)
        self._regions: dict[int, tuple[np.ndarray, bool]] = {}
        self.reset()

    def reset(self) -> None:
        """Clear the registers.  Mapped memory and on-chip memories stay, as block RAM does."""
        self._arguments = dict.fromkeys(ARGUMENTS, 0)
        self._outputs = dict.fromkeys(OUTPUTS, 0)
        self._fresh: set[int] = set()
        self._busy = self._done = self._ready = self._auto = False
        self._gie = self._ier = self._isr = 0
        self.cycles = 0

    def close(self) -> None:
        """Forget the mapped memory."""
        self._regions.clear()

    def map(self, address: int, data: np.ndarray, writable: bool = True) -> None:
        """Put an array of whole 64-bit words at a physical byte address."""
        if address % isa.WORD_BYTES or not data.flags.c_contiguous or data.nbytes % isa.WORD_BYTES:
            raise ValueError("memory is mapped as contiguous 64-bit words")
        self._regions[address] = (data, writable)

    def unmap(self, address: int) -> None:
        """Take the array at an address away, if there is one."""
        self._regions.pop(address, None)

    def read(self, offset: int) -> int:
        """Read a register (32 bits)."""
        if offset == isa.REG_CONTROL:
            return self._read_control()
        plain = {isa.REG_GIE: self._gie, isa.REG_IER: self._ier, isa.REG_ISR: self._isr}
        if offset in plain:
            return plain[offset]
        if offset in self._outputs:
            return self._outputs[offset]
        if offset - 4 in self._outputs:
            # The valid bit of an output, which clears on read.
            fresh = offset - 4 in self._fresh
            self._fresh.discard(offset - 4)
            return int(fresh)
        return self._arguments.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register (32 bits); a register that is no input stays as it is."""
        if not 0 <= value < 2**32:
            raise ValueError(f"{value} does not fit a register")
        if offset == isa.REG_CONTROL:
            self._busy = self._busy or bool(value & START)
            self._auto = bool(value & AUTO_RESTART)
        elif offset == isa.REG_GIE:
            self._gie = value & 1
        elif offset == isa.REG_IER:
            self._ier = value & 3
        elif offset == isa.REG_ISR:
            self._isr ^= value & 3
        elif offset in self._arguments:
            self._arguments[offset] = value

    @property
    def interrupt(self) -> bool:
        """Whether the interrupt is up."""
        return bool(self._gie and self._ier & self._isr)

    def advance(self, edges: int, stop_at_interrupt: bool = True) -> int:
        """Let time pass; return the edges done: fewer than asked when the interrupt is up.

        Raises :class:`StrayAccess` where a run would touch memory that is not mapped.
        """
        if edges <= 0 or (stop_at_interrupt and self.interrupt):
            return 0
        if self._busy:
            self._run()
            if stop_at_interrupt and self.interrupt:
                return 1
        return edges

    def _read_control(self) -> int:
        bits = (
            (START, self._busy),
            (DONE, self._done),
            (IDLE, not self._busy),
            (READY, self._ready),
            (AUTO_RESTART, self._auto),
            (INTERRUPT, self.interrupt),
        )
        self._done = self._ready = False
        return sum(bit for bit, value in bits if value)

    def _run(self) -> None:
        buffers: dict[str, Any] = {name: self._memory(name) for name in isa.POINTERS}
        with self._library.lock:
            run = self._library.run(trace=self._arguments[isa.REG_TRACE] != 0, **buffers)
            self.cycles = self._library.cycles
        for offset, name in OUTPUTS.items():
            self._outputs[offset] = int(getattr(run, name))
            self._fresh.add(offset)
        self._busy = self._auto
        self._done = self._ready = True
        self._isr |= self._ier

    def _memory(self, name: str) -> np.ndarray:
        """The words that a buffer's registers name."""
        words = self._arguments[isa.REGISTERS[name + "_words"]]
        if words == 0:
            return np.zeros(0, np.uint64)
        pointer = isa.REGISTERS[name]
        address = self._arguments[pointer] | self._arguments[pointer + 4] << 32
        for base, (data, writable) in self._regions.items():
            start = (address - base) // isa.WORD_BYTES
            fits = base <= address and (start + words) * isa.WORD_BYTES <= data.nbytes
            if fits and address % isa.WORD_BYTES == 0 and (writable or name != "result"):
                return data.reshape(-1).view(np.uint64)[start : start + words]
        raise StrayAccess(f"{name}: {words} words at {address:#x}")
