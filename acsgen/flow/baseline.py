"""Recorded figures: one reader, one writer and one comparison for every file of ``benchmarks/``.

A file holds entries by name, in JSON; an entry has a *setting*, under which figures compare at all,
and *rows* of figures by name.  How an entry is laid out is for its owner to say.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acsgen_host.files import read_file
from acsgen_host.jsontext import load_json

from acsgen.support.errors import Problem, UserError

#: Content of a file: its entries, as JSON has them, by name.
Baseline = dict[str, Any]

Row = Mapping[str, float]


@dataclass(frozen=True)
class FigureTable:
    """The part of an entry that is compared.

    Attributes:
        rows: figures by name, for every thing that was measured.
        setting: the conditions of the measurement, by name.
    """

    rows: Mapping[str, Row]
    setting: Mapping[str, Any] = field(default_factory=dict)


def load_baseline(path: Path, command: str, *keys: str) -> Baseline:
    """Return the recorded entries; none if there is no such file.

    Args:
        path: the file.
        command: the command that writes it, for the message.
        keys: every entry must have these, and each is a mapping.

    Raises:
        UserError: the file is not such a baseline.
    """
    try:
        content = load_json(read_file(path).decode("utf-8"))
        parts = [entry[key] for entry in content.values() for key in keys]
        if not all(isinstance(part, dict) for part in (*content.values(), *parts)):
            raise TypeError("not a mapping")
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            Problem(str(path), f"is not a baseline of {command}", "write one with --update")
        ) from error
    return dict(content)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other updates of the baselines beside ``path`` waiting.

    A measurement takes minutes, and two may end in one file: whoever writes reads the file again
    first, so that the other's entries stay.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def save_baseline(path: Path, baseline: Baseline, *, sort_keys: bool = False) -> None:
    """Write a baseline; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    text = json.dumps(baseline, indent=1, sort_keys=sort_keys) + "\n"
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def differences(
    name: str,
    kept: FigureTable | None,
    found: FigureTable,
    *,
    complete: bool = True,
) -> list[str]:
    """Return in words how measured figures differ from recorded ones.

    Args:
        name: of the entry.
        kept: the recorded figures, if there are any.
        found: the measured figures.
        complete: whether everything was measured, so that a row not found is gone.
    """
    if kept is None:
        return [f"{name}: no baseline"]
    wrong = [
        f"{name}: {key} is {value}, the baseline's {kept.setting.get(key)}"
        for key, value in found.setting.items()
        if kept.setting.get(key) != value
    ]
    if complete:
        wrong += [f"{row} is no longer there" for row in kept.rows if row not in found.rows]
    for row, figures in found.rows.items():
        if row not in kept.rows:
            wrong.append(f"{row}: no baseline")
            continue
        wrong += _of_row(row, kept.rows[row], figures)
    return wrong


def _of_row(row: str, kept: Row, found: Row) -> list[str]:
    return [
        f"{row}: {figure} is {value:.12g}, the baseline {kept.get(figure)}"
        for figure, value in found.items()
        if kept.get(figure) != value
    ]
