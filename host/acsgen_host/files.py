"""Files of folders that others have made: only those with an end are opened."""

from __future__ import annotations

import errno
import stat
from pathlib import Path


def check_regular(path: str | Path) -> None:
    """Raise :class:`OSError` for a pipe, a socket or a device, which may never end.

    A folder passes: whoever opens it is told what it is.
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))


def read_file(path: str | Path) -> bytes:
    """Return the bytes of a regular file; raises :class:`OSError` as :func:`check_regular` does."""
    check_regular(path)
    return Path(path).read_bytes()
