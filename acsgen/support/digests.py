"""Damaged files as problems for people; :mod:`acsgen_host.digests` finds them, on the board too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from acsgen_host.digests import damaged_files

from acsgen.support.errors import Problem
from acsgen.support.fsutil import plain_os_error

_REMEDY = "copy the whole directory again, or build it again"


def check_files(folder: Path, described: Any, names: Iterable[str]) -> list[Problem]:
    """Return the damage of files in ``folder``, compared with their recorded digests.

    ``described`` comes from :func:`acsgen_host.digests.describe_files` through a file, so it may be
    anything.
    """
    found = damaged_files(folder, described, names, _REMEDY, plain_os_error)
    return [Problem(*problem) for problem in found]
