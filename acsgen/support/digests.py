"""Sizes and digests of files, so that a damaged copy is told from what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from acsgen.support.errors import Problem
from acsgen.support.fsutil import plain_os_error

_REMEDY = "copy the whole directory again, or build it again"


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of files in ``folder`` by their names, for a JSON file."""
    described = {}
    for name in names:
        content = (folder / name).read_bytes()
        described[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return described


def check_files(folder: Path, described: Any, names: Iterable[str]) -> list[Problem]:
    """Return what is wrong with files in ``folder``, by what :func:`describe_files` said of them.

    ``described`` comes from a file, so it may be anything.
    """
    problems = []
    for name in names:
        path = folder / name
        known = described.get(name) if isinstance(described, dict) else None
        if not isinstance(known, dict):
            problems.append(Problem(str(path), "has no recorded digest", _REMEDY))
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            problems.append(Problem(str(path), f"cannot be read: {plain_os_error(error)}", _REMEDY))
            continue
        if len(content) != known.get("bytes"):
            what = f"has {len(content)} bytes, and had {known.get('bytes')} when it was written"
            problems.append(Problem(str(path), what, _REMEDY))
        elif hashlib.sha256(content).hexdigest() != known.get("sha256"):
            problems.append(Problem(str(path), "is not what was written: another digest", _REMEDY))
    return problems
