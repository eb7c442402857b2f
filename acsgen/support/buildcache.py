"""Keeps compiled engines, so that the same sources are compiled once for all that need them.

An entry's name carries a digest of everything that it was made from; it is written by one process
at a time, and appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error

#: The entries used least recently make room for new ones.
MAX_ENTRIES = 48

Part = str | bytes | Path


def cache_folder() -> Path:
    """Return ``$ACSGEN_CACHE``, else ``acsgen`` in the user's cache folder; not created yet."""
    if chosen := os.environ.get("ACSGEN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "acsgen"


def cached_file(
    name: str,
    parts: Iterable[Part],
    build: Callable[[Path], object],
    folder: Path | None = None,
) -> Path:
    """Return the file made from ``parts``, from the cache or by calling ``build``.

    Args:
        name: readable head of the file's name, with its suffix (``engine.so``).
        parts: everything that the result depends on: words, and files by name and content.
        build: writes the file at the path that it is given.
        folder: where to keep it; :func:`cache_folder` if None.

    Raises :class:`UserError` where the folder cannot be written, and the exceptions of ``build``;
    nothing is kept then.
    """
    folder = cache_folder() if folder is None else folder
    head = Path(name)
    target = folder / f"{head.stem}-{_digest(parts)}{head.suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                os.utime(target)
                return target
            partial = target.with_suffix(".partial")
            try:
                build(partial)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            _make_room(folder, head.suffix)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return target


def check_cache() -> None:
    """Refuse a cache folder that cannot be written, before any work is done.

    Raises:
        UserError: it cannot.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        Problem(
            f"compiled engines in {folder}",
            f"cannot be written: {plain_os_error(error)}",
            "set ACSGEN_CACHE to a folder that can",
        )
    )


def _digest(parts: Iterable[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            digest.update(part.name.encode())
            content = part.read_bytes()
        else:
            content = part.encode() if isinstance(part, str) else part
        # The length of each part keeps it apart from the next one.
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:20]


def _make_room(folder: Path, suffix: str) -> None:
    """Remove the oldest entries of a kind; a process that has opened one can still read it."""
    entries = sorted(folder.glob(f"*{suffix}"), key=lambda path: path.stat().st_mtime)
    for path in entries[:-MAX_ENTRIES]:
        path.unlink(missing_ok=True)
        path.with_suffix(".lock").unlink(missing_ok=True)
