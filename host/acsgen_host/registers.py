"""The engine's registers, as Vitis HLS lays them out: identity, start, end, dump.

Plain offsets and Python integers only: this works over every MMIO there is.  Reading the control
register clears its done bit, so that no other code may read it.
"""

from __future__ import annotations

import time
from typing import Callable, NamedTuple

from . import isa
from .backend import Backend
from .errors import BackendError, EngineMismatch, EngineTimeout, Problem

#: Bits of the control register.
START, DONE, IDLE = 1 << 0, 1 << 1, 1 << 2

#: Bit of GIE, and the bit of IER and ISR for the end of a run.
ENABLE = 1
ISR_DONE = 1

#: An engine without a program stops at once.
PROBE_SECONDS = 0.5


class Identity(NamedTuple):
    """An engine's description of itself."""

    spec_hash: int
    lane_groups: int
    feature_kib: int
    counts_cycles: bool


class Outcome(NamedTuple):
    """How a run ended, and how long it took until the driver saw it."""

    status: int
    fault_index: int
    seconds: float


class Registers:
    """The registers of one engine.

    ``interrupts`` says whether its interrupt is switched on and waited for.
    """

    def __init__(self, backend: Backend, interrupts: bool) -> None:
        self._backend = backend
        self._interrupts = interrupts

    def idle(self) -> bool:
        """Whether no run is under way; forgets the end of an earlier one."""
        return bool(self._backend.read(isa.REG_CONTROL) & IDLE)

    def check_spec_hash(self, spec_hash: int) -> int:
        """Return the engine's version hash, which is 0 if it has not told it yet.

        Raises :class:`EngineMismatch` if it is another one than ``spec_hash``.
        """
        found = self._backend.read(isa.REG_SPEC_HASH)
        if found not in (0, spec_hash):
            raise _mismatch("instruction set", f"{found:#010x}", f"{spec_hash:#010x}")
        return found

    def identify(self) -> Identity:
        """Return the engine's description of itself.

        The HLS engine tells it at the end of a run, so that before the first one its registers
        are zero: it then runs an empty program, which touches no memory.

        Raises:
            EngineTimeout: the engine does not answer.
        """
        if self._backend.read(isa.REG_SPEC_HASH) == 0:
            for name in isa.POINTERS:
                self._backend.write(isa.REGISTERS[name + "_words"], 0)
            self.run(PROBE_SECONDS)
        configuration = self._backend.read(isa.REG_CONFIGURATION)
        return Identity(
            spec_hash=self._backend.read(isa.REG_SPEC_HASH),
            lane_groups=configuration & 0xFF,
            feature_kib=configuration >> 8 & 0xFFFF,
            counts_cycles=bool(configuration >> 31),
        )

    def set_buffers(self, buffers: dict[str, tuple[int, int]]) -> None:
        """Write address and size in words of every buffer, by name, and read them back.

        Raises :class:`BackendError` if a register does not keep its value: a run would then read
        and write memory of somebody else.
        """
        values = {isa.REG_TRACE: 0}
        for name, (address, words) in buffers.items():
            offset = isa.REGISTERS[name]
            values[offset] = address & 0xFFFFFFFF
            values[offset + 4] = address >> 32
            values[isa.REGISTERS[name + "_words"]] = words
        for offset, value in values.items():
            self._backend.write(offset, value)
        for offset, value in values.items():
            found = self._backend.read(offset)
            if found != value:
                raise BackendError(
                    Problem(
                        "engine",
                        f"the register at {offset:#x} reads {found:#x} after {value:#x} was "
                        "written, so the engine was not started",
                        "another program uses this engine or has loaded another design: end it, "
                        "and load the bitstream again",
                    )
                )

    def run(self, timeout: float, meanwhile: Callable[[], None] | None = None) -> Outcome:
        """Start the engine, which must be idle, and wait for its end.

        The arguments are those in the registers now. Write none before the end: the RTL engine
        would keep them for its next run, and the HLS engine promises nothing.
        ``meanwhile`` is called once the engine runs, for work that does not touch its buffers.

        Raises :class:`EngineTimeout` with a dump of the registers; the engine may then still run.
        """
        backend = self._backend
        backend.write(isa.REG_GIE, ENABLE if self._interrupts else 0)
        backend.write(isa.REG_IER, ISR_DONE if self._interrupts else 0)
        self.acknowledge()
        began = time.monotonic()
        backend.write(isa.REG_CONTROL, START)
        if meanwhile is not None:
            meanwhile()
        waited = False
        while not backend.read(isa.REG_CONTROL) & DONE:
            left = timeout - (time.monotonic() - began)
            # This process may not have had the processor for longer than that: the engine gets a
            # moment in any case, and a simulated one, which runs while it is waited for, its turn.
            if left <= 0 and waited:
                # The end may have come between the last look and now.
                dump = self.dump()
                if not dump["control"] & DONE:
                    raise EngineTimeout(timeout, dump)
                break
            backend.wait(max(left, 0.0), self._interrupts)
            waited = True
        seconds = time.monotonic() - began
        self.acknowledge()
        return Outcome(backend.read(isa.REG_STATUS), backend.read(isa.REG_FAULT_INDEX), seconds)

    def acknowledge(self) -> None:
        """Take back the interrupt and the done bit of an earlier run.

        ISR toggles on write: only the bits that are set may be written.
        """
        pending = self._backend.read(isa.REG_ISR)
        if pending:
            self._backend.write(isa.REG_ISR, pending)
        self._backend.read(isa.REG_CONTROL)

    def dump(self) -> dict[str, int]:
        """Return every register by name, pointers whole."""
        found = {}
        for name, offset in isa.REGISTERS.items():
            found[name] = self._backend.read(offset)
            if name in isa.POINTERS:
                found[name] |= self._backend.read(offset + 4) << 32
        return found


def check_identity(found: Identity, spec_hash: int, lane_groups: int, feature_kib: int) -> None:
    """Raise :class:`EngineMismatch` with all differences from the engine that a program needs."""
    if found.spec_hash != spec_hash:
        # A foreign instruction set makes the other registers meaningless.
        raise _mismatch("instruction set", f"{found.spec_hash:#010x}", f"{spec_hash:#010x}")
    pairs = (
        ("lane groups", found.lane_groups, lane_groups),
        ("KiB of feature memory", found.feature_kib, feature_kib),
    )
    wrong = [_mismatch(*pair) for pair in pairs if pair[1] != pair[2]]
    if wrong:
        raise EngineMismatch([problem for error in wrong for problem in error.problems])


def _mismatch(what: str, found: object, wanted: object) -> EngineMismatch:
    text = f"has {what} {found}, the bundle is made for {wanted}"
    remedy = "load the bitstream of this bundle, or build for this engine"
    return EngineMismatch(Problem("engine", text, remedy))
