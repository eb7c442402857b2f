"""What the commands of ``python -m acsgen_host`` share: options, files, exit status."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Callable

import numpy as np

from .accelerator import TIMEOUT, Accelerator
from .backend import Backend
from .bundle import Bundle
from .errors import BackendError, EngineFault, EngineTimeout, HostError, InputError, Problem
from .files import check_regular
from .simulation import ENGINES


def exit_status(command: Callable[[], int]) -> int:
    """Return the status of a command: 1 for an error of the engine, 2 for one of what is given."""
    try:
        return command()
    except (EngineFault, EngineTimeout) as error:
        print(f"FAIL: {error}", file=sys.stderr)
        return 1
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


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
        return np.asarray(np.load(str(path), allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            Problem(str(path), f"is not an .npy file: {error}", "make it with numpy.save")
        ) from error
