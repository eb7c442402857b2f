"""Mean work by strictness: the table, and the choice from it.

The engine has no budget register yet, so nothing stops an image that needs more than its share.
Only the strictness of the gates can be set; the mean work over images like those of the table is
then known beforehand.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from .arguments import number, shown
from .errors import InputError, Problem


class BudgetPoint(NamedTuple):
    """One strictness, measured.

    Attributes:
        strictness: 0 opens all gates, 0.5 is as trained, 1 closes all.
        macs_mean: the engine's counter ``macs_executed``, mean over the images.
        macs_max: its largest value.
        accuracy: share of right predictions; None without labels.
    """

    strictness: float
    macs_mean: float
    macs_max: int
    accuracy: float | None


class BudgetProfile(NamedTuple):
    """Points by rising strictness, each over the same images.

    Attributes:
        images: how many.
        source: the origin of the images, and the way of the measurement.
        points: at least one.
    """

    images: int
    source: str
    points: tuple[BudgetPoint, ...]

    def choose(self, macs: float) -> BudgetPoint:
        """Return the least strict point whose mean is within ``macs``.

        Raises :class:`InputError` if there is none; it says how much is needed.
        """
        wanted = number(macs)
        if math.isnan(wanted):
            what = f"must be a number of MACs an image, not {shown(macs)}"
            raise InputError(Problem("budget", what, "5e6 are five million"))
        for point in self.points:
            if point.macs_mean <= wanted:
                return point
        # Where early exits end runs, closed gates may make runs longer.
        least = min(self.points, key=lambda point: point.macs_mean)
        raise InputError(
            Problem(
                "budget",
                f"{wanted:.0f} MACs an image are less than any strictness takes",
                f"at least {math.ceil(least.macs_mean)} are needed: the mean of the profile's "
                f"{self.images} images at strictness {least.strictness:g}, the lowest measured",
            )
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BudgetProfile:
        """Return the profile in a build's ``budget.json``; a ValueError where it is none."""
        points = tuple(
            BudgetPoint(
                float(point["strictness"]),
                float(point["macs_mean"]),
                int(point["macs_max"]),
                None if point["accuracy"] is None else float(point["accuracy"]),
            )
            for point in data["points"]
        )
        strictness = [point.strictness for point in points]
        if not points or strictness != sorted(set(strictness)):
            raise ValueError("no points, or not by rising strictness")
        if strictness[0] < 0 or strictness[-1] > 1:
            raise ValueError("a strictness outside [0, 1]")
        return cls(int(data["images"]), str(data["source"]), points)

    def save(self, path: str | Path) -> None:
        """Write the profile as :meth:`from_json` reads it; in a bundle, as ``budget.json``."""
        points = [point._asdict() for point in self.points]
        data = {"images": self.images, "source": self.source, "points": points}
        # Whole or not at all: a board loses power at any time.
        partial = Path(str(path) + ".partial")
        partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
