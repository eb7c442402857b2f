"""Keeps compiled engines, so that the same sources are compiled once for all that need them; and
other files that take long to make.

An entry's name carries a digest of everything that it was made from; it is written by one process
at a time, and appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import home_folder, plain_os_error

#: The entries used least recently make room for new ones.
MAX_ENTRIES = 48

Part = str | bytes | Path


def cache_folder() -> Path:
    """Return ``$ACSGEN_CACHE``, else ``acsgen`` in the user's cache folder; not created yet.

    A user without a home has one in the folder for temporary files.
    """
    if chosen := os.environ.get("ACSGEN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    if base.startswith("/"):
        return Path(base) / "acsgen"
    home = home_folder()
    if home is None:
        return Path(tempfile.gettempdir()) / f"acsgen-{os.getuid()}"
    return home / ".cache" / "acsgen"


def cached_file(
    name: str,
    parts: Iterable[Part],
    build: Callable[[Path], object],
    folder: Path | None = None,
    most: int | None = None,
) -> Path:
    """Return the file made from ``parts``, from the cache or by calling ``build``.

    Args:
        name: readable head of the file's name, with its suffix (``engine.so``).
        parts: everything that the result depends on: words, and files by name and content.
        build: writes the file at the path that it is given.
        folder: where to keep it; :func:`cache_folder` if None.
        most: files of its suffix to keep, :data:`MAX_ENTRIES` if None.

    Raises :class:`UserError` where the folder cannot be written, and the exceptions of ``build``;
    nothing is kept then.
    """
    folder = cache_folder() if folder is None else folder
    head = Path(name)
    target = folder / f"{head.stem}-{_digest(parts)}{head.suffix}"
    try:
        _make(folder)
        with _locked(target.with_suffix(".lock")):
            if target.exists():
                os.utime(target)
                return target
            partial = target.with_suffix(".partial")
            try:
                build(partial)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            _make_room(target, MAX_ENTRIES if most is None else most)
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
        _make(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _make(folder: Path) -> None:
    """Make the folder of the cache; raises :class:`OSError` where it cannot be trusted.

    Its entries are run. In the folder for temporary files, somebody else may have made it before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared = folder.parent == Path(tempfile.gettempdir())
    if shared and folder.lstat().st_uid not in (0, os.getuid()):
        raise PermissionError(errno.EACCES, "it belongs to another user", str(folder))


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


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of an entry.

    Whoever makes room removes lock files too: one that was removed while this process waited for it
    is not the one that the next process takes.
    """
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                current = path.stat().st_ino
            except FileNotFoundError:
                continue
            if current == os.fstat(file.fileno()).st_ino:
                yield
                return


def _make_room(made: Path, most: int) -> None:
    """Remove the oldest entries of the kind of ``made`` above ``most``, but never that one.

    A process that has opened one can still read it. Another process may make room at the same time,
    and a clock that was put back makes the newest entry the oldest one.
    """
    ages = []
    for path in made.parent.glob(f"*{made.suffix}"):
        with contextlib.suppress(FileNotFoundError):
            ages.append((path.stat().st_mtime, path))
    others = sorted((age, path) for age, path in ages if path != made)
    for _, path in others[: max(len(ages) - most, 0)]:
        path.unlink(missing_ok=True)
        path.with_suffix(".lock").unlink(missing_ok=True)
