"""``python -m acsgen.flow.synth.table``: write the recorded figures into ``hw/rtl/README.md``."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from acsgen.flow.baseline import Baseline
from acsgen.flow.synth.baseline import load_baseline
from acsgen.isa.generated import LANES
from acsgen.program.board import Board, load_board
from acsgen.support.assets import asset
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of

BEGIN = "<!-- synthesis:begin (written by `python -m acsgen.flow.synth.table`, never by hand) -->"
END = "<!-- synthesis:end -->"

_FIGURES = ("dsp", "bram36", "lut", "ff")


def synthesis_table(baseline: Baseline) -> str:
    """Return a Markdown table of modules for each engine in the baseline."""
    if not baseline:
        return "Nothing has been synthesized yet."
    return "\n\n".join("\n".join(_engine(name, entry)) for name, entry in sorted(baseline.items()))


def _engine(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    board = load_board(name.split(",")[0])
    post_lanes = entry["parameters"]["PostLanes"]
    groups = entry["parameters"]["LaneGroups"]
    yield (
        f"{groups} lane groups ({LANES * groups} lanes), `PostLanes` {post_lanes}, `{board.part}`, "
        f"Yosys {entry['yosys']}:"
    )
    yield ""
    yield "| module | number | DSP48E1 | RAMB36 | LUT | flip-flops |"
    yield "|---|---:|---:|---:|---:|---:|"
    modules: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for unit, values in entry["units"].items():
        of_module = modules[unit.split("(")[0]]
        of_module["number"] += values["number"]
        for figure, value in _with_bram36(values).items():
            of_module[figure] += value * values["number"]
    for module, values in sorted(modules.items(), key=lambda item: (-item[1]["lut"], item[0])):
        yield _row(f"`{module}`", values["number"], values)
    total = _with_bram36(entry["total"])
    yield _row("all", None, total)
    yield (
        "| of the part | | "
        + " | ".join(f"{100 * total[f] / _of_part(board, f):.1f} %" for f in _FIGURES)
        + " |"
    )
    missing = [
        f"{total[f]:g} {title} of {_of_part(board, f)}"
        for f, title in zip(_FIGURES, ("DSP48E1", "RAMB36", "LUT", "flip-flops"), strict=True)
        if total[f] > _of_part(board, f)
    ]
    if missing:
        yield ""
        yield f"It does not fit: {', '.join(missing)}."


def _with_bram36(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        "dsp": values["dsp"],
        "bram36": values["bram18"] / 2,
        "lut": values["lut"],
        "ff": values["ff"],
    }


def _of_part(board: Board, figure: str) -> int:
    return int(getattr(board.resources, figure))


def _row(name: str, number: float | None, values: Mapping[str, float]) -> str:
    cells = [
        f"{values[figure]:,g}" if figure == "bram36" else f"{values[figure]:,.0f}"
        for figure in _FIGURES
    ]
    return f"| {name} | {'' if number is None else f'{number:.0f}'} | {' | '.join(cells)} |"


def _update() -> None:
    table = synthesis_table(load_baseline(asset("benchmarks", "synthesis.json")))
    replace_marked(asset("hw", "rtl", "README.md"), BEGIN, END, table)


def main() -> int:
    """Write the table of ``benchmarks/synthesis.json``."""
    return status_of(_update)


if __name__ == "__main__":
    sys.exit(main())
