"""Whether the accesses to on-chip memories fit their ports, in the programs that were run.

The sources have probes (``acs_probe.hpp``) beside every access.  A C simulation that is compiled
with ``ACS_PROBE`` logs them, and the log is held to the claims of the pragmas:

* in one iteration a bank is accessed no more often than it has ports, times the loop's interval;
* all sites of a loop that access a bank have a port each: nothing has to be proved exclusive;
* where a ``DEPENDENCE`` pragma says that iterations do not depend on each other, a word is read
  only so many iterations after it was written that any schedule has it in the memory by then.

Probes name a memory as the pragmas do, by the last name of its variable.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.engines.csim import build_library
from acsgen.engines.hlscheck.loops import PipelinedLoop, Sources
from acsgen.engines.lint import Finding

_INCLUDE = Path(__file__).parent / "include" / "probe"
FLAGS = ("-DACS_PROBE", f"-I{_INCLUDE}")

_ACCESS = np.dtype(
    [
        ("iteration", np.uint64),
        ("run", np.uint32),
        ("address", np.uint32),
        ("loop", np.uint16),
        ("memory", np.uint16),
        ("bank", np.uint16),
        ("site", np.uint16),
        ("is_write", np.uint32),
        ("reserved", np.uint32),
    ]
)


@dataclass(frozen=True)
class Ports:
    """Accesses that a memory serves in a cycle: reads, writes, and both together."""

    reads: int
    writes: int
    both: int


#: By the type that a BIND_STORAGE pragma names.
PORTS: Mapping[str, Ports] = {
    "ram_1p": Ports(1, 1, 1),
    "ram_2p": Ports(2, 1, 2),
    "ram_s2p": Ports(1, 1, 2),
    "ram_t2p": Ports(2, 2, 2),
    "ram_1wnr": Ports(1 << 16, 1, 1 << 16),
    "rom_1p": Ports(1, 0, 1),
    "rom_2p": Ports(2, 0, 2),
    "rom_np": Ports(1 << 16, 0, 1 << 16),
}

#: The tool's choice where nothing is said.
DEFAULT = "ram_2p"


@dataclass(frozen=True)
class Trace:
    """A log of accesses.

    Attributes:
        names: of loops, memories and sites, by number.
        accesses: structured array, in the order in which the program made them.
    """

    names: tuple[str, ...]
    accesses: NDArray[np.void]

    def memories(self) -> set[tuple[str, str]]:
        """Return the pairs of a loop and a memory that it accesses."""
        keys = np.unique(self.accesses["loop"].astype(np.uint32) << 16 | self.accesses["memory"])
        return {(self.names[key >> 16], self.names[key & 0xFFFF]) for key in keys.tolist()}


def build_probed(sources: Path, library: Path) -> Path:
    """Compile the folder ``sources`` with its probes; see :func:`build_library`."""
    return build_library(sources, library, FLAGS, (_INCLUDE / "acs_probe_log.cpp",))


class AccessLog:
    """The log that a library of :func:`build_probed` keeps."""

    def __init__(self, library: Path) -> None:
        self._log = ctypes.CDLL(str(library.resolve()))
        self._log.acs_probe_count.restype = ctypes.c_uint64
        self._log.acs_probe_accesses.restype = ctypes.c_void_p
        self._log.acs_probe_name.restype = ctypes.c_char_p
        self._log.acs_probe_iterations.restype = ctypes.c_uint64

    def clear(self) -> None:
        """Begin a new log."""
        self._log.acs_probe_clear()

    def iterations(self) -> dict[str, int]:
        """Return how often each loop's body has begun since the log did."""
        counts = {name: int(self._log.acs_probe_iterations(n)) for n, name in self._names()}
        return {name: count for name, count in counts.items() if count}

    def trace(self) -> Trace:
        """Return a copy of the log."""
        size = int(self._log.acs_probe_count()) * _ACCESS.itemsize
        data = ctypes.string_at(self._log.acs_probe_accesses(), size) if size else b""
        return Trace(tuple(name for _, name in self._names()), np.frombuffer(data, _ACCESS))

    def _names(self) -> Iterator[tuple[int, str]]:
        for number in range(int(self._log.acs_probe_names())):
            yield number, self._log.acs_probe_name(number).decode()


def check_ports(sources: Path, trace: Trace, margin: int) -> list[Finding]:
    """Return a finding for every claim about a memory that the trace refutes.

    Args:
        sources: the rendered sources, for their pragmas.
        trace: of programs that ran on them.
        margin: iterations between a write and a read of the word where a pragma denies the
            dependence.
    """
    written = Sources(sources)
    loops = {loop.label: loop for loop in written.loops() if loop.label}
    findings: set[Finding] = set()
    for name, memory in sorted(trace.memories()):
        loop = loops.get(name, PipelinedLoop("", 0, name, 1, frozenset()))
        chosen = trace.accesses[
            (trace.accesses["loop"] == trace.names.index(name))
            & (trace.accesses["memory"] == trace.names.index(memory))
        ]
        ports = PORTS[written.storage.get(memory, DEFAULT)]
        problems = [*_ports(trace, chosen, ports, loop.interval), *_sites(trace, chosen, ports)]
        if memory in loop.independent:
            problems += _distance(chosen, margin)
        for problem in problems:
            findings.add(Finding(loop.file, loop.line, "ports", f"loop {name}, {memory}{problem}"))
    return sorted(findings)


