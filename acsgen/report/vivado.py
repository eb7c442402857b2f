"""Reads Vivado's reports of a routed design: ``report_utilization`` and ``report_timing_summary``.

Both are tables in text.  Versions differ in columns and in the names of rows (``Slice LUTs`` on
7 series, ``CLB LUTs`` on UltraScale+), so that columns are found by their headers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from acsgen.support.errors import Problem, UserError
from acsgen.support.user_files import read_limited

#: Larger files are no reports of this kind.
_MAX_BYTES = 64 * 2**20

#: Resources, each with the names of its row.
_ROWS = {
    "lut": ("Slice LUTs", "CLB LUTs"),
    "ff": ("Slice Registers", "CLB Registers", "Register as Flip Flop"),
    "bram36": ("Block RAM Tile",),
    "dsp": ("DSPs",),
    "uram": ("URAM",),
}

#: The design has these on every part.
_REQUIRED = ("lut", "ff", "bram36", "dsp")


@dataclass(frozen=True)
class PlacedResources:
    """Resources that a placed design takes, as Vivado counts them.

    Attributes:
        dsp: DSP slices.
        bram36: block RAMs of 36 Kb; a half is one of 18 Kb.
        lut: look-up tables.
        ff: flip-flops.
        uram: UltraRAMs of 288 Kb.
    """

    dsp: int
    bram36: float
    lut: int
    ff: int
    uram: int = 0


@dataclass(frozen=True)
class TimingSummary:
    """Slack of a routed design; negative where the design is too slow.

    Attributes:
        wns_ns: worst slack of setup.
        whs_ns: worst slack of hold.
        wpws_ns: worst slack of pulse widths.
        periods_ns: of every clock, by its name.
    """

    wns_ns: float
    whs_ns: float
    wpws_ns: float
    periods_ns: dict[str, float]


def read_utilization(path: Path) -> PlacedResources:
    """Return the resources of ``report_utilization``.

    Raises:
        UserError: the file cannot be read, or is no such report.
    """
    found: dict[str, float] = {}
    used = -1
    for line in _read(path).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if "Used" in cells and cells[0] == "Site Type":
            used = cells.index("Used")
        elif 0 < used < len(cells):
            # A footnote is marked by an asterisk.
            name = cells[0].rstrip("*")
            for resource, rows in _ROWS.items():
                if name in rows and resource not in found and _is_number(cells[used]):
                    found[resource] = float(cells[used])
    missing = [_ROWS[name][0] for name in _REQUIRED if name not in found]
    if missing:
        raise UserError(
            Problem(
                str(path),
                f"is no report of utilization: it has no row {', '.join(missing)}",
                "name a file that report_utilization wrote",
            )
        )
    return PlacedResources(
        dsp=int(found["dsp"]),
        bram36=found["bram36"],
        lut=int(found["lut"]),
        ff=int(found["ff"]),
        uram=int(found.get("uram", 0)),
    )


def read_timing(path: Path) -> TimingSummary:
    """Return the slack of ``report_timing_summary``.

    Raises:
        UserError: the file cannot be read, is no such report, or the design has no constraint.
    """
    lines = _read(path).splitlines()
    values: list[str] = []
    headers: list[str] = []
    for number, line in enumerate(lines):
        if "WNS(ns)" in line and "WHS(ns)" in line:
            headers = re.split(r"\s{2,}", line.strip())
            values = lines[number + 2].split() if number + 2 < len(lines) else []
            break
    slack = dict(zip(headers, values, strict=False))
    wanted = ("WNS(ns)", "WHS(ns)", "WPWS(ns)")
    wrong = [name for name in wanted if not _is_number(slack.get(name, ""))]
    if wrong:
        shown = ", ".join(f"{name} is {slack.get(name, 'missing')}" for name in wrong)
        raise UserError(
            Problem(
                str(path),
                f"has no slack: {shown}",
                "name a file that report_timing_summary wrote of a design with a clock constraint",
            )
        )
    wns, whs, wpws = (float(slack[name]) for name in wanted)
    return TimingSummary(wns, whs, wpws, _periods(lines))


def _periods(lines: list[str]) -> dict[str, float]:
    """Return the clocks of the table behind ``Clock Summary``."""
    periods: dict[str, float] = {}
    starts = [n for n, line in enumerate(lines) if re.match(r"Clock\s+Waveform\(ns\)", line)]
    for line in lines[starts[0] + 2 :] if starts else ():
        row = re.match(r"\s*(\S+)\s+\{[^}]*\}\s+([0-9.]+)\s+[0-9.]+", line)
        if row is None:
            break
        periods[row[1]] = float(row[2])
    return periods


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _read(path: Path) -> str:
    too_long = Problem(str(path), "is too large for a report", "name a report of Vivado")
    return read_limited(path, _MAX_BYTES, too_long).decode("utf-8", errors="replace")
