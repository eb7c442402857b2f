"""The file of an external meter: time, volts, amperes or watts, as its program exports them."""

from __future__ import annotations

import csv
import math
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Sequence

import numpy as np

from ..errors import PowerError, Problem
from ..files import read_file
from .trace import SourceInfo, Trace, make_trace

#: Beginnings of a column's title, in small letters, by what the column holds.
TITLES = {
    "time": ("time", "timestamp", "t", "seconds", "date", "datetime"),
    "volts": ("volt", "volts", "voltage", "v", "u", "vbus", "bus voltage"),
    "amps": ("amp", "amps", "amperes", "current", "a", "i", "ibus"),
    "watts": ("watt", "watts", "power", "w", "p"),
}

#: What a unit in a title makes of a number.
PREFIXES = {"m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9, "k": 1e3}


class _Column(NamedTuple):
    place: int
    factor: float


def read_csv(path: str | Path, columns: Sequence[str] = (), scope: str = "") -> Trace:
    """Return the trace of a file, its time in seconds from the first row.

    Args:
        path: the file; comma, semicolon or tabulator between columns.
        columns: meaning of the columns from the left: time, volts, amps, watts or skip; found from
            the titles if empty.
        scope: what the meter measured.

    Raises :class:`PowerError` for a file without time and power.
    """
    place = Path(path)
    try:
        text = read_file(place).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise PowerError(
            Problem(str(place), f"cannot be read: {error.strerror}", "export it from the meter")
        ) from error
    rows = [row for row in _rows(text) if row]
    first = next((n for n, row in enumerate(rows) if _is_data(row)), len(rows))
    found = _columns(rows[first - 1] if first else [], columns)
    missing = "time" not in found or not ("watts" in found or {"volts", "amps"} <= set(found))
    if missing or first == len(rows):
        titles = ", ".join(rows[first - 1]) if first else "no titles"
        raise PowerError(
            Problem(
                str(place),
                f"has no time, or neither watts nor volts and amperes; its titles: {titles}",
                "say what the columns are: columns=time+volts+amps",
            )
        )
    time, watts = [], []
    for row in rows[first:]:
        values = {name: _value(row, column) for name, column in found.items()}
        power = values.get("watts")
        if power is None:
            power = values["volts"] * values["amps"]
        time.append(values["time"])
        watts.append(power)
    info = SourceInfo(f"file {place.name}", scope or "what the meter measured")
    trace = make_trace(time, watts, info)
    return trace._replace(time=trace.time - trace.time[0])


def _rows(text: str) -> list[list[str]]:
    head = "\n".join(text.splitlines()[:20])
    # A comma may also be that of a number.
    delimiter = next((mark for mark in "\t;" if mark in head), ",")
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    # With a semicolon between columns, a comma is that of a number.
    comma = delimiter != ","
    return [[cell.strip().replace(",", ".") if comma else cell.strip() for cell in r] for r in rows]


def _is_data(row: list[str]) -> bool:
    return len(row) > 1 and all(not math.isnan(_number(cell)) for cell in row[:2])


def _columns(titles: list[str], given: Sequence[str]) -> dict[str, _Column]:
    if given:
        return {name: _Column(n, 1.0) for n, name in enumerate(given) if name != "skip"}
    found: dict[str, _Column] = {}
    for place, title in enumerate(titles):
        words = re.match(r"\s*([^\[(]*?)\s*(?:[\[(]\s*(\S+?)\s*[\])])?\s*$", title)
        if words is None:
            continue
        name, unit = words.group(1).lower().replace("_", " "), words.group(2) or ""
        for kind, stems in TITLES.items():
            if kind not in found and (name in stems or name.split(" ")[0] in stems):
                prefix = unit[0] if len(unit) > 1 and unit[1:] in ("V", "A", "W", "s") else ""
                found[kind] = _Column(place, PREFIXES.get(prefix, 1.0))
    return found


def _value(row: list[str], column: _Column) -> float:
    return column.factor * _number(row[column.place]) if column.place < len(row) else math.nan


def _number(cell: str) -> float:
    """Return a number, or a date or a time of day in seconds; not-a-number for anything else."""
    try:
        return float(cell)
    except ValueError:
        pass
    # Before Python 3.11, fromisoformat takes a fraction of three or six digits alone.
    date = re.fullmatch(r"(\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d)(\.\d+)?Z?", cell)
    if date is not None:
        try:
            whole = datetime.fromisoformat(date.group(1).replace("/", "-"))
        except ValueError:
            return math.nan
        return whole.timestamp() + float(date.group(2) or 0)
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", cell)
    if clock is None:
        return math.nan
    hours, minutes, seconds = clock.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def resample(trace: Trace, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean power in bins of ``step`` seconds from the first sample on.

    Times are the middles of the bins; a bin without a sample gets what lies between its neighbours.
    """
    edges = np.arange(trace.time[0], trace.time[-1], step)
    energy = np.interp(edges, trace.time, cumulative(trace))
    return (edges[1:] + edges[:-1]) / 2, np.diff(energy) / step


def cumulative(trace: Trace) -> np.ndarray:
    """Return the energy in joules from the first sample to each, ``[N]``."""
    steps = np.diff(trace.time) * (trace.watts[1:] + trace.watts[:-1]) / 2
    return np.concatenate(([0.0], np.cumsum(steps)))
