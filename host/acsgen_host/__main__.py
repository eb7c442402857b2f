"""``python -m acsgen_host BUNDLE``: runs a bundle on the board that this is started on.

``python -m acsgen_host measure-power BUNDLE`` measures its power and energy.

Exit status 0 when all is well, 1 when a check failed, 2 when something given cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from . import __version__
from .accelerator import TIMEOUT, Accelerator
from .backend import Backend
from .budget import BudgetPoint
from .bundle import BUDGET_FILE, Bundle
from .errors import (
    BackendError,
    BundleError,
    EngineFault,
    EngineTimeout,
    HostError,
    InputError,
    Problem,
)
from .selftest import self_test
from .simulation import ENGINES


def main(arguments: list[str] | None = None, backend: Backend | None = None) -> int:
    """Run the command; ``backend`` takes the place of the board's."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["measure-power"]:
        from .power.command import measure_power

        return measure_power(words[1:], backend)
    options = _parser().parse_args(words)
    try:
        with open_accelerator(options, backend) as accelerator:
            _describe(accelerator)
            if options.run is not None:
                return _run_file(accelerator, options.run, options.budget)
            if options.measure is not None:
                return _measure(accelerator, options.measure, options.labels)
            return _self_test(accelerator, options.images)
    except (EngineFault, EngineTimeout) as error:
        print(f"FAIL: {error}", file=sys.stderr)
        return 1
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acsgen_host", description=__doc__)
    add_engine_options(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--selftest", action="store_true", help="run the golden vectors (what happens by default)"
    )
    what.add_argument(
        "--run", type=Path, metavar="NPY", help="classify the uint8 images [N,C,H,W] of a file"
    )
    what.add_argument(
        "--measure",
        type=Path,
        metavar="NPY",
        help="measure what strictness costs on such images, and keep it in the bundle",
    )
    parser.add_argument("--images", type=_positive, help="run only so many golden vectors")
    parser.add_argument(
        "--budget", type=float, metavar="MACS", help="mean MACs an image, for --run"
    )
    parser.add_argument(
        "--labels", type=Path, metavar="NPY", help="classes of the images, for --measure"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def _describe(accelerator: Accelerator) -> None:
    bundle, engine = accelerator.bundle, accelerator.identity
    print(
        f"{bundle.model}: {len(bundle.layers)} instructions, {bundle.params.nbytes} parameter "
        f"bytes; engine {engine.spec_hash:#010x}, {engine.lane_groups} lane groups, "
        f"{engine.feature_kib} KiB{_simulated(accelerator)}"
    )


def _simulated(accelerator: Accelerator) -> str:
    name = accelerator.simulation
    return f"; {name}, no board: times are its cycles at the board's clock" if name else ""


def _self_test(accelerator: Accelerator, limit: int | None) -> int:
    report = self_test(accelerator, limit)
    counted = f"{report.macs:.0f} MACs"
    if report.cycles:
        counted += f", {report.cycles:.0f} cycles"
    print(
        f"{report.runs} runs, {report.values} values compared, {report.mismatches} mismatches; "
        f"mean of a run: {counted}, {1e3 * report.seconds:.3f} ms"
    )
    if report.mismatches:
        print(f"FAIL: {report.first}", file=sys.stderr)
        return 1
    print("PASS")
    return 0


def _run_file(accelerator: Accelerator, path: Path, budget: float | None) -> int:
    images = load_array(path)
    if budget is not None:
        print(_line(accelerator.set_budget(budget)))
    for index, result in enumerate(accelerator.run_many(images)):
        macs = result.counters["macs_executed"]
        print(f"image {index}: class {result.prediction}, {macs} MACs")
    return 0


def _measure(accelerator: Accelerator, path: Path, labels: Path | None) -> int:
    classes = None if labels is None else load_array(labels)
    profile = accelerator.measure_budget(load_array(path), classes)
    target = accelerator.bundle.path / BUDGET_FILE
    try:
        profile.save(target)
    except OSError as error:
        raise BundleError(
            Problem(str(target), f"cannot be written: {error.strerror}", "make room for it")
        ) from error
    for point in profile.points:
        print(_line(point))
    print(f"{profile.images} images; kept in {target}")
    return 0


def _line(point: BudgetPoint) -> str:
    right = "" if point.accuracy is None else f", {point.accuracy:.1%} right"
    return f"strictness {point.strictness:g}: {point.macs_mean:.0f} MACs in the mean{right}"


def load_array(path: Path) -> np.ndarray:
    """Return the array of an .npy file; raises :class:`InputError` where it is none."""
    try:
        return np.asarray(np.load(str(path), allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            Problem(str(path), f"is not an .npy file: {error}", "make it with numpy.save")
        ) from error


if __name__ == "__main__":
    sys.exit(main())
