"""``python -m benchmarks.settings_tables``: what the papers' systems do at run-time settings.

From ``settings.json``, and the references in ``papers.json``, it writes the tables between its
marks in ``docs/papers.md``, and ``docs/papers-settings.svg``: the MACs and cycles that skipping
saves at every point, a line for each system and knob.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from acsgen.flow.baseline import load_baseline
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of
from benchmarks.papers import ROWS
from benchmarks.papers_tables import COLOURS, ROOT, header, percent, recorded, row, saved
from benchmarks.settings import COMMAND, FILE
from benchmarks.square import LEFT, SIDE, TOP, Square

BEGIN = "<!-- settings:begin (written by `python -m benchmarks.settings_tables`, never by hand) -->"
END = "<!-- settings:end -->"
PAGE = ROOT / "docs" / "papers.md"
FIGURE = ROOT / "docs" / "papers-settings.svg"

#: Share of the twin's MACs that skipping has to save for a ratio: below it, both shares are small
#: differences, and a fixed cost of some hundred cycles is all that the ratio shows.
LEAST_SAVED = 0.03

_POINTS = (
    "system",
    "knob",
    "MACs saved",
    "cycles saved, RTL",
    "HLS",
    "skipping alone: MACs",
    "RTL cycles over MACs, point by point",
    "HLS",
    "gates, branches: MACs / cycles",
)
_DRAWN = (
    "system",
    "settings",
    "different masks",
    "answers",
    "budgets in MACs: most used",
    "in cycles: most used",
    "values compared",
)
_KNOBS = {"alpha": "thresholds", "entropy": "entropies", "budget": "budgets"}


@dataclass(frozen=True)
class Point:
    """Shares that a network saves at one setting, of its static twin.

    Attributes:
        value: of the knob.
        macs: MACs saved, the work of gates and branches counted against the network.
        cycles: likewise cycles of the RTL engine.
        cycles_hls: likewise of the HLS engine.
        skipped: MACs saved of the network that skips nothing, over the twin's.
        skipped_cycles: likewise cycles of the RTL engine.
        skipped_cycles_hls: likewise of the HLS engine.
    """

    value: float
    macs: float
    cycles: float
    cycles_hls: float
    skipped: float
    skipped_cycles: float
    skipped_cycles_hls: float

    @property
    def ratio(self) -> float | None:
        """RTL cycles that skipping saves, of those that the skipped MACs cost; None where next to
        nothing is skipped."""
        return self._over(self.skipped_cycles)

    @property
    def ratio_hls(self) -> float | None:
        """The same of the HLS engine."""
        return self._over(self.skipped_cycles_hls)

    def _over(self, cycles: float) -> float | None:
        return cycles / self.skipped if self.skipped >= LEAST_SAVED else None


def measured() -> dict[str, Any]:
    """Entries by model file, in the order of the rows."""
    found = load_baseline(FILE, COMMAND)
    return {name: found[name] for name in ROWS if name in found}


def points(entry: dict[str, Any], papers_entry: dict[str, Any]) -> dict[str, list[Point]]:
    """The points of an entry by knob, at rising savings as they were measured.

    Args:
        entry: of ``settings.json``.
        papers_entry: the one of the same row in ``papers.json``, which has the references.
    """
    rtl, hls = papers_entry["rtl"], papers_entry["hls"]
    dense, opened = rtl["dense"], rtl["open"]
    hls_dense, hls_opened = hls["dense"]["cycles"], hls["open"]["cycles"]
    return {
        knob: [
            Point(
                value=point["value"],
                macs=1 - point["macs"] / dense["macs"],
                cycles=1 - point["cycles"] / dense["cycles"],
                cycles_hls=1 - point["cycles_hls"] / hls_dense,
                skipped=(opened["macs"] - point["macs"]) / dense["macs"],
                skipped_cycles=(opened["cycles"] - point["cycles"]) / dense["cycles"],
                skipped_cycles_hls=(hls_opened - point["cycles_hls"]) / hls_dense,
            )
            for point in found
        ]
        for knob, found in entry["points"].items()
    }


def table() -> str:
    """Markdown tables: the points of every row, and what was drawn at random."""
    entries, references = measured(), recorded()
    lines = [*header(_POINTS, words=2)]
    for name, reference in references.items():
        if name in entries:
            for knob, found in points(entries[name], reference).items():
                lines.append(row(_of_points(ROWS[name].system, knob, found, reference)))
        elif "open" not in reference["rtl"]:
            lines.append(row(_of_fixed(ROWS[name].system, reference)))
    lines += ["", *header(_DRAWN, words=1)]
    lines += [row(_of_drawn(ROWS[name].system, entry["drawn"])) for name, entry in entries.items()]
    return "\n".join(lines)


def _of_points(
    system: str, knob: str, found: list[Point], reference: dict[str, Any]
) -> Iterator[str]:
    gates = saved(reference)
    values = [point.value for point in found]
    shown = [f"{value / 1e6:.1f}" if knob == "budget" else f"{value:g}" for value in values]
    unit = {"alpha": "", "entropy": " nats", "budget": " M MACs"}[knob]
    yield system
    yield f"{_KNOBS[knob]} {shown[0]} to {shown[-1]}{unit}"
    yield _range([point.macs for point in found])
    yield _range([point.cycles for point in found])
    yield _range([point.cycles_hls for point in found])
    yield _range([point.skipped for point in found])
    yield _ratios([point.ratio for point in found])
    yield _ratios([point.ratio_hls for point in found])
    yield f"{percent(gates.gate_macs)} / {percent(gates.gate_cycles)}"


def _of_fixed(system: str, reference: dict[str, Any]) -> Iterator[str]:
    found = saved(reference)
    assert found.ratio is not None
    yield system
    yield "none: masks are fixed"
    yield percent(found.macs)
    yield percent(found.cycles)
    yield percent(found.cycles_hls)
    yield percent(found.macs)
    yield f"{found.ratio:.2f}"
    yield f"{found.cycles_hls / found.macs:.2f}"
    yield "–"


def _of_drawn(system: str, drawn: dict[str, Any]) -> Iterator[str]:
    yield system
    yield str(drawn["settings"])
    yield str(drawn["masks"])
    yield str(drawn["answers"])
    for kind in ("macs", "cycles"):
        budget = drawn["budgets"].get(kind)
        yield ("–" if budget is None else f"{budget['settings']}: {percent(budget['most_used'])}")
    yield f"{drawn['compared'] / 1e6:.1f} M"


def _range(shares: list[float]) -> str:
    # The sum with zero takes the sign of a zero away.
    return f"{round(100 * min(shares), 1) + 0.0:.1f} to {percent(max(shares))}"


def _ratios(ratios: list[float | None]) -> str:
    return " ".join("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios)


#: Lines, by knob.
_DASHES = {"alpha": "", "entropy": ' stroke-dasharray="2 3"', "budget": ' stroke-dasharray="7 4"'}


def svg() -> str:
    """Return the plot."""
    references = recorded()
    square = Square(0.0, 0.9, width=700)
    lines = square.frame("Cycles against MACs that skipping saves, at several settings, in RTL")
    left = LEFT + SIDE + 24
    outside: dict[str, int] = {}
    for number, (name, entry) in enumerate(measured().items()):
        system = ROWS[name].system
        colour = COLOURS[system.replace(",", " ").split()[0]]
        for knob, found in points(entry, references[name]).items():
            shown = [p for p in found if max(p.skipped, p.skipped_cycles) <= square.high]
            if len(shown) < len(found):
                outside[system] = outside.get(system, 0) + len(found) - len(shown)
            places = [
                (square.x(point.skipped), square.y(point.skipped_cycles), point)
                for point in sorted(shown, key=lambda point: point.skipped)
            ]
            path = "L".join(f"{x} {y}" for x, y, _ in places)
            lines.append(f'<path d="M{path}" fill="none" stroke="{colour}"{_DASHES[knob]}/>')
            for x, y, point in places:
                lines.append(
                    f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}" fill-opacity="0.7">'
                    f"<title>{system}, {_KNOBS[knob]} {point.value:g}: skipping saves "
                    f"{percent(point.skipped)} of MACs, {percent(point.skipped_cycles)} of cycles"
                    "</title></circle>"
                )
        at = TOP + 10 + 17 * number
        lines += [
            f'<circle cx="{left}" cy="{at}" r="5" fill="{colour}"/>',
            f'<text x="{left + 14}" y="{at + 4}" fill="#111827">{system}</text>',
        ]
    notes = [f"({system}: {count} points beyond the axes)" for system, count in outside.items()]
    at = TOP + 10 + 17 * (len(measured()) + 1)
    for knob, dash in _DASHES.items():
        lines += [
            f'<path d="M{left - 6} {at - 4}h28" stroke="#374151"{dash}/>',
            f'<text x="{left + 30}" y="{at}" fill="#374151">{_KNOBS[knob]}</text>',
        ]
        at += 16
    lines += [
        f'<text x="{left - 6}" y="{at + 16 * line}" fill="#374151">{text}</text>'
        for line, text in enumerate(notes)
    ]
    lines += square.axes(
        "MACs that skipping saves, % of the static twin's", "cycles, % (RTL simulation)"
    )
    return "\n".join(lines) + "\n"


def update() -> None:
    """Write the tables and the plot."""
    replace_marked(PAGE, BEGIN, END, table())
    FIGURE.write_text(svg(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(status_of(update))
