"""The recorded figures: cycles are deterministic, so every one of them must be equal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acsgen.flow.bench.run import BenchResult
from acsgen.support.errors import Problem, UserError

Baseline = dict[str, Any]


def load_baseline(path: Path) -> Baseline:
    """Return the recorded figures; empty if there is no such file.

    Raises:
        UserError: the file is not a baseline.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(entry["cases"], dict) for entry in content.values()):
            raise TypeError("no cases")
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            Problem(str(path), "is not a baseline of acsgen bench", "write one with --update")
        ) from error
    return dict(content)


def save_baseline(path: Path, baseline: Baseline, result: BenchResult) -> None:
    """Write ``baseline`` with the figures of ``result`` in place of those of the same cases.

    Figures measured with another engine or memory do not stay beside new ones.
    """
    kept = baseline.get(result.key, {})
    cases = kept["cases"] if _setting(kept) == result.setting() else {}
    entry = {
        **result.setting(),
        "cases": cases | {name: asdict(found) for name, found in result.figures.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(baseline | {result.key: entry}, indent=1) + "\n", "utf-8")
    partial.replace(path)


def compare(baseline: Baseline, result: BenchResult) -> list[str]:
    """Return in words every difference of ``result`` from the baseline."""
    kept = baseline.get(result.key)
    if kept is None:
        return [f"{result.key}: no baseline"]
    setting = _setting(kept)
    wrong = [
        f"{result.key}: {part} {name} is {value}, the baseline's {setting[part].get(name)}"
        for part, values in result.setting().items()
        for name, value in values.items()
        if setting[part].get(name) != value
    ]
    for name, figures in result.figures.items():
        expected = kept["cases"].get(name)
        if expected is None:
            wrong.append(f"{name}: no baseline")
            continue
        wrong += [
            f"{name}: {key} is {value:.12g}, the baseline {expected.get(key)}"
            for key, value in asdict(figures).items()
            if expected.get(key) != value
        ]
    return wrong


def _setting(entry: dict[str, Any]) -> dict[str, Any]:
    return {part: entry.get(part, {}) for part in ("engine", "memory")}
