"""The recorded figures: one version of Yosys always finds the same, so all must be equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from acsgen.flow import baseline as file
from acsgen.flow.baseline import Baseline
from acsgen.flow.synth.netlist import Figures
from acsgen.flow.synth.run import Synthesis


def key(board: str, synthesis: Synthesis) -> str:
    """Return the name of an engine in the file."""
    return f"{board}, {synthesis.engine.lane_groups} groups"


def load_baseline(path: Path) -> Baseline:
    """Return the recorded figures; see :func:`acsgen.flow.baseline.load_baseline`."""
    return file.load_baseline(path, "acsgen synth", "units", "parameters", "total")


def save_baseline(path: Path, baseline: Baseline, board: str, synthesis: Synthesis) -> None:
    """Write ``baseline`` with the figures of ``synthesis`` in place of those of the same engine."""
    content = baseline | {key(board, synthesis): entry(synthesis)}
    file.save_baseline(path, content, sort_keys=True)


def known_results(baseline: Baseline, yosys: str) -> dict[str, tuple[Figures, int]]:
    """Return the results that hold for version ``yosys``, by digest of the unit's netlist."""
    return {
        unit["netlist"]: (
            Figures(**{field.name: unit[field.name] for field in fields(Figures)}),
            unit["delay_ps"],
        )
        for engine in baseline.values()
        if engine["yosys"] == yosys
        for unit in engine["units"].values()
    }


def entry(synthesis: Synthesis) -> dict[str, Any]:
    """Return the entry of an engine for the file."""
    return {
        "yosys": synthesis.yosys,
        "parameters": synthesis.parameters,
        "total": asdict(synthesis.total),
        "units": {
            str(unit): {
                "number": result.occurrences,
                **asdict(result.figures),
                "delay_ps": result.delay_ps,
                "netlist": result.netlist,
            }
            for unit, result in synthesis.units.items()
        },
    }


def compare(baseline: Baseline, board: str, synthesis: Synthesis) -> list[str]:
    """Return in words every difference from the baseline."""
    name = key(board, synthesis)
    kept = baseline.get(name)
    if kept is None:
        return [f"{name}: no baseline"]
    found = entry(synthesis)
    if kept.get("yosys") != found["yosys"]:
        return [
            f"{name}: the baseline was made with Yosys {kept.get('yosys')}, this is "
            f"{found['yosys']}: figures do not compare"
        ]
    return file.differences(name, _figures(name, kept), _figures(name, found))


def _figures(name: str, content: Mapping[str, Any]) -> file.FigureTable:
    """Return the figures of an engine to compare; a digest may change and the figures stay."""
    rows = {
        f"{name}: {unit}": {
            figure: value for figure, value in values.items() if figure != "netlist"
        }
        for unit, values in content["units"].items()
    }
    return file.FigureTable(rows, content["parameters"])
