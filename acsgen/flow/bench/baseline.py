"""The recorded figures: cycles are deterministic, so every one of them must be equal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from acsgen.flow import baseline as file
from acsgen.flow.baseline import Baseline
from acsgen.flow.bench.run import BenchResult


def load_baseline(path: Path) -> Baseline:
    """Return the recorded figures; see :func:`acsgen.flow.baseline.load_baseline`."""
    return file.load_baseline(path, "acsgen bench", "cases")


def save_baseline(path: Path, baseline: Baseline, result: BenchResult) -> None:
    """Write ``baseline`` with the figures of ``result`` in place of those of the same cases.

    Figures measured with another engine or memory do not stay beside new ones.
    """
    kept = baseline.get(result.key, {})
    cases = kept["cases"] if _setting(kept) == result.setting() else {}
    entry = {**result.setting(), "cases": cases | _cases(result)}
    file.save_baseline(path, baseline | {result.key: entry})


def compare(baseline: Baseline, result: BenchResult) -> list[str]:
    """Return in words every difference of ``result`` from the baseline."""
    entry = baseline.get(result.key)
    kept = None if entry is None else file.FigureTable(entry["cases"], _flat(_setting(entry)))
    found = file.FigureTable(_cases(result), _flat(result.setting()))
    # Some of the cases may have been chosen: those not measured are not gone.
    return file.differences(result.key, kept, found, complete=False)


def _cases(result: BenchResult) -> dict[str, dict[str, Any]]:
    return {name: asdict(found) for name, found in result.figures.items()}


def _setting(entry: dict[str, Any]) -> dict[str, Any]:
    return {part: entry.get(part, {}) for part in ("engine", "memory")}


def _flat(setting: dict[str, Any]) -> dict[str, Any]:
    return {f"{part} {k}": value for part, values in setting.items() for k, value in values.items()}
