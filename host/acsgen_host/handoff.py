"""The hardware handoff (.hwh) beside a bitstream: whether its engine is the one this driver knows.

A .hwh of another Vivado run makes pynq read and write wrong addresses, which can hang a board, and
set wrong clocks.  It has no digest of its bitstream.  Therefore only this can be told beforehand:
whether it has the engine's IP, at an address, in a window that takes all registers, and whether its
list of registers, which Vivado does not always fill in, is the driver's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from . import isa
from .errors import BackendError, Problem
from .files import check_regular

#: Vendor, library, name and version of the IP, as both engines are packaged.
VLNV = "xilinx.com:hls:acs_engine:1.0"

#: The control registers as Vitis HLS names them.
CONTROL_NAMES = {"control": "CTRL", "gie": "GIER", "ier": "IP_IER", "isr": "IP_ISR"}

REMEDY = "copy the .bit and the .hwh of one Vivado run, both with the same stem"


class HandoffEngine(NamedTuple):
    """An engine of a .hwh.

    Attributes:
        name: its place in the block design.
        base: first address of its registers as the processors see them; None if they do not.
        size: bytes of that window.
        registers: byte offsets by name, as the file has them.
    """

    name: str
    base: int | None
    size: int
    registers: dict[str, int]


class _WithoutDoctype(ElementTree.TreeBuilder):
    """Refuses a document type: Vivado writes none, and its entities could grow without bound."""

    def doctype(self, *_: Any) -> None:
        raise ValueError("it has a document type")


def read_engines(path: Path) -> list[HandoffEngine]:
    """Return the engines of a .hwh; raises :class:`BackendError` where it is none."""
    try:
        check_regular(path)
        parser = ElementTree.XMLParser(target=_WithoutDoctype())
        root = ElementTree.parse(str(path), parser).getroot()
        ranges = {entry.get("INSTANCE"): entry for entry in root.iter("MEMRANGE")}
        modules = [module for module in root.iter("MODULE") if module.get("VLNV") == VLNV]
        return [_engine(module, ranges.get(module.get("INSTANCE"))) for module in modules]
    except (ElementTree.ParseError, OSError, LookupError, TypeError, ValueError) as error:
        raise BackendError(
            Problem(str(path), f"is not a hardware handoff: {error}", REMEDY)
        ) from error


def check_handoff(path: Path, ip_name: str | None = None) -> list[HandoffEngine]:
    """Return the engines of a .hwh, or the one of this name, after a check.

    Raises :class:`BackendError` with everything in which it is not what the driver needs.
    """
    found = read_engines(path)
    known = ", ".join(engine.name for engine in found)
    if not found:
        raise BackendError(Problem(str(path), f"has no {VLNV}", REMEDY))
    if ip_name is not None:
        named = [engine for engine in found if engine.name == ip_name]
        if not named:
            raise BackendError(Problem(str(path), f"has no IP {ip_name}; it has {known}", REMEDY))
        found = named
    wrong = [
        Problem(f"{path}: {engine.name}", what, REMEDY)
        for engine in found
        for what in _differences(engine)
    ]
    if wrong:
        raise BackendError(wrong)
    return found


def expected_registers() -> dict[str, int]:
    """Return the byte offsets that the driver uses, by the names that Vitis HLS gives."""
    expected = {}
    for name, offset in isa.REGISTERS.items():
        if name in isa.POINTERS:
            expected[name + "_1"], expected[name + "_2"] = offset, offset + 4
        else:
            expected[CONTROL_NAMES.get(name, name)] = offset
    return expected


def _engine(module: Any, window: Any) -> HandoffEngine:
    registers = {}
    for register in module.iter("REGISTER"):
        for entry in register.iter("PROPERTY"):
            if entry.get("NAME") == "ADDRESS_OFFSET":
                registers[str(register.get("NAME"))] = int(entry.get("VALUE"), 0)
    name = str(module.get("FULLNAME") or module.get("INSTANCE")).strip("/")
    if window is None:
        return HandoffEngine(name, None, 0, registers)
    base, last = int(window.get("BASEVALUE"), 0), int(window.get("HIGHVALUE"), 0)
    return HandoffEngine(name, base, last - base + 1, registers)


def _differences(engine: HandoffEngine) -> list[str]:
    """Return in words how an engine of a .hwh is not the driver's."""
    expected = expected_registers()
    end = max(expected.values()) + 4
    wrong = []
    if engine.base is None:
        wrong.append("has no address: it is not connected to the processors")
    elif engine.size < end:
        wrong.append(f"has a window of {engine.size} bytes, its registers take {end}")
    found = {_plain(name): offset for name, offset in engine.registers.items()}
    # Some IPs come with the control register alone: that says nothing of the others.
    if len(found) < 2:
        return wrong
    # A name that no rule foresees is no reason to refuse: the place counts.
    places = set(found.values())
    for name, offset in expected.items():
        there = found.get(_plain(name), offset)
        if there != offset:
            wrong.append(f"has {name} at {there:#x}, the driver needs it at {offset:#x}")
        elif offset not in places:
            wrong.append(f"has no register at {offset:#x}, the driver needs {name} there")
    return wrong


def _plain(name: str) -> str:
    """Return a register's name in small letters, without the ``_r`` of names that are reserved.

    Vitis HLS appends it to arguments such as ``program``, a keyword of SystemVerilog.
    """
    head, _, tail = name.lower().rpartition("_")
    number = tail if tail in ("1", "2") else ""
    stem = head if number else name.lower()
    if stem.endswith("_r"):
        stem = stem[:-2]
    return stem + number
