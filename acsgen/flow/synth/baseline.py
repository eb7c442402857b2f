"""The recorded figures: one version of Yosys always finds the same, so all must be equal."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from acsgen.flow.synth.netlist import Figures
from acsgen.flow.synth.run import Synthesis
from acsgen.support.errors import Problem, UserError

Baseline = dict[str, Any]


def key(board: str, synthesis: Synthesis) -> str:
    """Return the name of an engine in the file."""
    return f"{board}, {synthesis.engine.lane_groups} groups"


def load_baseline(path: Path) -> Baseline:
    """Return the recorded figures; empty if there is no such file.

    Raises:
        UserError: the file is not a baseline.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(entry["units"], dict) for entry in content.values()):
            raise TypeError("no units")
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            Problem(str(path), "is not a baseline of acsgen synth", "write one with --update")
        ) from error
    return dict(content)


def save_baseline(path: Path, baseline: Baseline, board: str, synthesis: Synthesis) -> None:
    """Write ``baseline`` with the figures of ``synthesis`` in place of those of the same engine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    content = baseline | {key(board, synthesis): entry(synthesis)}
    partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


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
    """Return what the file holds of an engine."""
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
    wrong = [
        f"{name}: {parameter} is {value}, the baseline's {kept['parameters'].get(parameter)}"
        for parameter, value in found["parameters"].items()
        if kept["parameters"].get(parameter) != value
    ]
    wrong += [
        f"{name}: {unit} is no longer there" for unit in kept["units"] if unit not in found["units"]
    ]
    for unit, values in found["units"].items():
        expected = kept["units"].get(unit)
        if expected is None:
            wrong.append(f"{name}: {unit} is new")
            continue
        wrong += [
            f"{name}: {unit}: {figure} is {value}, the baseline {expected.get(figure)}"
            for figure, value in values.items()
            if figure != "netlist" and expected.get(figure) != value
        ]
    return wrong
