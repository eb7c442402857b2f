"""Static timing analysis of a netlist: pins, the delays between them, and the slowest paths.

A path begins where a clock edge makes a pin change and ends where a pin has to be stable before the
next edge. There is one clock, and every edge reaches all registers at once. Inputs of the chip are
no beginnings, and its outputs no ends.

Before placement wires have one delay, whatever they lead to; after it, what nextpnr estimates of
their length. So the figures compare revisions and name slow paths; they are estimates.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from acsgen.flow.synth.netlist import SynthesisError


@dataclass(frozen=True)
class TimedPath:
    """The slowest path into a pin.

    Attributes:
        ps: from the clock edge to the latest time at which the pin is in time for the next.
        wires_ps: how many of them are those of wires.
        pins: as ``cell/port``, in order.
    """

    ps: float
    wires_ps: float
    pins: tuple[str, ...]

    def cells(self) -> list[str]:
        """Return the cells that it leads through, each once, in order."""
        return list(dict.fromkeys(pin.rpartition("/")[0] for pin in self.pins))


class TimingGraph:
    """Pins, named ``cell/port``, and the delays between them in picoseconds."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._names: list[str] = []
        self._arcs: list[list[tuple[int, float, bool]]] = []
        self._launched: dict[int, float] = {}
        self._captured: dict[int, float] = {}

    def launch(self, pin: str, ps: float) -> None:
        """Say that a clock edge makes ``pin`` change after ``ps``."""
        number = self._pin(pin)
        self._launched[number] = max(ps, self._launched.get(number, ps))

    def capture(self, pin: str, ps: float) -> None:
        """Say that ``pin`` has to be stable ``ps`` before a clock edge."""
        number = self._pin(pin)
        self._captured[number] = max(ps, self._captured.get(number, ps))

    def arc(self, source: str, target: str, ps: float, *, wire: bool = False) -> None:
        """Say that a change of ``source`` reaches ``target`` after ``ps``."""
        self._arcs[self._pin(source)].append((self._pin(target), ps, wire))

    def slowest(
        self, count: int, title: Callable[[TimedPath], object] = lambda path: path
    ) -> list[TimedPath]:
        """Return the ``count`` slowest paths, the slowest first; one for each ``title``.

        Raises:
            SynthesisError: there is a combinational loop, or no path at all.
        """
        arrival, before = self._arrivals()
        ends = sorted(
            (
                (-(arrival[pin] + setup), pin)
                for pin, setup in self._captured.items()
                if pin in arrival
            ),
        )
        if not ends:
            raise SynthesisError("no path leads from register to register")
        found: dict[object, TimedPath] = {}
        for late, pin in ends:
            path = self._path(pin, -late, before)
            found.setdefault(title(path), path)
            if len(found) == count:
                break
        return list(found.values())

    def _pin(self, name: str) -> int:
        number = self._number.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
            self._arcs.append([])
        return number

    def _arrivals(self) -> tuple[dict[int, float], dict[int, tuple[int, bool, float]]]:
        """Return when every pin that a clock reaches is stable, and the pin before it."""
        waits = [0] * len(self._names)
        for arcs in self._arcs:
            for target, _, _ in arcs:
                waits[target] += 1
        ready = deque(pin for pin, number in enumerate(waits) if number == 0)
        arrival = dict(self._launched)
        before: dict[int, tuple[int, bool, float]] = {}
        done = 0
        while ready:
            pin = ready.popleft()
            done += 1
            at = arrival.get(pin)
            for target, ps, wire in self._arcs[pin]:
                if at is not None and at + ps > arrival.get(target, -1.0):
                    arrival[target] = at + ps
                    before[target] = (pin, wire, ps)
                waits[target] -= 1
                if waits[target] == 0:
                    ready.append(target)
        if done != len(self._names):
            looped = next(name for name, left in zip(self._names, waits, strict=True) if left)
            raise SynthesisError(f"a combinational loop leads through or to {looped}")
        return arrival, before

    def _path(self, pin: int, ps: float, before: dict[int, tuple[int, bool, float]]) -> TimedPath:
        pins, wires = [self._names[pin]], 0.0
        while pin in before:
            pin, wire, delay = before[pin]
            wires += delay if wire else 0.0
            pins.append(self._names[pin])
        return TimedPath(ps, wires, tuple(reversed(pins)))


_CELL_START = re.compile(r'\(CELLTYPE "|\(INSTANCE ([^)]*)\)')
_WIRE = re.compile(r"\(INTERCONNECT (\S+) (\S+) \(([^)]*)\) \(([^)]*)\)\)")
_CELL_ARC = re.compile(r"\(IOPATH (\S+) (\S+) \(([^)]*)\) \(([^)]*)\)\)")
_CHECK = re.compile(r"\(SETUPHOLD \(\w+ (\w+)\) \(\w+ (\w+)\) \(([^)]*)\)")
_ESCAPED = re.compile(r"\\(.)")

#: Ports that the slice itself connects: carry chains, wide multiplexers, the register and the
#: memory beside a table.
_INSIDE_SLICE = frozenset({"FCI", "FXA", "FXB", "F1", "DI", "WAD0", "WAD1", "WAD2", "WAD3", "WD"})


def read_sdf(lines: Iterable[str], wire_ps: float | None = None) -> TimingGraph:
    """Return the delays of a netlist that nextpnr packed or placed for an ECP5 and wrote as SDF.

    Args:
        lines: of the file; nextpnr writes one delay a line.
        wire_ps: delay of every wire that leaves a slice, for a netlist that is only packed: the
            file has none then. Without it, wires have the file's delays.
    """
    graph = TimingGraph()
    cell = ""
    arcs: list[tuple[str, str, float]] = []
    clocks: set[str] = set()

    def finish() -> None:
        # A delay from a clock is that of a register; which pins are clocks, its checks say.
        for source, target, ps in arcs:
            if source in clocks or source.startswith("CLK"):
                graph.launch(f"{cell}/{target}", ps)
            else:
                graph.arc(f"{cell}/{source}", f"{cell}/{target}", ps)
        arcs.clear()
        clocks.clear()

    for line in lines:
        if wire := _WIRE.search(line):
            source, target = (_ESCAPED.sub(r"\1", name) for name in wire.groups()[:2])
            inside = target.rpartition("/")[2] in _INSIDE_SLICE
            told = max(map(_latest, wire.groups()[2:])) if wire_ps is None else wire_ps
            graph.arc(source, target, 0.0 if inside else told, wire=True)
        elif found := _CELL_ARC.search(line):
            source, target, *delays = found.groups()
            arcs.append((source, target, max(map(_latest, delays))))
        elif check := _CHECK.search(line):
            pin, clock, setup = check.groups()
            clocks.add(clock)
            graph.capture(f"{cell}/{pin}", _latest(setup))
        elif start := _CELL_START.search(line):
            finish()
            cell = _ESCAPED.sub(r"\1", start.group(1) or "").strip()
    finish()
    return graph


def _latest(triple: str) -> float:
    """Return the largest of minimum, typical and maximum."""
    return max(float(part) for part in triple.split(":") if part)
