"""Writes whole directories or nothing: a build that fails leaves no trace.

A stage writes into a temporary folder beside the target; only when everything succeeded do the two
change places, in one step of the file system.  A process that is killed at any time leaves the
earlier build or the new one at the target, whole.  An earlier build is replaced, anything else is
not.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acsgen.support.errors import Problem, UserError

#: Of Linux's ``renameat2``.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

_UNFINISHED = ".acsgen-unfinished"
"""End of the name of a folder that a build is still written to, or that is about to be removed."""

_ASIDE, _EARLIER = ".acsgen-aside", "earlier"
"""End of the name of the folder where an earlier build is set aside, on file systems that cannot
exchange two folders; and its name in there."""

BUILD_MARKER = ".acsgen-build"
"""Name of the (empty) file that marks a directory as written by acsgen, and so replaceable."""


_PLAIN_WORDS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EFBIG: "the file would be larger than is allowed",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOTDIR: "a part of the path is a file, not a directory",
    errno.EEXIST: "a part of the path is a file, not a directory",
    errno.ENOENT: "no such file or directory",
    errno.EISDIR: "this is a directory, not a file",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "its symbolic links go in a circle",
}

#: Errors of a disk, or of a user's share of it, that is full.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def home_folder() -> Path | None:
    """Return the user's home folder.

    None where it is not known: for a user without a name, as in a container that is started for a
    number, and without HOME.
    """
    try:
        return Path.home()
    except RuntimeError:
        return None


def plain_os_error(error: OSError) -> str:
    """Say in plain words why the operating system refused, for example ``disk is full``.

    Of the many errors of a copied folder (:class:`shutil.Error`) it tells the first.
    """
    told = first_of_copy(error)[2] if isinstance(error, shutil.Error) else error.strerror
    return _PLAIN_WORDS.get(error_number(error)) or told or str(error)


def error_number(error: OSError) -> int:
    """Return the number of an error (:mod:`errno`), 0 if it has none; of a copy the first one."""
    if isinstance(error, shutil.Error):
        found = re.search(r"\[Errno (\d+)\]", first_of_copy(error)[2])
        return int(found[1]) if found else 0
    return error.errno or 0


def file_of(error: OSError) -> str:
    """Return the file that an error is about, the target of a copy; "" if it names none."""
    if isinstance(error, shutil.Error):
        return first_of_copy(error)[1]
    return str(error.filename or "")


def first_of_copy(error: shutil.Error) -> tuple[str, str, str]:
    """Return source, target and reason of the first file that could not be copied."""
    entries = error.args[0] if error.args else None
    first = entries[0] if isinstance(entries, list) and entries else ("", "", str(error))
    return (
        (str(first[0]), str(first[1]), str(first[2])) if len(first) == 3 else ("", "", str(error))
    )


def _resolved(target: Path) -> Path:
    """Return the absolute path without symbolic links.

    Raises:
        UserError: they go in a circle.
    """
    # Path.resolve tells of a circle before Python 3.13, and ends at one of its links since then.
    for part in (target, *target.parents):
        try:
            part.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _unwritable(target, error) from error
    try:
        return target.resolve()
    except OSError as error:
        raise _unwritable(target, error) from error


def check_writable(target: Path) -> None:
    """Refuse a target directory that cannot be created or replaced, before any work is done.

    Tries for real (creates and removes a folder beside the target, and its missing parents),
    because permission bits say nothing about read-only mounts, quotas or the superuser.
    """
    target = _resolved(target)
    _put_back(target)
    _refuse_foreign(target)
    with _parents(target), _scratch(target):
        pass


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, before any work is done for it.

    Raises:
        UserError: it is a file, or on a disk that cannot be written.
    """
    folder = _resolved(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error, "choose another folder, or make room") from error


