"""Finds the files that are not Python: board files, templates, models, simulation sources.

They live in top-level folders of the repository (``hw/``, ``templates/``, ``host/``, ``sim/``,
``models/``), where people read and change them.  A wheel carries them in ``acsgen/_assets/``.
Every stage asks :func:`asset`, so that none of them knows which of the two it runs from.
"""

from __future__ import annotations

from pathlib import Path

from acsgen.support.errors import Problem, UserError

_PACKAGE = Path(__file__).resolve().parent.parent


def asset_root() -> Path:
    """Return the folder that holds ``hw/`` and its siblings: the wheel's copy, or the checkout."""
    packaged = _PACKAGE / "_assets"
    return packaged if packaged.is_dir() else _PACKAGE.parent


def asset(*parts: str) -> Path:
    """Return the path of a shipped file or folder, for example ``asset("hw", "boards")``.

    Raises :class:`UserError` that names the missing file and its neighbours: an installation that
    lost files is the user's to repair, not a bug to report.
    """
    root = asset_root()
    path = root.joinpath(*parts)
    if path.exists():
        return path
    nearest = path.parent
    while not nearest.is_dir():
        nearest = nearest.parent
    there = sorted(p.name for p in nearest.iterdir() if not p.name.startswith((".", "_")))
    raise UserError(
        Problem(
            where="/".join(parts),
            what=f"this file of acsgen is missing; {nearest} has {', '.join(there) or 'nothing'}",
            remedy="install acsgen again",
        )
    )
