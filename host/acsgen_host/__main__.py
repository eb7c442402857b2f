"""``python -m acsgen_host BUNDLE``: runs a bundle on the board that this is started on.

``python -m acsgen_host measure-power BUNDLE`` measures its power and energy.

Exit status 0 when all is well, 1 when a check failed, 2 when something given cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import __version__
from .accelerator import Accelerator
from .arguments import count
from .backend import Backend
from .bundle import BUDGET_FILE
from .command_line import (
    add_engine_options,
    exit_status,
    load_array,
    open_accelerator,
    require_writable,
    say,
)
from .errors import BundleError, Problem
from .run_command import RUN_OPTIONS, SCREEN, add_run_options, line_of, run_file
from .selftest import self_test


def main(arguments: list[str] | None = None, backend: Backend | None = None) -> int:
    """Run the command; ``backend`` takes the place of the board's."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["measure-power"]:
        from .power.command import measure_power

        return measure_power(words[1:], backend)
    parser = _parser()
    options = parser.parse_args(words)
    for name, partner in (*((name, "run") for name in RUN_OPTIONS), ("labels", "measure")):
        if getattr(options, name) is not None and getattr(options, partner) is None:
            option = name.replace("_", "-")
            parser.error(f"--{option} is for --{partner}, which is not given")
    if options.images is not None and (options.run is not None or options.measure is not None):
        parser.error("--images is for --selftest")
    return exit_status(lambda: _run(options, backend))


def _run(options: argparse.Namespace, backend: Backend | None) -> int:
    with open_accelerator(options, backend) as accelerator:
        if options.json != SCREEN:
            _describe(accelerator)
        if options.run is not None:
            return run_file(accelerator, options)
        if options.measure is not None:
            return _measure(accelerator, options.measure, options.labels)
        return _self_test(accelerator, options.images)


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
    add_run_options(parser)
    parser.add_argument(
        "--labels", type=Path, metavar="NPY", help="classes of the images, for --measure"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _positive(text: str) -> int:
    try:
        return count(int(text), "images")
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a whole number of at least 1, not {text!r}"
        ) from None


def _describe(accelerator: Accelerator) -> None:
    bundle, engine = accelerator.bundle, accelerator.identity
    say(
        f"{bundle.model}: {len(bundle.layers)} instructions, {bundle.params.nbytes} parameter "
        f"bytes; engine {engine.spec_hash:#010x}, {engine.lane_groups} lane groups, "
        f"{engine.feature_kib} KiB{_simulated(accelerator)}"
    )


def _simulated(accelerator: Accelerator) -> str:
    name = accelerator.simulation
    return f"; {name}, no board: times are {accelerator.times}" if name else ""


def _self_test(accelerator: Accelerator, limit: int | None) -> int:
    report = self_test(accelerator, limit)
    counted = f"{report.macs:.0f} MACs"
    if report.cycles:
        counted += f", {report.cycles:.0f} cycles"
    say(
        f"{report.runs} runs, {report.values} values compared, {report.mismatches} mismatches; "
        f"mean of a run: {counted}, {1e3 * report.seconds:.3f} ms"
    )
    if report.mismatches:
        print(f"FAIL: {report.first}", file=sys.stderr)
        return 1
    say("PASS")
    return 0


def _measure(accelerator: Accelerator, path: Path, labels: Path | None) -> int:
    classes = None if labels is None else load_array(labels)
    images = load_array(path)
    target = accelerator.bundle.path / BUDGET_FILE
    # Before minutes of work rather than after them.
    require_writable(target)
    profile = accelerator.measure_budget(images, classes)
    try:
        profile.save(target)
    except OSError as error:
        raise BundleError(
            Problem(str(target), f"cannot be written: {error.strerror}", "make room for it")
        ) from error
    for point in profile.points:
        say(line_of(point))
    say(f"{profile.images} images; kept in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
