"""The board driver's way to a simulated engine, for :mod:`acsgen_host` without a board.

A :class:`SimulatedBoard` is an engine and the memory that it shares with the processors.  That
memory is kept twice, as the processors' caches and as the DDR that the engine reaches, and words
move between the two only by flush and invalidate: a driver that forgets one fails here as it would
on a board.
"""

from __future__ import annotations

import contextlib
import time
from typing import ContextManager, Hashable, Protocol

import numpy as np

from ..isa import WORD_BYTES

#: Above 4 GiB, so that a driver that writes only the low word of an address fails.
DDR_BASE = 0x8_7000_0000

#: Space between buffers, so that an engine that leaves one does not land in the next.
GAP_BYTES = 0x1_0000

#: Every byte of memory that was never written.
GARBAGE = 0xA5

#: Clock edges that pass while the driver waits once.  Without an interrupt, those of the last wait
#: after the end are simulated for nothing.
POLL_EDGES = 2_000
INTERRUPT_EDGES = 1_000_000

#: Seconds that a wait without a clock takes.
IDLE_SECONDS = 1e-3


class Device(Protocol):
    """An engine behind its registers, as a driver sees it."""

    @property
    def interrupt(self) -> bool:
        """Whether the interrupt is up."""

    def read(self, offset: int) -> int:
        """Read a register."""

    def write(self, offset: int, value: int) -> None:
        """Write a register."""

    def map(self, address: int, data: np.ndarray, writable: bool = True) -> None:
        """Put an array at a physical address."""

    def unmap(self, address: int) -> None:
        """Take the array at an address away."""

    def advance(self, edges: int, stop_at_interrupt: bool = True) -> int:
        """Run the clock."""

    def reset(self) -> None:
        """Reset the engine."""


class SimulatedBoard:
    """An engine, its clock, and DDR that the processors see through a cache.

    Attributes:
        device: the engine.
        running: whether the clock runs; an engine without a clock never finishes.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.running = True
        self._next = DDR_BASE
        self._ddr: dict[int, np.ndarray] = {}

    def allocate(self, size: int) -> int:
        """Return the address of so many bytes of DDR, at least; whole words, full of garbage."""
        address = self._next
        words = -(-size // WORD_BYTES)
        self._next += -(-words * WORD_BYTES // GAP_BYTES) * GAP_BYTES + GAP_BYTES
        self._ddr[address] = np.full(words * WORD_BYTES, GARBAGE, np.uint8)
        self.device.map(address, self._ddr[address])
        return address

    def free(self, address: int) -> None:
        """Give DDR back; the engine must not use it any more."""
        self.device.unmap(address)
        del self._ddr[address]

    def flush(self, address: int, host: np.ndarray) -> None:
        """Copy the processors' bytes at an address, uint8, into the DDR."""
        self._at(address, len(host))[:] = host

    def invalidate(self, address: int, host: np.ndarray) -> None:
        """Copy the DDR's bytes at an address to the processors, uint8."""
        host[:] = self._at(address, len(host))

    def advance(self, edges: int, stop_at_interrupt: bool) -> None:
        """Let time pass, if the clock runs."""
        if self.running:
            self.device.advance(edges, stop_at_interrupt)

    def _at(self, address: int, size: int) -> np.ndarray:
        for base, memory in self._ddr.items():
            if base <= address and address + size <= base + len(memory):
                return memory[address - base : address - base + size]
        raise ValueError(f"{size} bytes at {address:#x} are not in one buffer")


class SimulatedBuffer:
    """The driver's buffer: see :class:`acsgen_host.backend.Buffer`."""

    def __init__(self, board: SimulatedBoard, words: int) -> None:
        self._board = board
        self.address = board.allocate(words * WORD_BYTES)
        self.words = np.full(words * WORD_BYTES, GARBAGE, np.uint8).view(np.uint64)

    def flush(self, start: int = 0, count: int = -1) -> None:
        """Write back ``count`` words from ``start``; all that follow if negative."""
        end = len(self.words) if count < 0 else start + count
        part = self.words[start:end].view(np.uint8)
        self._board.flush(self.address + start * WORD_BYTES, part)

    def invalidate(self) -> None:
        """Let the processors see the engine's writes."""
        self._board.invalidate(self.address, self.words.view(np.uint8))

    def free(self) -> None:
        """Give the memory back."""
        self._board.free(self.address)


class SimulatedBackend:
    """The driver's back end: see :class:`acsgen_host.backend.Backend`."""

    engine: Hashable

    def __init__(
        self,
        board: SimulatedBoard,
        *,
        interrupt: bool = True,
        resettable: bool = True,
        name: str = "simulation",
        clock_mhz: float = 0.0,
    ) -> None:
        """Take a board.

        Args:
            board: the board.
            interrupt: whether it has an interrupt.
            resettable: whether it has a reset that software reaches.
            name: of the simulation.
            clock_mhz: the engine's clock; above 0, cycles make the seconds of a result.
        """
        self.name = name
        self.engine = board
        self._clock_mhz = clock_mhz
        self.has_interrupt = interrupt
        self.board = board
        self._resettable = resettable

    def hold(self) -> ContextManager[None]:
        """Do nothing: no other process reaches the board, and its engine is always there."""
        return contextlib.nullcontext()

    def read(self, offset: int) -> int:
        """Read a register."""
        return self.board.device.read(offset)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        self.board.device.write(offset, value)

    def allocate(self, words: int) -> SimulatedBuffer:
        """Return a buffer of so many 64-bit words."""
        return SimulatedBuffer(self.board, words)

    def wait(self, seconds: float, interrupt: bool) -> None:
        """Let the clock run until the interrupt, or for a moment."""
        if not self.board.running:
            time.sleep(min(seconds, IDLE_SECONDS))
        self.board.advance(INTERRUPT_EDGES if interrupt else POLL_EDGES, interrupt)

    def modelled_seconds(self, counted: int) -> float:
        """Return what the last run takes at the engine's clock; 0 where that is not known.

        The time that this machine took for it says nothing of a board.  ``counted`` are the cycles
        that the engine itself counted; where it does not, those that its simulation did count.
        """
        cycles = counted or getattr(self.board.device, "cycles", 0)
        return cycles / (1e6 * self._clock_mhz) if self._clock_mhz else 0.0

    @property
    def times(self) -> str:
        """What the times of results are, in words."""
        if self._clock_mhz:
            return f"simulated cycles at {self._clock_mhz:g} MHz, assumed"
        return "those of this machine, and say nothing of a board"

    def reset(self) -> bool:
        """Reset the engine, where that is possible."""
        if self._resettable:
            self.board.device.reset()
        return self._resettable

    def close(self) -> None:
        """Do nothing: the device belongs to its maker."""
