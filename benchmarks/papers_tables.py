"""``python -m benchmarks.papers_tables``: tables and figure of the papers' systems.

From ``papers.json`` it writes the tables between the marks of ``docs/papers.md`` and of
``models/README.md``, and ``docs/papers-macs-cycles.svg``: each network has a disc, at the MACs and
the cycles that it saves of its static twin, and a ring where the work of gates and of branch
classifiers counts on neither side.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.flow.baseline import load_baseline
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of
from benchmarks.papers import COMMAND, FILE, ROWS, model_file
from benchmarks.square import LEFT, SIDE, TOP, Square

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- papers:begin (written by `python -m benchmarks.papers_tables`, never by hand) -->"
END = "<!-- papers:end -->"
PAGES = (ROOT / "docs" / "papers.md", ROOT / "models" / "README.md")
FIGURE = ROOT / "docs" / "papers-macs-cycles.svg"

_SAVINGS = (
    "system",
    "model file",
    "accuracy (twin)",
    "int8 (twin)",
    "MACs saved",
    "cycles saved, RTL / HLS",
    "skipping alone",
)
_MASKS = (
    "system",
    "gates, branches: MACs / cycles",
    "MACs follow difficulty",
    "MACs of the quarters, easiest first",
    "AUROC",
    "usable thresholds",
)


@dataclass(frozen=True)
class Saved:
    """Shares that a network saves, on the images that were simulated.

    Attributes:
        macs: of its static twin's MACs, gating work counted against it.
        cycles: likewise of the twin's cycles on the RTL engine.
        cycles_hls: likewise on the HLS engine.
        gate_macs: MACs of the network with every gate open and no exit taken that its twin does not
            have; 0 without gates and exits.
        gate_cycles: likewise cycles on the RTL engine.
    """

    macs: float
    cycles: float
    cycles_hls: float
    gate_macs: float
    gate_cycles: float

    @property
    def skipping(self) -> tuple[float, float]:
        """MACs and cycles (RTL) saved of the network that skips nothing, over the twin's."""
        return self.macs + self.gate_macs, self.cycles + self.gate_cycles

    @property
    def ratio(self) -> float | None:
        """Cycles that a skipped MAC saves, of those that it costs; None where none is skipped."""
        macs, cycles = self.skipping
        return cycles / macs if macs > 0 else None


def recorded() -> dict[str, Any]:
    """Figures by model file, in the order of the rows."""
    found = load_baseline(FILE, COMMAND)
    return {name: found[name] for name in ROWS if name in found}


def saved(entry: dict[str, Any]) -> Saved:
    """Shares of one entry."""
    rtl, hls = entry["rtl"], entry["hls"]
    dense = rtl["dense"]
    opened = rtl.get("open", dense)
    return Saved(
        macs=1 - rtl["own"]["macs"] / dense["macs"],
        cycles=1 - rtl["own"]["cycles"] / dense["cycles"],
        cycles_hls=1 - hls["own"]["cycles"] / hls["dense"]["cycles"],
        gate_macs=opened["macs"] / dense["macs"] - 1,
        gate_cycles=opened["cycles"] / dense["cycles"] - 1,
    )


def table() -> str:
    """Markdown tables of all rows: what they save, and what their masks are like."""
    entries = recorded()
    gated = {name: entry for name, entry in entries.items() if "open" in entry["rtl"]}
    return "\n".join(
        [
            *header(_SAVINGS, words=2),
            *(row(_savings(name, entry)) for name, entry in entries.items()),
            "",
            *header(_MASKS, words=1),
            *(row(_masks(name, entry)) for name, entry in gated.items()),
        ]
    )


def header(columns: tuple[str, ...], words: int) -> Iterator[str]:
    """The head of a table whose first ``words`` columns are words, the others figures."""
    yield row(columns)
    yield f"|{'---|' * words}{'---:|' * (len(columns) - words)}"


