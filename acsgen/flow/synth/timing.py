"""The engine's units on an ECP5, and the record of figures in ``benchmarks/timing.json``.

The file has ``tools`` (versions and part) and ``units``: by name, ``mhz``, the limiting ``path``,
and ``netlist``, a digest that says which unit was measured. Of the whole engine it has ``engine``,
with ``packed``, ``placed`` and ``routed``, and ``abc9``: ``ns`` and ``mhz``, the slowest ``paths``,
``netlist``, ``figures`` of the part, and ``worth``, which says what kind of estimate this is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from acsgen.emit.rtl_sources import TOP
from acsgen.flow import baseline as file
from acsgen.flow.baseline import Baseline
from acsgen.flow.synth.ecp5 import (
    DEVICE_NAME,
    OF_ECP5,
    UnitTiming,
    nextpnr_version,
    place_and_route,
)
from acsgen.flow.synth.units import Unit, elaborate, top_unit
from acsgen.flow.synth.whole import WORTH, WholeTiming
from acsgen.flow.synth.yosys import yosys_version
from acsgen.program.engine_config import EngineConfig
from acsgen.support.errors import Problem, UserError

#: Units that would not be through in an hour are placed at their smallest size.
SMALLEST: Mapping[str, Mapping[str, int]] = {
    "acs_array": {"LaneGroups": 1, "FeatureBlocks": 512, "BankWords": 512},
    "acs_post": {"LaneGroups": 1, "PostLanes": 4},
}

#: Parts of units that are placed by themselves too, so that a large unit does not hide them.
PARTS = ("acs_axi_read", "acs_axi_write", "acs_bus_guard", "acs_items")

#: The whole; what only wires ``acs_array`` and a small unit together; and plain memories.
_LEFT_OUT = frozenset({TOP, "acs_features", "acs_bank"})


def timed_units(engine: EngineConfig, only: Iterable[str] = ()) -> dict[Unit, str]:
    """Return the units that are placed, each with the digest of its netlist.

    The digest is of the unit as it is in ``engine`` on this part, with the units inside of it left
    out; a change of these changes their own digest.

    Args:
        engine: the engine that they are of.
        only: names of modules, or patterns of such; default all.

    Raises:
        UserError: a pattern matches no unit.
    """
    found = {}
    for unit, elaborated in elaborate(top_unit(engine, OF_ECP5)).items():
        if unit.module in _LEFT_OUT:
            continue
        sizes = {**dict(unit.parameters), **SMALLEST.get(unit.module, {})}
        found[Unit(unit.module, tuple(sorted(sizes.items())))] = elaborated.digest
    for module in PARTS:
        unit = Unit(module, ())
        found[unit] = elaborate(unit)[unit].digest
    patterns = list(only)
    names = sorted({unit.module for unit in found})
    unknown = [p for p in patterns if not any(fnmatch(name, p) for name in names)]
    if unknown:
        raise UserError(
            *(
                Problem(f"--only {pattern}", "matches no unit", f"the units: {', '.join(names)}")
                for pattern in unknown
            )
        )
    return {
        unit: digest
        for unit, digest in sorted(found.items(), key=lambda item: str(item[0]))
        if not patterns or any(fnmatch(unit.module, pattern) for pattern in patterns)
    }


def time_units(
    units: Iterable[Unit], on_stage: Callable[[str], None] = lambda _: None
) -> dict[Unit, UnitTiming]:
    """Place and route each of ``units``, one after the other.

    Raises:
        SynthesisError: a tool refused a unit.
        UserError: a tool is not installed.
    """
    result = {}
    for unit in units:
        on_stage(f"place and route {unit.module}")
        result[unit] = place_and_route(unit)
    return result


def tools() -> dict[str, str]:
    """Return the versions of the tools, and the part."""
    return {"yosys": yosys_version(), "nextpnr": nextpnr_version(), "part": DEVICE_NAME}


def load_timing(path: Path) -> Baseline:
    """Return the recorded figures; see :func:`acsgen.flow.baseline.load_baseline`."""
    return file.load_baseline(path, "acsgen synth --timing")


def save_timing(
    path: Path,
    baseline: Baseline,
    units: Mapping[Unit, str],
    found: Mapping[Unit, UnitTiming],
    *,
    complete: bool = False,
) -> None:
    """Write ``baseline`` with the figures found in place of those of the same units.

    Args:
        path: the file.
        baseline: what it had.
        units: the digests of the units' netlists.
        found: the figures.
        complete: whether ``found`` has all units of the engine; rows of others are then left out.
    """
    content = _kept(baseline)
    kept = {} if complete else content["units"]
    content["units"] = kept | {str(unit): _row(found[unit], units[unit]) for unit in found}
    file.save_baseline(path, content, sort_keys=True)


def save_whole(path: Path, baseline: Baseline, kind: str, found: WholeTiming) -> None:
    """Write ``baseline`` with the figures of the whole engine in place of those of this kind."""
    content = _kept(baseline)
    row = {
        "ns": found.ns,
        "mhz": found.mhz,
        "paths": list(found.paths),
        "netlist": found.netlist,
        "figures": dict(found.figures),
        "worth": WORTH[kind],
    }
    if kind == "abc9":
        content["abc9"] = row
    else:
        content["engine"] = content.get("engine", {}) | {kind: row}
    file.save_baseline(path, content, sort_keys=True)


def compare_whole(baseline: Baseline, kind: str, found: WholeTiming) -> list[str]:
    """Return in words how the figures of the whole engine differ from the recorded ones."""
    kept = recorded_whole(baseline, kind)
    if kept is None:
        return [f"{kind}: no baseline"]
    figures = {"ns": found.ns, "mhz": found.mhz} | dict(found.figures)
    table = file.FigureTable(
        {kind: {"ns": kept["ns"], "mhz": kept["mhz"]} | kept["figures"]}, baseline.get("tools", {})
    )
    return file.differences("timing", table, file.FigureTable({kind: figures}, tools()))


def recorded_whole(baseline: Baseline, kind: str) -> dict[str, Any] | None:
    """Return the recorded figures of the whole engine, if there are any."""
    found = baseline.get("abc9") if kind == "abc9" else baseline.get("engine", {}).get(kind)
    return None if found is None else dict(found)


def compare_timing(baseline: Baseline, found: Mapping[Unit, UnitTiming]) -> list[str]:
    """Return in words every difference from the baseline: placement is the same every time."""
    kept = baseline.get("units")
    rows = {str(unit): {"mhz": timing.mhz} for unit, timing in found.items()}
    table = None if kept is None else file.FigureTable(kept, baseline.get("tools", {}))
    return file.differences("timing", table, file.FigureTable(rows, tools()), complete=False)


def stale_units(baseline: Baseline, units: Mapping[Unit, str]) -> list[str]:
    """Return in words the units whose figures are of another netlist, or missing."""
    kept = baseline.get("units", {})
    return [
        f"{unit}: no figures of it as it is"
        for unit, digest in units.items()
        if kept.get(str(unit), {}).get("netlist") != digest
    ]


def _kept(baseline: Baseline) -> Baseline:
    """Return what stays of a baseline: all that these tools found."""
    same = baseline.get("tools") == tools()
    kept = {key: dict(entry) for key, entry in baseline.items()} if same else {}
    return {"units": {}} | kept | {"tools": tools()}


def _row(timing: UnitTiming, digest: str) -> dict[str, Any]:
    return {"mhz": timing.mhz, "path": timing.path, "netlist": digest}
