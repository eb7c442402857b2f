"""What the commands of ``python -m acsgen_host`` share: options, files, exit status."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Callable, Iterator

import numpy as np

from .accelerator import TIMEOUT, Accelerator
from .backend import Backend
from .bundle import Bundle
from .errors import BackendError, EngineFault, EngineTimeout, HostError, InputError, Problem
from .files import check_regular
from .simulation import ENGINES


def exit_status(command: Callable[[], int]) -> int:
    """Return the status of a command: 1 for an error of the engine, 2 for one of what is given.

    130 where the user interrupts it, and 143 where it is asked to end: it then ends in order,
    because the engine must not go on writing into memory that Linux has taken back.
    """
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal lacks, in the name of a network or a file, are no error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _ends_in_order():
            status = command()
            say(end="", flush=True)
            return status
    except (EngineFault, EngineTimeout) as error:
        print(f"FAIL: {error}", file=sys.stderr)
        return 1
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except _Terminated:
        print("terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def say(text: str = "", end: str = "\n", flush: bool = False) -> None:
    """Print a line; a command whose reader goes away (``| head``) goes on without it.

    Raises :class:`InputError` where standard output cannot be written for another reason.
    """
    try:
        print(text, end=end, flush=flush)
    except BrokenPipeError:
        _drop_output()
        print("standard output was closed; going on without it", file=sys.stderr)
    except OSError as error:
        _drop_output()
        what = f"cannot be written: {error.strerror}"
        raise InputError(Problem("standard output", what, "look at its disk")) from error


def _drop_output() -> None:
    """Send what is printed, and what waits for that, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class _Terminated(BaseException):
    """The process was asked to end."""


@contextlib.contextmanager
def _ends_in_order() -> Iterator[None]:
    """Make SIGTERM an exception, so that an accelerator is closed."""

    def end(*signal_and_frame: object) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that :func:`open_accelerator` reads."""
    parser.add_argument(
        "bundle", type=Path, help="the directory that acsgen build wrote, or the .bit of one"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--bitstream", type=Path, help="the .bit; the only one in BUNDLE if absent")
    way.add_argument(
        "--simulate", choices=ENGINES, help="simulate the engine, where there is no board"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        help=f"seconds for an image; {TIMEOUT:g} if absent, without limit in a simulation",
    )
    parser.add_argument("--poll", action="store_true", help="do not use the interrupt")


def open_accelerator(options: argparse.Namespace, backend: Backend | None = None) -> Accelerator:
    """Return the accelerator that the options ask for; ``backend`` takes the place of the board's.

    Raises the exceptions of :class:`Accelerator`.
    """
    interrupts = False if options.poll else None
    timeout = TIMEOUT if options.timeout is None else options.timeout
    if backend is not None:
        return Accelerator(backend, Bundle.load(options.bundle), timeout, interrupts)
    if options.simulate:
        limit = float("inf") if options.timeout is None else options.timeout
        return Accelerator.simulate(options.bundle, options.simulate, limit, interrupts)
    if options.bundle.suffix == ".bit":
        if options.bitstream:
            what = f"and {options.bitstream} are two bitstreams"
            raise InputError(Problem(str(options.bundle), what, "give one of them"))
        return Accelerator(options.bundle, None, timeout, interrupts)
    bundle = Bundle.load(options.bundle)
    found = [options.bitstream] if options.bitstream else sorted(bundle.path.rglob("*.bit"))
    if len(found) != 1:
        what = "has {} bitstreams".format(len(found) or "no")
        remedy = "name one with --bitstream, or add --simulate csim"
        raise BackendError(Problem(str(bundle.path), what, remedy))
    return Accelerator(found[0], bundle, timeout, interrupts)


def load_array(path: Path) -> np.ndarray:
    """Return the array of an .npy file; raises :class:`InputError` where it is none."""
    try:
        check_regular(path)
        found = np.load(str(path), allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        what = "is an .npz file, of several arrays"
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
    except (ValueError, EOFError) as error:
        what = f"is not an .npy file: {error}"
    raise InputError(Problem(str(path), what, "make it with numpy.save"))


def require_writable(path: Path) -> None:
    """Raise :class:`InputError` where a file cannot be written, without writing it."""
    folder = path.parent
    if path.is_dir():
        what = "is a folder, and a file is to be written there"
    elif not folder.is_dir():
        what = f"cannot be written: {folder} is no folder"
    elif not os.access(str(folder), os.W_OK):
        what = f"cannot be written: {folder} is read-only, or belongs to another user"
    else:
        return
    raise InputError(Problem(str(path), what, "name another file, or make the folder writable"))
