"""Runs programs on the RTL simulation of the engine."""

from __future__ import annotations

from pathlib import Path

from acsgen.engines.base import BusCounts, EngineHung, EngineRun, fresh_result
from acsgen.engines.rtl.device import Memory, RtlDevice
from acsgen.isa.generated import Register
from acsgen.program.words import Words

#: More cycles than any program that fits the engine should take.
MAX_CYCLES = 200_000_000

#: Where program, parameters, image and result lie: far apart, so that an access outside all of
#: them is seen, and not aligned to 4 KiB, so that bursts meet the boundary.
ADDRESSES = (0x10_0000_0F00, 0x20_0000_0D38, 0x30_0000_0FE8, 0x40_0000_0FC0)

POINTERS = (Register.PROGRAM, Register.PARAMS, Register.IMAGE, Register.RESULT)
SIZES = (
    Register.PROGRAM_WORDS,
    Register.PARAMS_WORDS,
    Register.IMAGE_WORDS,
    Register.RESULT_WORDS,
)


class RtlEngine:
    """A compiled engine.  Its on-chip memories live on between runs, as block RAM does."""

    #: The RTL leaves unneeded words of weight rows in memory.
    skips_words = True

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
    ) -> EngineRun:
        """Run ``program`` on one packed image; see :meth:`acsgen.engines.base.Engine.run`."""
        device = self.device
        device.memory = self.memory
        result = fresh_result(result_words)
        buffers = (program, params, image, result)
        try:
            for address, words in zip(ADDRESSES, buffers, strict=True):
                device.map(address, words, writable=words is result)
            for pointer, size, address, words in zip(
                POINTERS, SIZES, ADDRESSES, buffers, strict=True
            ):
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
            return EngineRun(
                result=result,
                status=device.read(Register.STATUS),
                fault_index=device.read(Register.FAULT_INDEX),
                spec_hash=device.read(Register.SPEC_HASH),
                configuration=device.read(Register.CONFIGURATION),
                cycles=counters.interrupted_at - started,
                bus=BusCounts(
                    read=counters.read_beats,
                    written=counters.write_beats,
                    stray=device.counters.stray_beats,
                ),
            )
        finally:
            for address in ADDRESSES:
                device.unmap(address)
