"""Sizes and digests of files, by which a damaged copy is told from the original."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable, Iterable

from .errors import Problem
from .files import read_file


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of files in ``folder`` by their names, for a JSON file."""
    described = {}
    for name in names:
        content = (folder / name).read_bytes()
        described[name] = {"bytes": len(content), "sha256": _sha256(content)}
    return described


def damaged_files(
    folder: Path,
    described: Any,
    names: Iterable[str],
    remedy: str,
    reason: Callable[[OSError], str] = lambda error: error.strerror or str(error),
) -> list[Problem]:
    """Return the damage of files in ``folder``, compared with their description.

    Args:
        folder: where they lie.
        described: result of :func:`describe_files`, read from a file, so it may be anything.
        names: of the files to look at.
        remedy: advice for any of them.
        reason: says in words why a file cannot be read.
    """
    problems = []
    for key in described if isinstance(described, dict) else ():
        if key.startswith("/") or ".." in key.split("/"):
            outside = f"names a file outside of the directory: {key[:80]!r}"
            problems.append(Problem(str(folder), outside, remedy))
    for name in names:
        known = described.get(name) if isinstance(described, dict) else None
        what = _damage(folder, name, known, reason)
        if what is not None:
            problems.append(Problem(str(folder / name), what, remedy))
    return problems


def _damage(folder: Path, name: str, known: Any, reason: Callable[[OSError], str]) -> str | None:
    if not isinstance(known, dict):
        return "has no recorded digest"
    path = folder / name
    # The folder itself may be one: its user has named it.
    if any(part.is_symlink() for part in (path, *list(path.parents)[: name.count("/")])):
        return "is a link, or in one, and could lead anywhere"
    try:
        content = read_file(path)
    except OSError as error:
        return f"cannot be read: {reason(error)}"
    if len(content) == known.get("bytes") and _sha256(content) == known.get("sha256"):
        return None
    if _sha256(content.replace(b"\r\n", b"\n")) == known.get("sha256"):
        return "has the line ends of Windows: it was copied or checked out as text"
    if len(content) != known.get("bytes"):
        return f"has {len(content)} bytes, and had {known.get('bytes')} when it was written"
    return "is not what was written: another digest"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