def row(cells: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _savings(name: str, entry: dict[str, Any]) -> Iterator[str]:
    found = saved(entry)
    at_exits = entry.get("exits")
    metrics = load_checkpoint(model_file(name)).meta["metrics"] if at_exits is None else at_exits
    twin = load_checkpoint(model_file(ROWS[name].twin)).meta["metrics"]
    yield ROWS[name].system
    yield f"`{name.removesuffix('-digits32')}`"
    yield f"{percent(metrics['accuracy'], 2)} ({percent(twin['accuracy'], 2)})"
    yield f"{percent(entry['accuracy_int8'])} ({percent(entry['accuracy_twin_int8'])})"
    yield percent(found.macs)
    yield f"{percent(found.cycles)} / {percent(found.cycles_hls)}"
    yield "–" if found.ratio is None else f"{found.ratio:.2f}"


def _masks(name: str, entry: dict[str, Any]) -> Iterator[str]:
    found, figures = saved(entry), entry["difficulty"]
    # Of a network with exits the model file has that of a run which no exit ends.
    r = figures["correlation"]
    if "exits" not in entry:
        r = load_checkpoint(model_file(name)).meta["metrics"]["masks"]["difficulty_correlation"]
    usable = None if entry["thresholds"] is None else entry["thresholds"]["usable"]
    yield ROWS[name].system
    yield f"{percent(found.gate_macs)} / {percent(found.gate_cycles)}"
    yield "–" if r is None else f"r = {r:+.2f}"
    yield " / ".join(f"{macs / 1e6:.2f}" for macs in figures["macs_by_quartile"]) + " M"
    yield "–" if figures["auroc_of_twin"] is None else f"{figures['auroc_of_twin']:.2f}"
    yield "–" if usable is None else f"{usable[0]:g} to {usable[1]:g}"


def percent(value: float, digits: int = 1) -> str:
    """A share as it stands in the tables."""
    return f"{100 * value:.{digits}f} %"


#: Colours of the systems' families, by the first word of their names.
COLOURS = {
    "ACS": "#c2410c",
    "IADI": "#1d4ed8",
    "RADI": "#be185d",
    "BranchyNet": "#0e7490",
    "DDI": "#92400e",
    "OFAS-I": "#047857",
    "OFAS-II": "#65a30d",
    "SkipNet": "#7c3aed",
    "BlockDrop": "#854d0e",
    "GaterNet": "#0f766e",
    "G-ResNeXt": "#4338ca",
    "PFEC": "#374151",
}


def svg() -> str:
    """Return the plot."""
    square = Square(0.0, 0.7, width=700)
    lines = square.frame("Cycles saved against MACs saved by the systems of the papers, in RTL")
    left = LEFT + SIDE + 24
    entries = recorded()
    outside: list[int] = []
    for number, (name, entry) in enumerate(entries.items()):
        found, system = saved(entry), ROWS[name].system
        colour = COLOURS[system.replace(",", " ").split()[0]]
        places = [(found.macs, found.cycles, colour, "all counted")]
        if "open" in entry["rtl"] and max(found.skipping) > square.high:
            outside.append(number + 1)
        elif "open" in entry["rtl"]:
            places.append((*found.skipping, "#ffffff", "skipping alone"))
        for macs, cycles, fill, how in places:
            x, y = square.x(macs), square.y(cycles)
            lines.append(
                f'<circle cx="{x}" cy="{y}" r="8" fill="{fill}" stroke="{colour}" '
                f'stroke-width="2"><title>{system}, {name}, {how}: {percent(macs)} of MACs, '
                f"{percent(cycles)} of cycles</title></circle>"
            )
            text = "#ffffff" if fill == colour else colour
            lines.append(
                f'<text x="{x}" y="{y + 3.5}" text-anchor="middle" font-size="10" '
                f'fill="{text}">{number + 1}</text>'
            )
        at = TOP + 10 + 17 * number
        lines += [
            f'<circle cx="{left}" cy="{at}" r="8" fill="{colour}"/>',
            f'<text x="{left}" y="{at + 3.5}" text-anchor="middle" font-size="10" '
            f'fill="#ffffff">{number + 1}</text>',
            f'<text x="{left + 16}" y="{at + 4}" fill="#111827">{system}</text>',
        ]
    notes = ["discs: gates, branches counted", "rings: left out on both sides"]
    if outside:
        notes.append(f"({' and '.join(map(str, outside))} beyond the axes)")
    at = TOP + 10 + 17 * (len(entries) + 1)
    lines += [
        f'<text x="{left - 8}" y="{at + 16 * row}" fill="#374151">{text}</text>'
        for row, text in enumerate(notes)
    ]
    lines += square.axes("MACs saved, % of the static twin", "cycles saved, % (RTL simulation)")
    return "\n".join(lines) + "\n"


def update() -> None:
    """Write the tables and the plot."""
    text = table()
    for page in PAGES:
        replace_marked(page, BEGIN, END, text)
    FIGURE.write_text(svg(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(status_of(update))
