"""The RTL engine as a host sees it: registers, memory at physical addresses, an interrupt."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from acsgen_host.simulation.csim import FULL_BANDWIDTH
from acsgen_host.simulation.start import memory_of
from numpy.typing import NDArray

from acsgen.engines.base import EngineViolation
from acsgen.isa.generated import WORD_BYTES
from acsgen.program.board import MAX_LATENCY, Board
from acsgen.support.errors import Problem, UserError

SLVERR = 2
DECERR = 3


@dataclass(frozen=True)
class Memory:
    """How the memory behind the AXI port behaves; ``sim/README.md`` defines it edge by edge.

    Attributes:
        latency: clock edges from an address to its first beat, and from a last beat to its answer;
            at least 1.
        bandwidth: beats in 256 edges, reads and writes each.
        seed: of random gaps on every channel and random latencies of up to 15 more; 0 for none.
        fail_read: number of the read beat that answers ``response``, from 1; 0 for none.
        fail_write: number of the write burst that answers ``response``, from 1; 0 for none.
        response: SLVERR (2) or DECERR (3).
    """

    latency: int = 32
    bandwidth: int = FULL_BANDWIDTH
    seed: int = 0
    fail_read: int = 0
    fail_write: int = 0
    response: int = SLVERR

    def __post_init__(self) -> None:
        limits = {
            "latency": (0, MAX_LATENCY),
            "bandwidth": (1, FULL_BANDWIDTH),
            "seed": (0, 2**32 - 1),
            "fail_read": (0, 2**32 - 1),
            "fail_write": (0, 2**32 - 1),
            "response": (SLVERR, DECERR),
        }
        problems = [
            Problem(f"memory: {name}", f"is {getattr(self, name)}", f"must be {low} to {high}")
            for name, (low, high) in limits.items()
            if not low <= getattr(self, name) <= high
        ]
        if problems:
            raise UserError(problems)

    @classmethod
    def for_board(cls, board: Board) -> Memory:
        """Return the memory of a board; see :func:`acsgen_host.simulation.start.memory_of`."""
        memory = board.memory
        latency, bandwidth = memory_of(board.clock_mhz, memory.latency_cycles, memory.ddr_peak_mbps)
        return cls(latency=latency, bandwidth=bandwidth)


class _Options(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("latency", "bandwidth", "seed", "fail_read", "fail_write", "response")
    )


class _Counters(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "edges",
            "written_at",
            "interrupted_at",
            "read_beats",
            "write_beats",
            "stray_beats",
            "interrupt",
        )
    )


@dataclass(frozen=True)
class DeviceCounters:
    """The counts of the simulation around the engine.

    Attributes:
        edges: clock edges since the device was made.
        written_at: edge at which the last register write was taken.
        interrupted_at: edge at which the interrupt was seen first, the last time it rose.
        read_beats: beats that the memory gave, since it was configured.
        write_beats: beats that it took.
        stray_beats: beats outside all regions, or written to a read-only one.
        interrupt: whether the interrupt is up.
    """

    edges: int
    written_at: int
    interrupted_at: int
    read_beats: int
    write_beats: int
    stray_beats: int
    interrupt: bool


class RtlDevice:
    """One engine under a clock.  Nothing runs but during a call; on-chip memories live on."""

    def __init__(
        self, library: Path, memory: Memory | None = None, waves: Path | None = None
    ) -> None:
        """Make the engine, in reset and out of it again.

        Args:
            library: from :func:`acsgen.engines.rtl.cached_model`.
            memory: how memory behaves; :attr:`memory` changes it later.
            waves: FST file to write; takes a library with waves.
        """
        self._library = ctypes.CDLL(str(library.resolve()))
        self._declare()
        self._handle = ctypes.c_void_p()
        self._regions: dict[int, NDArray[Any]] = {}
        path = None if waves is None else str(waves).encode()
        self._check(self._library.acs_rtlsim_new(path, ctypes.byref(self._handle)))
        self.memory = Memory() if memory is None else memory

    def _declare(self) -> None:
        handle, u64, u32 = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32
        pointer = ctypes.c_void_p
        for name, arguments in {
            "new": (ctypes.c_char_p, pointer),
            "delete": (handle,),
            "reset": (handle,),
            "configure": (handle, pointer),
            "map": (handle, u64, pointer, u64, ctypes.c_int),
            "unmap": (handle, u64),
            "write": (handle, u32, u32),
            "read": (handle, u32, pointer),
            "advance": (handle, u64, ctypes.c_int, pointer),
            "counters": (handle, pointer),
            "ends": (handle, pointer, u64),
            "message": (),
        }.items():
            getattr(self._library, f"acs_rtlsim_{name}").argtypes = arguments
        self._library.acs_rtlsim_message.restype = ctypes.c_char_p
        self._library.acs_rtlsim_ends.restype = u64

    def _check(self, code: int) -> None:
        if code != 0:
            raise EngineViolation(self._library.acs_rtlsim_message().decode())

    def close(self) -> None:
        """Free the model, and finish its waves."""
        if self._handle:
            self._library.acs_rtlsim_delete(self._handle)
            self._handle = ctypes.c_void_p()
            self._regions.clear()

    def __enter__(self) -> RtlDevice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def memory(self) -> Memory:
        """How memory behaves.  Setting it begins the counts of beats and the random gaps anew."""
        return self._memory

    @memory.setter
    def memory(self, memory: Memory) -> None:
        self._memory = memory
        options = _Options(
            memory.latency,
            memory.bandwidth,
            memory.seed,
            memory.fail_read,
            memory.fail_write,
            memory.response,
        )
        self._library.acs_rtlsim_configure(self._handle, ctypes.byref(options))

    def map(self, address: int, data: NDArray[Any], writable: bool = True) -> None:
        """Put an array at a physical byte address; the engine reads and writes it in place.

        Args:
            address: multiple of 8; another array mapped there before is replaced.
            data: contiguous, whole 64-bit words.
            writable: whether the engine may write; it gets DECERR if not.
        """
        if address % WORD_BYTES or not 0 <= address < 2**64:
            raise ValueError(f"{address:#x} is not the address of a word")
        if not data.flags.c_contiguous or data.nbytes % WORD_BYTES:
            raise ValueError("memory is mapped as contiguous 64-bit words")
        if data.ctypes.data % WORD_BYTES:
            raise ValueError("the array is not aligned to 64-bit words")
        if writable and not data.flags.writeable:
            raise ValueError("the array is read-only")
        for base, other in self._regions.items():
            if base != address and base < address + data.nbytes and address < base + other.nbytes:
                raise ValueError(f"{address:#x} overlaps the array at {base:#x}")
        self._regions[address] = data
        self._library.acs_rtlsim_map(
            self._handle, address, data.ctypes.data, data.nbytes // WORD_BYTES, writable
        )

    def unmap(self, address: int) -> None:
        """Take the array at an address away, if there is one."""
        self._library.acs_rtlsim_unmap(self._handle, address)
        self._regions.pop(address, None)

    def write(self, offset: int, value: int) -> None:
        """Write a register (32 bits) over AXI4-Lite; takes a few clock edges."""
        if not 0 <= value < 2**32:
            raise ValueError(f"{value} does not fit a register")
        self._check(self._library.acs_rtlsim_write(self._handle, offset, value))

    def read(self, offset: int) -> int:
        """Read a register (32 bits) over AXI4-Lite; takes a few clock edges."""
        value = ctypes.c_uint32()
        self._check(self._library.acs_rtlsim_read(self._handle, offset, ctypes.byref(value)))
        return value.value

    def advance(self, edges: int, stop_at_interrupt: bool = True) -> int:
        """Run the clock; return the edges done: fewer than asked when the interrupt is up."""
        done = ctypes.c_uint64()
        self._check(
            self._library.acs_rtlsim_advance(
                self._handle, edges, stop_at_interrupt, ctypes.byref(done)
            )
        )
        return done.value

    def reset(self) -> None:
        """Pulse the engine's reset.  Mapped memory and the engine's block RAMs stay."""
        self._check(self._library.acs_rtlsim_reset(self._handle))

    @property
    def interrupt(self) -> bool:
        """Whether the interrupt was up at the last clock edge."""
        return self.counters.interrupt

    def ends(self, instructions: int) -> NDArray[np.int64]:
        """Return the cycles from the last start to the end of each instruction.

        Args:
            instructions: the most that are wanted.  There are fewer where a program stopped early,
                and END is none of them: its cycles are those from the last end to the header.
        """
        found = np.zeros(instructions, np.uint64)
        count = self._library.acs_rtlsim_ends(self._handle, found.ctypes.data, instructions)
        return found[:count].astype(np.int64)

    @property
    def counters(self) -> DeviceCounters:
        """The counts of the simulation around the engine, up to now."""
        raw = _Counters()
        self._library.acs_rtlsim_counters(self._handle, ctypes.byref(raw))
        return DeviceCounters(
            edges=raw.edges,
            written_at=raw.written_at,
            interrupted_at=raw.interrupted_at,
            read_beats=raw.read_beats,
            write_beats=raw.write_beats,
            stray_beats=raw.stray_beats,
            interrupt=bool(raw.interrupt),
        )