def check_file(target: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it."""
    if target.is_dir():
        raise UserError(Problem(str(target), "is a directory", "give the name of a file"))
    if _is_special(target):
        return
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UserError(
            Problem(
                str(target),
                f"cannot be written: {plain_os_error(error)}",
                "choose another file, or make its folder",
            )
        ) from error


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_whole(target: Path, content: bytes) -> None:
    """Write a file as a whole: where that fails, an earlier file of the name stays as it was.

    A link stays, and the file that it leads to is replaced.  A device or a pipe is written to.

    Raises:
        UserError: the disk is full, or the folder cannot be written.
    """
    try:
        if _is_special(target):
            target.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(target)), content)
    except OSError as error:
        raise UserError(
            Problem(
                str(target),
                f"cannot be written: {plain_os_error(error)}",
                "choose another place, or make room",
            )
        ) from error


def _is_special(target: Path) -> bool:
    """Whether there is something that is no file and no folder, such as /dev/stdout."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def staged_directory(target: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``target`` when the block succeeds, and vanishes if not.

    Raises :class:`UserError` when the target is something other than an earlier build, when it
    cannot be written, or when its disk is full before the block ends.  Missing parents are created,
    and removed again on failure.
    """
    target = _resolved(target)
    _put_back(target)
    _refuse_foreign(target)
    with _parents(target), _scratch(target) as scratch:
        yield scratch
        try:
            (scratch / BUILD_MARKER).touch()
            _swap(scratch, target)
        except OSError as error:
            raise _unwritable(target, error) from error


def _refuse_foreign(target: Path) -> None:
    """Raise unless ``target`` is absent, an empty directory, or an earlier build of ours."""
    if not target.exists():
        return
    if target in (Path.cwd(), *Path.cwd().parents):
        raise UserError(
            Problem(
                str(target),
                "is the folder that this command runs in, or one around it: it cannot be replaced",
                "choose another --out, such as ./out",
            )
        )
    if not target.is_dir():
        raise UserError(
            Problem(str(target), "exists and is not a directory", "choose another --out")
        )
    if (target / BUILD_MARKER).exists() or not any(target.iterdir()):
        return
    raise UserError(
        Problem(
            str(target),
            "is a directory with other files in it, not an earlier acsgen build; "
            "it is left untouched",
            "choose another --out, or remove it yourself",
        )
    )


@contextmanager
def _parents(target: Path) -> Iterator[None]:
    """Create the missing parents of ``target``; take them away again if nothing came of it."""
    missing: list[Path] = []
    try:
        parent = target.parent
        while not parent.exists():
            missing.append(parent)
            parent = parent.parent
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        raise _unwritable(target, error) from error
    try:
        yield
    finally:
        if not target.exists():
            _remove_empty(missing)


def _remove_empty(folders: list[Path]) -> None:
    """Remove those of ``folders`` (deepest first) that are there and empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """Yield a fresh folder beside ``target``, on the same file system; remove it if it remains.

    Folders that killed processes left there are removed too: a lock tells them from those in use.
    """
    prefix = _prefix(target)
    try:
        _remove_leftovers(target.parent, prefix)
        scratch, lock = _locked_folder(target.parent, prefix)
        scratch.chmod(0o777 & ~_umask())
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield scratch
    except OSError as error:
        # The error names no file that was open, and of a copied one its place in the scratch
        # folder, which is gone by the time that it is read.
        if error_number(error) in NO_ROOM:
            raise _unwritable(target, error) from error
        raise
    finally:
        os.close(lock)
        shutil.rmtree(scratch, ignore_errors=True)


def _prefix(target: Path) -> str:
    """Return how the names of folders beside the target begin that belong to it and no other."""
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]
    return f".{target.name[:40]}.{digest}."


def _locked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder that is locked for as long as the file descriptor returned is open."""
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=prefix, suffix=_UNFINISHED, dir=parent))
        try:
            lock = os.open(scratch, os.O_RDONLY)
        except FileNotFoundError:  # taken for a leftover before it was locked
            continue
        # A file system without locks: there nobody takes any folder for a leftover.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_SH)
        if scratch.exists():
            return scratch, lock
        os.close(lock)


def _remove_leftovers(parent: Path, prefix: str) -> None:
    """Remove the scratch folders of builds of the same target that were killed."""
    for leftover in parent.glob(f"{glob.escape(prefix)}*{_UNFINISHED}"):
        try:
            lock = os.open(leftover, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except OSError:  # in use by a build that runs
            continue
        finally:
            os.close(lock)


def _umask() -> int:
    """Return the process's file mode mask (mkdtemp makes private folders; a build is not)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _swap(scratch: Path, target: Path) -> None:
    """Put ``scratch`` at ``target``; an earlier build is then at ``scratch``, to be removed."""
    if not target.exists():
        try:
            scratch.rename(target)
            return
        except OSError as error:
            # A build of the same target that ended in the meantime.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    if not _exchange(scratch, target):
        _set_aside(scratch, target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; return whether this system can do that."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # a C library that has no such function
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # a file system that cannot do it
        return False
    raise OSError(number, os.strerror(number), str(other))


def _set_aside(scratch: Path, target: Path) -> None:
    """Put ``scratch`` at ``target`` in two steps; the earlier build is restored on failure.

    A process that is killed between them leaves it set aside; :func:`_put_back` finds it.
    """
    folder = tempfile.mkdtemp(prefix=_prefix(target), suffix=_ASIDE, dir=target.parent)
    aside = Path(folder)
    try:
        target.rename(aside / _EARLIER)
        try:
            scratch.rename(target)
        except OSError:
            (aside / _EARLIER).rename(target)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put_back(target: Path) -> None:
    """Return a build to its place that a killed process had set aside."""
    for aside in target.parent.glob(f"{glob.escape(_prefix(target))}*{_ASIDE}"):
        with contextlib.suppress(OSError):
            if not target.exists():
                (aside / _EARLIER).rename(target)
            shutil.rmtree(aside)


def refuse_full_disk(said: str, folder: Path) -> None:
    """Raise :class:`UserError` if a tool's messages say that there was no room in ``folder``."""
    if os.strerror(errno.ENOSPC) in said:
        raise UserError(
            Problem(str(folder), plain_os_error(OSError(errno.ENOSPC, "")), "make room on its disk")
        )


def _unwritable(
    target: Path, error: OSError, remedy: str = "choose another --out, or make room"
) -> UserError:
    return UserError(Problem(str(target), f"cannot be written: {plain_os_error(error)}", remedy))
