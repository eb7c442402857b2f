"""Checks a bus against the rules of AXI4 and AXI4-Lite, whoever is at fault.

Written from the AMBA AXI specification (ARM IHI 0022); the sections are named at the rules.  It
knows nothing of the engine, drives nothing, and is not the checking that the masters, the memories
and cocotbext-axi do themselves.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
from cocotb.handle import ModifiableObject
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus

PAGE = 4096
FIXED, INCR, WRAP = range(3)


class RuleBroken(AssertionError):
    """A signal of a bus is not as AXI has it."""


class _Channel:
    """Valid, ready and payload of a channel."""

    def __init__(self, bus: Any, name: str) -> None:
        self.name = name
        self.valid, self.ready = (getattr(bus, name + end) for end in ("valid", "ready"))
        fields = [*bus._signals, *bus._optional_signals]
        self.payload = {
            field.removeprefix(name): getattr(bus, field)
            for field in fields
            if hasattr(bus, field) and not field.endswith(("valid", "ready"))
        }
        self.offered: dict[str, int] | None = None
        self.late = False  # it was offered after an error answer

    def values(self) -> dict[str, int]:
        return {field: int(signal.value) for field, signal in self.payload.items()}


class AxiRules:
    """Watches one port for as long as the simulation runs.

    Attributes:
        failed: whether an error answer was taken since :meth:`watch_errors`.
        written_after: addresses of the words that were written after that, except words that were
            on offer already.
    """

    def __init__(
        self,
        clock: ModifiableObject,
        reset: ModifiableObject,
        bus: AxiBus | AxiLiteBus,
        *,
        slave_reset: bool = True,
    ) -> None:
        """Watch ``bus``; ``slave_reset``: ``reset``, active low, is the slave's too."""
        self.reset, self.slave_reset = reset, slave_reset
        self.lite = isinstance(bus, AxiLiteBus)
        sides = {"ar": bus.read.ar, "r": bus.read.r}
        sides |= {"aw": bus.write.aw, "w": bus.write.w, "b": bus.write.b}
        self.channels = {name: _Channel(side, name) for name, side in sides.items()}
        self.where = bus.read.ar._name
        self._forget()
        self.watch_errors()
        cocotb.start_soon(self._run(clock))

    def watch_errors(self) -> None:
        """Look for the next error answer, and what is written after it."""
        self.failed = False
        self.written_after: list[int] = []

    def _forget(self) -> None:
        self._reads: deque[list[int]] = deque()  # beats to come of each burst
        self._addresses: deque[tuple[int, int]] = deque()  # of write bursts whose words come
        self._bursts: deque[list[tuple[int, bool]]] = deque([[]])  # strobes and last of words
        self._answers = 0  # bursts written and not answered

    async def _run(self, clock: ModifiableObject) -> None:
        edge = RisingEdge(clock)
        held_low = 0
        while True:
            await edge
            if int(self.reset.value):
                held_low = 0
                self._edge()
                continue
            held_low += 1
            self._in_reset(held_low)

    def _in_reset(self, edges: int) -> None:
        drives = ("b", "r") if self.lite else ("ar", "aw", "w")
        for name, channel in self.channels.items():
            channel.offered = None
            # A3.1.2: valid is low in reset.  Synchronous reset acts at its first edge.
            if edges > 1 and name in drives and int(channel.valid.value):
                self._break(name, "valid in reset")
        if self.slave_reset:
            self._forget()
        else:
            self._transfers()

    def _break(self, name: str, what: str) -> None:
        raise RuleBroken(f"{self.where} {name.upper()}: {what}")

    def _edge(self) -> None:
        for name, channel in self.channels.items():
            # A3.2.1: an offer stays, unchanged, until it is taken.
            if not int(channel.valid.value):
                if channel.offered is not None:
                    self._break(name, "valid fell before ready")
                continue
            values = channel.values()
            if channel.offered is not None and channel.offered != values:
                self._break(name, f"{channel.offered} became {values} before ready")
            if channel.offered is None:
                channel.late = self.failed
            channel.offered = values
        self._transfers()

    def _transfers(self) -> None:
        for name, channel in self.channels.items():
            if int(channel.valid.value) and int(channel.ready.value):
                values = channel.offered or channel.values()
                channel.offered = None
                getattr(self, f"_take_{name}")(values)

    def _check_burst(self, name: str, values: dict[str, int]) -> int:
        """Return the beats of a burst."""
        if self.lite:
            return 1
        beats, size = values.get("len", 0) + 1, values.get("size", 3)
        # A3.4.1
        if 1 << size > 8:
            self._break(name, "beats wider than the bus")
        if values.get("burst", INCR) != INCR and beats > 16:
            self._break(name, "a long burst that does not count up")
        first = values["addr"] >> size << size
        if first // PAGE != (first + (beats << size) - 1) // PAGE:
            self._break(name, f"{beats} beats from {values['addr']:#x} cross 4 KiB")
        return beats

    def _take_ar(self, values: dict[str, int]) -> None:
        self._reads.append([self._check_burst("ar", values)])

    def _take_r(self, values: dict[str, int]) -> None:
        # A3.3.1: read data follows the address it answers; A3.4.1: last is on the last beat.
        if not self._reads:
            self._break("r", "a beat that nobody asked for")
        self._reads[0][0] -= 1
        last = self._reads[0][0] == 0
        if not self.lite and bool(values["last"]) != last:
            self._break("r", "last is on the wrong beat")
        if last:
            self._reads.popleft()
        self.failed |= values.get("resp", 0) >= 2

    def _take_aw(self, values: dict[str, int]) -> None:
        self._addresses.append((values["addr"], self._check_burst("aw", values)))
        self._match()

    def _take_w(self, values: dict[str, int]) -> None:
        last = 1 if self.lite else values["last"]
        self._bursts[-1].append((values.get("strb", -1), self.channels["w"].late))
        if last:
            self._bursts.append([])
        self._match()

    def _match(self) -> None:
        """Pair the addresses with the words, which may come first (A3.3.1)."""
        while self._addresses and len(self._bursts) > 1:
            address, beats = self._addresses.popleft()
            words = self._bursts.popleft()
            if len(words) != beats:
                self._break("w", f"{len(words)} words in a burst of {beats}")
            self.written_after += [
                address + 8 * index
                for index, (strobes, late) in enumerate(words)
                if late and strobes
            ]
            self._answers += 1
        if self._addresses and len(self._bursts[0]) > self._addresses[0][1]:
            self._break("w", "no last on the last word of a burst")

    def _take_b(self, values: dict[str, int]) -> None:
        # A3.3.1: the answer follows the last word and the address.
        if not self._answers:
            self._break("b", "an answer to no burst")
        self._answers -= 1
        self.failed |= values.get("resp", 0) >= 2
