"""Takes the engine apart into units, each of which is synthesized once.

The engine has the same module many times over (lane groups, memory banks, requantizers), and
logic synthesis takes more than twice as long for twice the logic.  So the modules below, and those
that the top module instantiates, are synthesized by themselves and counted as often as they occur.
Nothing is optimized across their borders: figures are upper bounds of those of the whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.emit.rtl_sources import OF_THE_PART, PACKAGES, TOP, rtl_sources
from acsgen.emit.rtl_sources import parameters as top_parameters
from acsgen.flow.synth.yosys import read_command, run_yosys
from acsgen.program.engine_config import EngineConfig

#: Modules deeper in the hierarchy that are units too.
APART = frozenset(
    {
        "acs_array",
        "acs_bank",
        "acs_check",
        "acs_lane_group",
        "acs_linear",
        "acs_requantize",
        "acs_window_shift",
    }
)

#: Modules that stay a part of their parent, whose constants make them much smaller.
DISSOLVED: Mapping[str, frozenset[str]] = {"acs_linear": frozenset({"acs_requantize"})}

_PARAMETER = re.compile(r"^\s*parameter\s+.*?(\w+)\s*=", re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """A module with its parameters, in the order of their names."""

    module: str
    parameters: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.module}({values})" if values else self.module

    def boxes(self) -> frozenset[str]:
        """Return the modules that are not synthesized with this one."""
        if self.module == TOP:
            return frozenset(modules()) - {TOP}
        return APART - {self.module} - DISSOLVED.get(self.module, frozenset())


@dataclass(frozen=True)
class Elaborated:
    """A unit as read.

    Attributes:
        children: units that it holds, with the number of instances of each.
        digest: of the netlist before synthesis; equal netlists give equal results.
        size: cells of that netlist, for a guess at the time that synthesis takes.
        box_parameters: names of the parameters that its children's cells carry.
    """

    children: Mapping[Unit, int]
    digest: str
    size: int
    box_parameters: frozenset[str]


def modules() -> dict[str, frozenset[str]]:
    """Return the names of all modules, each with the names of its parameters."""
    return {
        path.stem: frozenset(_PARAMETER.findall(path.read_text(encoding="utf-8")))
        for path in rtl_sources()
        if path.name not in PACKAGES
    }


def top_unit(engine: EngineConfig, part: Mapping[str, int] = OF_THE_PART) -> Unit:
    """Return the whole engine, for parts of the boards or for another ``part``."""
    return Unit(TOP, tuple(sorted({**top_parameters(engine), **part}.items())))


def elaborate(top: Unit) -> dict[Unit, Elaborated]:
    """Return ``top`` and every unit in it."""
    found: dict[Unit, Elaborated] = {}
    wanted = [top]
    while wanted:
        for unit, elaborated in zip(wanted, _elaborate(wanted), strict=True):
            found[unit] = elaborated
        children = {child for unit in wanted for child in found[unit].children}
        wanted = sorted(children - found.keys(), key=str)
    return found


def occurrences(top: Unit, elaborated: Mapping[Unit, Elaborated]) -> Counter[Unit]:
    """Return how often each unit is in ``top``."""
    total: Counter[Unit] = Counter()

    def count(unit: Unit, times: int) -> None:
        total[unit] += times
        for child, number in elaborated[unit].children.items():
            count(child, times * number)

    count(top, 1)
    return total


def _elaborate(units: Sequence[Unit]) -> list[Elaborated]:
    declared = modules()
    with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
        files = [Path(scratch) / f"{number}.json" for number in range(len(units))]
        scripts = [
            [
                read_command(rtl_sources(), unit.module, unit.parameters, unit.boxes()),
                # Equal logic in other lines of the sources has to give the same digest.
                "setattr -unset src *",
                "rename -enumerate -pattern n% *",
                f'write_json "{file}"',
            ]
            for unit, file in zip(units, files, strict=True)
        ]
        run_yosys(scripts, rtl_sources()[0].parent)
        return [
            _read(json.loads(file.read_text(encoding="utf-8")), unit, declared)
            for unit, file in zip(units, files, strict=True)
        ]


def _read(
    netlist: dict[str, Any], unit: Unit, declared: Mapping[str, frozenset[str]]
) -> Elaborated:
    cells = netlist["modules"][unit.module]["cells"].values()
    children = Counter(
        Unit(
            cell["type"],
            tuple(
                sorted(
                    (name, int(value, 2))
                    for name, value in cell["parameters"].items()
                    if name in declared[cell["type"]]
                )
            ),
        )
        for cell in cells
        if cell["type"] in declared
    )
    text = json.dumps(netlist["modules"][unit.module], sort_keys=True)
    digest = hashlib.sha256(f"{unit} {text}".encode()).hexdigest()[:20]
    carried = {name for c in cells if c["type"] in declared for name in c["parameters"]}
    return Elaborated(dict(children), digest, len(cells), frozenset(carried))
