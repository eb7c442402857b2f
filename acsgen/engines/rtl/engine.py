"""Runs programs on the RTL simulation of the engine."""

from __future__ import annotations

import contextlib
from pathlib import Path

from acsgen.engines.base import BusCounts, EngineHung, EngineRun, EngineViolation, fresh_result
from acsgen.engines.rtl.device import Memory, RtlDevice
from acsgen.isa.generated import BUFFER_REGISTERS, INSTRUCTION_WORDS, Register
from acsgen.program.words import Words

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
            ends = device.ends(len(program) // INSTRUCTION_WORDS)
            device.write(Register.ISR, 1)
            device.read(Register.CONTROL)  # clears done
            return EngineRun(
                result=result,
                status=device.read(Register.STATUS),
                fault_index=device.read(Register.FAULT_INDEX),
                spec_hash=device.read(Register.SPEC_HASH),
                configuration=device.read(Register.CONFIGURATION),
                cycles=counters.interrupted_at - started,
                ends=ends if len(ends) else None,
                bus=BusCounts(
                    read=counters.read_beats,
                    written=counters.write_beats,
                    stray=device.counters.stray_beats,
                ),
            )
        except EngineViolation:
            # The next program is not to blame for what this one leaves.
            with contextlib.suppress(EngineViolation):
                device.reset()
            raise
        finally:
            for address in ADDRESSES.values():
                device.unmap(address)
