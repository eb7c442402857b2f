"""Runs programs on the RTL simulation of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acsgen.csim.engine import POISON, EngineRun, Words
from acsgen.isa.generated import BUFFER_REGISTERS, Register
from acsgen.rtlsim.device import Memory, RtlDevice

#: More cycles than any program that fits the engine should take.
MAX_CYCLES = 200_000_000

#: Where the buffers lie: far apart, so that an access outside all of them is seen, and not aligned
#: to 4 KiB, so that bursts meet the boundary.
ADDRESSES = {
    "program": 0x10_0000_0F00,
    "params": 0x20_0000_0D38,
    "image": 0x30_0000_0FE8,
    "result": 0x40_0000_0FC0,
}


class EngineHung(Exception):
    """The engine did not finish within the given cycles."""


@dataclass(frozen=True)
class RtlRun(EngineRun):
    """A run on the RTL, with what the bench counted itself.

    Attributes:
        cycles: from the edge that takes the start bit to the one that sees the interrupt.
        read_beats: beats that the memory gave.
        written_beats: beats that it took, result header included.
        stray: beats outside the buffers, or written to another than the result buffer.
    """

    cycles: int
    read_beats: int
    written_beats: int
    stray: int


class RtlEngine:
    """A compiled engine.  Its on-chip memories live on between runs, as block RAM does."""

    def __init__(
        self,
        library: Path,
        memory: Memory | None = None,
        max_cycles: int = MAX_CYCLES,
        waves: Path | None = None,
    ) -> None:
        self.device = RtlDevice(library, memory, waves)
        self.memory = self.device.memory
        self.max_cycles = max_cycles

    def close(self) -> None:
        """Free the model, and finish its waves."""
        self.device.close()

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> RtlRun:
        """Run ``program`` on one packed image; see :meth:`acsgen.csim.CSimEngine.run`.

        Raises :class:`EngineHung` where the engine does not finish.
        """
        device = self.device
        device.memory = self.memory
        result = np.full(result_words, POISON, dtype=np.uint64)
        buffers = {"program": program, "params": params, "image": image, "result": result}
        try:
            for name, words in buffers.items():
                device.map(ADDRESSES[name], words, writable=words is result)
            for name, (pointer, size) in BUFFER_REGISTERS.items():
                address, words = ADDRESSES[name], buffers[name]
                device.write(pointer, address & 0xFFFF_FFFF)
                device.write(pointer + 4, address >> 32)
                device.write(size, len(words))
            device.write(Register.TRACE, int(trace))
            device.write(Register.ISR, device.read(Register.ISR))
            device.write(Register.GIE, 1)
            device.write(Register.IER, 1)
            device.write(Register.CONTROL, 1)
            started = device.counters.written_at
            device.advance(self.max_cycles)
            counters = device.counters
            if not counters.interrupt:
                device.reset()
                raise EngineHung(f"no end after {self.max_cycles} cycles")
            device.write(Register.ISR, 1)
            device.read(Register.CONTROL)  # clears done
            return RtlRun(
                result=result,
                status=device.read(Register.STATUS),
                fault_index=device.read(Register.FAULT_INDEX),
                spec_hash=device.read(Register.SPEC_HASH),
                configuration=device.read(Register.CONFIGURATION),
                cycles=counters.interrupted_at - started,
                read_beats=counters.read_beats,
                written_beats=counters.write_beats,
                stray=device.counters.stray_beats,
            )
        finally:
            for address in ADDRESSES.values():
                device.unmap(address)
