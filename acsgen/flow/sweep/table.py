"""The table of a sweep, ``results.csv``: a row for each point, whatever came of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.flow.sweep.figures import COLUMNS
from acsgen.flow.sweep.plan import Point, SweepPlan
from acsgen.flow.sweep.state import Record
from acsgen.support.fsutil import write_whole

TABLE_FILE = "results.csv"

#: The status of a point that was not tried yet.
OPEN = "open"

#: Columns before the axes and the figures, and behind them.
_FIRST = ("point", "status", "reason")
_LAST = ("remarks", "train_command", "build_command")


@dataclass(frozen=True)
class Row:
    """A point, and what came of it so far.

    Attributes:
        point: the point.
        record: the outcome; None for one that was not tried yet.
        train_command: trains its network again; empty for a model file.
    """

    point: Point
    record: Record | None
    train_command: str

    @property
    def done(self) -> bool:
        """Whether it has figures."""
        return self.record is not None and self.record.status == "done"

    def figure(self, name: str) -> Any:
        """A figure; None where there is none."""
        return self.record.figures.get(name) if self.record is not None else None

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON; the columns of the table and their values."""
        record = self.record
        return {
            "point": self.point.key,
            "status": OPEN if record is None else record.status,
            "reason": "" if record is None else record.reason,
            **self.point.values,
            **{name: self.figure(name) for name in COLUMNS},
            "remarks": "" if record is None else "; ".join(record.remarks),
            "train_command": self.train_command,
            "build_command": self.point.build_command,
        }

    @staticmethod
    def said(record: Record) -> str:
        """The outcome in a few words."""
        if record.status != "done":
            return f"{record.status}: {record.reason}"
        words = []
        accuracy = record.figures.get("accuracy_int8")
        if isinstance(accuracy, float):
            words.append(f"accuracy {100 * accuracy:.2f} %")
        for name in ("hls", "rtl"):
            milliseconds = record.figures.get(f"simulated_{name}_ms")
            if isinstance(milliseconds, float):
                words.append(
                    f"{milliseconds:.3f} ms at the assumed clock, simulated, {name.upper()}"
                )
        return ", ".join(words)


def columns(plan: SweepPlan) -> tuple[str, ...]:
    """The names of the columns."""
    return (*_FIRST, *(axis.key for axis in plan.space.axes), *COLUMNS, *_LAST)


def write_table(folder: Path, plan: SweepPlan, rows: Sequence[Row]) -> Path:
    """Write the table, whole.

    Raises:
        UserError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns(plan), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row.as_dict())
    target = folder / TABLE_FILE
    # Commands are to be run again, with the very bytes of the names in them.
    write_whole(target, text.getvalue().encode("utf-8", "surrogateescape"))
    return target