def check_probes(sources: Path, traced: Set[tuple[str, str]]) -> list[Finding]:
    """Return a finding for every denied dependence that :func:`check_ports` saw no access of.

    Args:
        sources: the rendered sources, for their pragmas.
        traced: loops and memories of the traces of all programs that ran; one program alone need
            not access every memory.
    """
    ran = {loop for loop, _ in traced}
    return sorted(
        Finding(
            loop.file,
            loop.line,
            "ports",
            f"loop {loop.label}, {memory}: no probe beside its accesses",
        )
        for loop in Sources(sources).loops()
        for memory in loop.independent
        if loop.label in ran and (loop.label, memory) not in traced
    )


def _ports(trace: Trace, chosen: NDArray[np.void], ports: Ports, interval: int) -> Iterator[str]:
    # Keys are plain numbers: numpy sorts these much faster than structures.
    keys = chosen["iteration"] << np.uint64(16) | chosen["bank"]
    for word, kind, allowed in _kinds(chosen, ports, ("reads", "writes", "accesses")):
        found, counts = np.unique(keys[kind], return_counts=True)
        if len(counts) == 0 or counts.max() <= allowed * interval:
            continue
        worst = found[counts.argmax()]
        same = chosen[kind][keys[kind] == worst]
        sites = sorted({trace.names[site] for site in same["site"].tolist()})
        yield (
            f", bank {int(worst) & 0xFFFF}: {counts.max()} {word} in iteration {int(worst) >> 16}, "
            f"for {allowed * interval} of them there are ports (sites {', '.join(sites)})"
        )


def _sites(trace: Trace, chosen: NDArray[np.void], ports: Ports) -> Iterator[str]:
    keys = chosen["bank"].astype(np.uint64) << np.uint64(32) | (
        chosen["site"].astype(np.uint64) << np.uint64(1) | (chosen["is_write"] != 0)
    )
    for word, kind, allowed in _kinds(chosen, ports, ("read", "write", "access")):
        found = np.unique(keys[kind])
        banks, counts = np.unique(found >> np.uint64(32), return_counts=True)
        if len(counts) and counts.max() > allowed:
            bank = int(banks[counts.argmax()])
            of_bank = [key for key in found.tolist() if key >> 32 == bank]
            sites = sorted({trace.names[key >> 1 & 0xFFFF] for key in of_bank})
            yield (
                f", bank {bank}: {counts.max()} sites {word} it, for {allowed} there are ports: "
                f"{', '.join(sites)}"
            )


def _kinds(
    chosen: NDArray[np.void], ports: Ports, words: tuple[str, str, str]
) -> Iterator[tuple[str, NDArray[np.bool_], int]]:
    """Yield reads, writes and both: a word for them, where they are, and how many have ports."""
    writes = chosen["is_write"] != 0
    kinds = (~writes, writes, np.ones(len(chosen), bool))
    yield from zip(words, kinds, (ports.reads, ports.writes, ports.both), strict=True)


def _distance(chosen: NDArray[np.void], margin: int) -> Iterator[str]:
    """Yield the shortest distance from a write to a later read of the word, if it is too short."""
    # Stable: accesses to one word stay in the order in which they were made.
    order = np.argsort(chosen["bank"].astype(np.uint64) << 32 | chosen["address"], kind="stable")
    by_word = chosen[order]
    position = np.arange(len(by_word))
    is_write = by_word["is_write"] != 0
    last_write = np.maximum.accumulate(np.where(is_write, position, -1))
    reads = position[~is_write & (last_write >= 0)]
    writes = last_write[reads]
    same = (
        (by_word["bank"][reads] == by_word["bank"][writes])
        & (by_word["address"][reads] == by_word["address"][writes])
        & (by_word["run"][reads] == by_word["run"][writes])
    )
    reads, writes = reads[same], writes[same]
    if len(reads) == 0:
        return
    distance = by_word["iteration"][reads] - by_word["iteration"][writes]
    worst = int(distance.argmin())
    if distance[worst] < margin:
        access = by_word[reads[worst]]
        yield (
            f", bank {access['bank']}: word {access['address']} is read in iteration "
            f"{access['iteration']}, {distance[worst]} behind its write; the DEPENDENCE pragma "
            f"needs {margin}"
        )
