"""Judges what a reader does with a damaged file: it has to read it, or refuse it in words, soon."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from acsgen_host.errors import HostError

from acsgen.cli.console import print_problems
from acsgen.support.errors import CheckFailed, Problem, UserError
from tests.inputs.kinds import Kind
from tests.inputs.mutate import Draw

#: The errors that the command line and the driver tell in words.
REFUSALS = (UserError, CheckFailed, HostError, OSError)

#: Seconds that a reader may take; the slowest needs two for a good file.
LIMIT = 20.0


class Hang(BaseException):
    """A reader took longer than :data:`LIMIT`; no reader's ``except Exception`` can hold it."""


class Escape(AssertionError):
    """A file appeared where none belongs."""


def try_kind(kind: Kind, good: Path, draw: Draw) -> None:
    """Damage a copy of the good folder's file and read it; raise whatever is no refusal.

    Args:
        kind: of the file.
        good: a folder that ``kind.start`` has written; its first file is the one that is damaged.
        draw: draws the damage.
    """
    with tempfile.TemporaryDirectory() as scratch:
        outside = Path(scratch)
        folder = Path(shutil.copytree(good, outside / "inside" / "folder"))
        path = folder / (good / ".file").read_text()
        (folder / ".file").unlink()
        path.write_bytes(kind.damage(path.read_bytes(), draw))
        kind.renew(path)
        before = _tree(outside)
        with contextlib.chdir(outside) if hasattr(contextlib, "chdir") else _inside(outside):
            read_or_refuse(kind, path)
        new = {name for name in _tree(outside) - before if not name.endswith("csynth.xml")}
        new |= {str(p) for p in (Path("/tmp/escaped"), Path("/escaped")) if p.exists()}
        if new:
            raise Escape(f"new files: {new}")


def read_or_refuse(kind: Kind, path: Path) -> None:
    """Read a file; raise whatever is neither a success nor a refusal in words."""
    said, told = io.StringIO(), io.StringIO()
    with (
        in_time(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        warnings.simplefilter("ignore")
        try:
            kind.read(path)
        except REFUSALS as error:
            in_words(error)
    assert "Traceback" not in told.getvalue()


def in_words(error: BaseException) -> None:
    """Print a refusal as the command line does; each of its problems must say something."""
    assert str(error).strip(), f"{type(error).__name__} without a word"
    if isinstance(error, UserError):
        print_problems(error.problems)
    elif isinstance(error, HostError):
        print_problems(tuple(Problem(*problem) for problem in error.problems))


@contextlib.contextmanager
def in_time(seconds: float = LIMIT) -> Iterator[None]:
    """Raise :class:`Hang` in the block if it takes longer."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def prepare(kind: Kind, folder: Path) -> Path:
    """Write the good files of a kind into a new folder; return it."""
    folder.mkdir(parents=True)
    file = kind.start(folder)
    (folder / ".file").write_text(str(file.relative_to(folder)))
    return folder
