"""The memory of ``sim/rtl/axi_memory.hpp`` for cocotb: the same beats at the same clock edges.

``sim/README.md`` defines the timing; change all three together.  It also watches the
master: an offer stays until it is taken, bursts keep to 4 KiB, WLAST is on the last beat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import ModifiableObject
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus

from acsgen.isa.generated import WORD_BYTES

BEAT, MAX_CREDIT = 256, 512
MAX_READS, MAX_WRITES = 16, 4
AR, R, AW, W, B = range(5)
GARBAGE = 0xBADBADBADBADBAD
OKAY, DECERR = 0, 3


class ProtocolError(AssertionError):
    """The engine does not keep to AXI4."""


@dataclass
class Region:
    """Words at a byte address, read and written in place."""

    base: int
    words: np.ndarray
    writable: bool

    def holds(self, address: int) -> bool:
        """Whether a byte address lies inside."""
        return self.base <= address < self.base + WORD_BYTES * len(self.words)


@dataclass
class _Channel:
    transfers: int = 0
    free_at: int = 0


@dataclass
class _Burst:
    address: int
    beats: int
    ready_at: int = 0


class TimedMemory:
    """A memory on the AXI4 port ``m_axi`` of a bench."""

    def __init__(self, dut: ModifiableObject, options: Mapping[str, int]) -> None:
        """Start with the fields of ``acsgen.engines.rtl.Memory`` as options."""
        self.dut = dut
        self.bus = AxiBus.from_prefix(dut, "m_axi")
        self.regions: list[Region] = []
        self.edges = 0
        self._write_bursts = 0
        self._held: dict[str, tuple[Any, ...]] = {}
        self.configure(options)
        self._reset()
        cocotb.start_soon(self._run())

    def configure(self, options: Mapping[str, int]) -> None:
        """Change the options; beats, bursts and random numbers start again."""
        self.options = dict(options)
        self.channels = [_Channel() for _ in range(5)]
        self.read_beats = self.write_beats = self.stray_beats = self._write_bursts = 0
        self._read_credit = self._write_credit = MAX_CREDIT

    def _reset(self) -> None:
        self._reads: deque[_Burst] = deque()
        self._writes: deque[_Burst] = deque()
        self._answers: deque[tuple[int, int]] = deque()
        self._response = OKAY
        self._held.clear()
        # The values of the pins, which are written only when they change.
        self._pins: dict[str, int] = {}
        self._ready = {AR: False, AW: False, W: False}
        self._r_valid = self._b_valid = False
        for bus, name in (
            (self.bus.read.ar, "arready"),
            (self.bus.read.r, "rvalid"),
            (self.bus.write.aw, "awready"),
            (self.bus.write.w, "wready"),
            (self.bus.write.b, "bvalid"),
        ):
            self._drive(bus, name, 0)

    def _drive(self, bus: Any, name: str, value: int) -> None:
        if self._pins.get(name) != value:
            self._pins[name] = value
            getattr(bus, name).value = int(value)

    async def _run(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if int(self.dut.rst_n.value):
                self._edge(self.edges)
            else:
                self._reset()
            self.edges += 1

    def _edge(self, now: int) -> None:
        read, write = self.bus.read, self.bus.write
        if int(read.ar.arvalid.value) and self._offered("AR", read.ar, self._ready[AR]):
            address, beats = self._burst("ar", read.ar)
            self._reads.append(_Burst(address, beats, now + self._delay()))
            self._taken(AR, now)
        if int(write.aw.awvalid.value) and self._offered("AW", write.aw, self._ready[AW]):
            address, beats = self._burst("aw", write.aw)
            self._writes.append(_Burst(address, beats))
            self._taken(AW, now)
        if self._r_valid and int(read.r.rready.value):
            self._r_valid = False
            self._taken(R, now)
        if self._b_valid and int(write.b.bready.value):
            self._b_valid = False
            self._taken(B, now)
        if int(write.w.wvalid.value) and self._offered("W", write.w, self._ready[W]):
            self._write(now)
            self._taken(W, now)
        for name, bus, valid in (
            ("AR", read.ar, read.ar.arvalid),
            ("AW", write.aw, write.aw.awvalid),
            ("W", write.w, write.w.wvalid),
        ):
            if name in self._held and not int(valid.value):
                raise ProtocolError(f"{name}: valid fell before ready ({bus._name})")
        self._offer(now + 1)

    def _offered(self, name: str, bus: Any, ready: bool) -> bool:
        """Whether the word that a channel offers is taken; it must be the word offered before."""
        payload = tuple(
            int(getattr(bus, signal).value)
            for signal in (*bus._signals, *bus._optional_signals)
            if hasattr(bus, signal) and not signal.endswith(("valid", "ready"))
        )
        if self._held.get(name, payload) != payload:
            raise ProtocolError(f"{name}: changed before ready: {self._held[name]} to {payload}")
        if ready:
            self._held.pop(name, None)
        else:
            self._held[name] = payload
        return ready

    def _burst(self, channel: str, bus: Any) -> tuple[int, int]:
        address, size, kind, beats = (
            int(getattr(bus, channel + field).value) for field in ("addr", "size", "burst", "len")
        )
        beats += 1
        if (size, kind) != (3, 1):
            raise ProtocolError(f"{channel}: not an INCR burst of words: size {size}, kind {kind}")
        if address % WORD_BYTES or address % 4096 + WORD_BYTES * beats > 4096:
            raise ProtocolError(f"{channel}: {beats} words from {address:#x} cross 4 KiB")
        return address, beats

    def _write(self, now: int) -> None:
        bus, burst = self.bus.write.w, self._writes[0]
        self._write_credit -= BEAT
        if int(bus.wlast.value) != (burst.beats == 1):
            raise ProtocolError(f"W: WLAST is wrong with {burst.beats} beats to go")
        strobes = int(bus.wstrb.value)
        if strobes not in (0, 0xFF):
            raise ProtocolError("W: the engine writes whole words, or nothing")
        if strobes:
            self.write_beats += 1
            region = self._locate(burst.address, True)
            if region is None:
                self._response = DECERR
            else:
                region.words[(burst.address - region.base) // WORD_BYTES] = int(bus.wdata.value)
        burst.address += WORD_BYTES
        burst.beats -= 1
        if burst.beats == 0:
            self._write_bursts += 1
            if self._write_bursts == self.options["fail_write"]:
                self._response = self.options["response"]
            self._answers.append((self._response, now + max(self.options["latency"], 1)))
            self._response = OKAY
            self._writes.popleft()

    def _offer(self, after: int) -> None:
        """Set the pins that the engine sees at edge ``after``."""
        read, write = self.bus.read, self.bus.write
        grown = self.options["bandwidth"]
        self._read_credit = min(self._read_credit + grown, MAX_CREDIT)
        self._write_credit = min(self._write_credit + grown, MAX_CREDIT)
        free = [after >= channel.free_at for channel in self.channels]
        self._ready = {
            AR: len(self._reads) < MAX_READS and free[AR],
            AW: len(self._writes) < MAX_WRITES and free[AW],
            W: bool(self._writes) and self._write_credit >= BEAT and free[W],
        }
        self._drive(read.ar, "arready", self._ready[AR])
        self._drive(write.aw, "awready", self._ready[AW])
        self._drive(write.w, "wready", self._ready[W])
        if (
            not self._r_valid
            and self._reads
            and self._reads[0].ready_at <= after
            and self._read_credit >= BEAT
            and free[R]
        ):
            self._read()
        self._drive(read.r, "rvalid", self._r_valid)
        if not self._b_valid and self._answers and self._answers[0][1] <= after and free[B]:
            self._b_valid = True
            self._drive(write.b, "bresp", self._answers.popleft()[0])
        self._drive(write.b, "bvalid", self._b_valid)

    def _read(self) -> None:
        bus, burst = self.bus.read.r, self._reads[0]
        region = self._locate(burst.address, False)
        self._read_credit -= BEAT
        self.read_beats += 1
        response, word = OKAY, GARBAGE
        if region is None:
            response = DECERR
        else:
            word = int(region.words[(burst.address - region.base) // WORD_BYTES])
            if self.read_beats == self.options["fail_read"]:
                response = self.options["response"]
        burst.address += WORD_BYTES
        burst.beats -= 1
        self._r_valid = True
        self._drive(bus, "rdata", word)
        self._drive(bus, "rresp", response)
        self._drive(bus, "rlast", burst.beats == 0)
        if burst.beats == 0:
            self._reads.popleft()

    def _locate(self, address: int, write: bool) -> Region | None:
        for region in self.regions:
            if region.holds(address) and (region.writable or not write):
                return region
        self.stray_beats += 1
        return None

    def _taken(self, channel: int, now: int) -> None:
        state = self.channels[channel]
        drawn = self._random(channel)
        gap = (drawn >> 8) % 8 if self.options["seed"] and drawn % 4 == 0 else 0
        state.transfers += 1
        state.free_at = now + 1 + gap

    def _delay(self) -> int:
        jitter = (self._random(AR) >> 16) % 16 if self.options["seed"] else 0
        return max(self.options["latency"], 1) + jitter

    def _random(self, channel: int) -> int:
        """32 random bits of the transfer that a channel is at."""
        x = (
            self.options["seed"] * 0x9E3779B9
            ^ (channel + 1) * 0x85EBCA6B
            ^ (self.channels[channel].transfers + 1) * 0xC2B2AE35
        ) & 0xFFFFFFFF
        x = (x ^ (x >> 16)) * 0x7FEB352D & 0xFFFFFFFF
        x = (x ^ (x >> 15)) * 0x846CA68B & 0xFFFFFFFF
        return x ^ (x >> 16)
