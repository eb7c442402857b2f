"""Files and folders that a user names: refused in words where they are not what is wanted."""

from __future__ import annotations

import stat
from pathlib import Path

from acsgen_host.files import check_regular

from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error


def require_file(path: Path, kind: str, remedy: str) -> None:
    """Refuse a path that leads to no regular file.  A device or a pipe has no end that is known.

    Args:
        path: as the user wrote it.
        kind: the kind of file that is wanted, for example ``model file``.
        remedy: what to do.

    Raises:
        UserError: there is nothing, a folder, or something other than a file.
    """
    mode = _mode(path, "no such file", remedy)
    if not stat.S_ISREG(mode):
        is_folder = stat.S_ISDIR(mode)
        what = f"is a folder, not a {kind}" if is_folder else "is not a regular file"
        raise UserError(Problem(str(path), what, remedy))


def require_folder(path: Path, remedy: str) -> None:
    """Refuse a path that leads to no folder.

    Raises:
        UserError: there is nothing, or something other than a folder.
    """
    if not stat.S_ISDIR(_mode(path, "is not there", remedy)):
        raise UserError(Problem(str(path), "is not a directory", remedy))


def _mode(path: Path, absent: str, remedy: str) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        what = absent
    except OSError as error:
        what = f"cannot be read: {plain_os_error(error)}"
    except ValueError as error:  # a NUL in the name
        what = f"is no name of a file: {error}"
    raise UserError(Problem(str(path), what, remedy))


def read_limited(path: Path, limit: int, too_long: Problem) -> bytes:
    """Return the bytes of a file that somebody names, at most ``limit`` of them.

    Raises :class:`UserError`: the file cannot be read, or is longer, which is ``too_long``.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UserError(
            Problem(str(path), f"cannot be read: {plain_os_error(error)}", "check the path")
        ) from error
    if len(content) > limit:
        raise UserError(too_long)
    return content
