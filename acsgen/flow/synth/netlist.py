"""Counts the resources of a 7-series part that a synthesized netlist takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any


class SynthesisError(Exception):
    """Yosys refused the engine, or made something unknown of it: a bug of acsgen."""


#: Look-up table sites that a cell takes.  Two small functions can share a site, but only the placer
#: finds such pairs, so that each function counts here.
_LUT_SITES = {
    **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
    "INV": 1,
    "SRL16E": 1,
    "SRLC16E": 1,
    "SRLC32E": 1,
    "RAM32X1S": 1,
    "RAM32X1D": 2,
    "RAM64X1S": 1,
    "RAM64X1D": 2,
    "RAM128X1S": 2,
    "RAM128X1D": 4,
    "RAM256X1S": 4,
    "RAM32M": 4,
    "RAM64M": 4,
}
_FLIP_FLOPS = frozenset({"FDRE", "FDSE", "FDCE", "FDPE"})
_FREE = frozenset({"MUXF7", "MUXF8", "CARRY4"})  # beside the tables, in every slice
_TABLES = frozenset({"INV", *(f"LUT{inputs}" for inputs in range(1, 7))})


@dataclass(frozen=True)
class Figures:
    """Resources that one unit takes, or all units together.

    Attributes:
        dsp: DSP48E1.
        bram18: half block RAMs of 18 Kb.
        lut: sites of look-up tables, memories and shift registers made of them included, and those
            that only lead a signal to a carry chain.
        ff: flip-flops.
    """

    dsp: int = 0
    bram18: int = 0
    lut: int = 0
    ff: int = 0

    @property
    def bram36(self) -> float:
        """Block RAMs of 36 Kb; a half counts half."""
        return self.bram18 / 2

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, times: int) -> Figures:
        return Figures(*(getattr(self, f.name) * times for f in fields(self)))


def count_cells(module: Mapping[str, Any], boxes: Collection[str]) -> Figures:
    """Return the figures of a module of a JSON netlist; ``boxes`` are counted elsewhere.

    Raises:
        SynthesisError: there are cells that are no primitives of the part.
    """
    cells = module["cells"].values()
    kinds = Counter(cell["type"] for cell in cells if cell["type"] not in boxes)
    known = {*_LUT_SITES, *_FLIP_FLOPS, *_FREE, "DSP48E1", "RAMB18E1", "RAMB36E1"}
    unknown = sorted(kinds.keys() - known)
    if unknown:
        raise SynthesisError(f"cells that the part does not have: {', '.join(unknown)}")
    return Figures(
        dsp=kinds["DSP48E1"],
        bram18=2 * kinds["RAMB36E1"] + kinds["RAMB18E1"],
        lut=sum(_LUT_SITES.get(kind, 0) * number for kind, number in kinds.items())
        + _ways_to_carry(module),
        ff=sum(kinds[kind] for kind in _FLIP_FLOPS),
    )


def largest_fanout(module: Mapping[str, Any], clock: str) -> int:
    """Return the number of inputs that a net of a JSON netlist leads to, at most; the clock aside.

    Args:
        module: the module, flat.
        clock: the port of the clock.
    """
    clocks = set(module["ports"][clock]["bits"])
    loads = Counter(
        bit
        for cell in module["cells"].values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "input"
        for bit in bits
        if isinstance(bit, int) and bit not in clocks
    )
    return max(loads.values(), default=0)


def _ways_to_carry(module: Mapping[str, Any]) -> int:
    """Count the inputs of carry chains that no table drives: each takes a table all the same."""
    cells = module["cells"].values()
    driven = {bit for cell in cells if cell["type"] in _TABLES for bit in cell["connections"]["O"]}
    return sum(
        isinstance(bit, int) and bit not in driven
        for cell in cells
        if cell["type"] == "CARRY4"
        for bit in cell["connections"]["S"]
    )
