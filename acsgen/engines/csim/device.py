"""The C simulation as a host sees it: registers, memory at physical addresses, an interrupt.

The register file is the one that Vitis HLS puts before the function: its outputs are zero until a
first run has ended, ``done`` clears on read, ISR toggles on write and collects the events that IER
enables.  The interface is that of :class:`acsgen.engines.rtl.RtlDevice`; a whole run takes one
clock edge here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.engines.csim.engine import CSimEngine
from acsgen.isa.generated import (
    BUFFER_REGISTERS,
    INPUT_REGISTERS,
    OUTPUT_REGISTERS,
    POINTER_REGISTERS,
    WORD_BYTES,
    Register,
)
from acsgen.program.words import Words

#: Bits of the control register.
START, DONE, IDLE, READY, AUTO_RESTART, INTERRUPT = (1 << bit for bit in (0, 1, 2, 3, 7, 9))

#: Registers that a host may write.
ARGUMENTS = (
    *POINTER_REGISTERS,
    *(register + 4 for register in POINTER_REGISTERS),
    *INPUT_REGISTERS,
)


class StrayAccess(Exception):
    """The registers name memory that is not there; on a board the bus would answer an error."""


class CSimDevice:
    """One engine behind its registers.  Nothing runs but in :meth:`advance`."""

    def __init__(self, library: Path) -> None:
        self._engine = CSimEngine(library)
        self._regions: dict[int, tuple[NDArray[Any], bool]] = {}
        self.reset()

    def reset(self) -> None:
        """Clear the registers.  Mapped memory and on-chip memories stay, as block RAM does."""
        self._arguments = dict.fromkeys(map(int, ARGUMENTS), 0)
        self._outputs = dict.fromkeys(map(int, OUTPUT_REGISTERS), 0)
        self._fresh: set[int] = set()
        self._busy = self._done = self._ready = self._auto = False
        self._gie = self._ier = self._isr = 0

    def close(self) -> None:
        """Forget the mapped memory."""
        self._regions.clear()

    def map(self, address: int, data: NDArray[Any], writable: bool = True) -> None:
        """Put an array of whole 64-bit words at a physical byte address."""
        if address % WORD_BYTES or not data.flags.c_contiguous or data.nbytes % WORD_BYTES:
            raise ValueError("memory is mapped as contiguous 64-bit words")
        self._regions[address] = (data, writable)

    def unmap(self, address: int) -> None:
        """Take the array at an address away, if there is one."""
        self._regions.pop(address, None)

    def read(self, offset: int) -> int:
        """Read a register (32 bits)."""
        if offset == Register.CONTROL:
            return self._read_control()
        plain = {Register.GIE: self._gie, Register.IER: self._ier, Register.ISR: self._isr}
        if offset in plain:
            return plain[Register(offset)]
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
        if offset == Register.CONTROL:
            self._busy = self._busy or bool(value & START)
            self._auto = bool(value & AUTO_RESTART)
        elif offset == Register.GIE:
            self._gie = value & 1
        elif offset == Register.IER:
            self._ier = value & 3
        elif offset == Register.ISR:
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
        buffers = {
            name: self._memory(pointer, self._arguments[size])
            for name, (pointer, size) in BUFFER_REGISTERS.items()
        }
        trace = self._arguments[Register.TRACE] != 0
        run = self._engine.run_in_place(**buffers, trace=trace)
        for register in OUTPUT_REGISTERS:
            self._outputs[register] = getattr(run, register.name.lower())
            self._fresh.add(register)
        self._busy = self._auto
        self._done = self._ready = True
        self._isr |= self._ier

    def _memory(self, pointer: Register, words: int) -> Words:
        """The words that an argument names."""
        if words == 0:
            return np.zeros(0, np.uint64)
        address = self._arguments[pointer] | self._arguments[pointer + 4] << 32
        for base, (data, writable) in self._regions.items():
            start = (address - base) // WORD_BYTES
            fits = base <= address and (start + words) * WORD_BYTES <= data.nbytes
            if fits and address % WORD_BYTES == 0 and (writable or pointer != Register.RESULT):
                return data.reshape(-1).view(np.uint64)[start : start + words]
        raise StrayAccess(f"{pointer.name.lower()}: {words} words at {address:#x}")
