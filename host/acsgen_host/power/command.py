"""``python -m acsgen_host measure-power BUNDLE --source ...``: power and energy of a network.

Runs loops of at least ten seconds, at least five at each strictness, between idle stretches, and
tells the energy of an image in total and above idle with 95 % intervals.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple, Sequence

import numpy as np

from ..accelerator import Accelerator
from ..backend import Backend
from ..command_line import (
    add_engine_options,
    exit_status,
    load_array,
    open_accelerator,
    require_writable,
    say,
)
from ..errors import InputError, PowerError, Problem
from ..files import read_file
from ..jsontext import without_noise
from ..result import check_images
from . import plot
from .align import CHIP_SECONDS, Alignment, align
from .csvfile import read_csv
from .model import EnergyModel, counts_of, fit, literature_model
from .protocol import (
    LEAST_REPEATS,
    LEAST_SECONDS,
    SETTLE_SECONDS,
    Plan,
    Point,
    Setting,
    Timeline,
    TraceRecorder,
    measure,
    points_of,
    run_timeline,
)
from .report import (
    line_of,
    save_json,
    timeline_from_json,
    timeline_to_json,
    to_json,
)
from .source import DEFAULT_RATE_HZ, Recorder
from .sources import HELP, Spec, open_source, parse
from .synthetic import BANNER, SyntheticBench
from .trace import Trace
from .workload import Inferences, Workload

#: Images of the bundle's vectors in a loop, where no others are given.
VECTOR_IMAGES = 16


def measure_power(arguments: Sequence[str], backend: Backend | None = None) -> int:
    """Run the command; returns the exit status.  ``backend`` takes the place of the board's."""
    options = _parser().parse_args(list(arguments))
    return exit_status(lambda: _run(options, backend))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m acsgen_host measure-power",
        description=__doc__,
        epilog="sources:\n" + HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_engine_options(parser)
    parser.add_argument("--source", required=True, help="the sensor; see below")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE_HZ, help="samples a second")
    parser.add_argument(
        "--strictness", type=float, nargs="+", help="settings to compare; as trained if absent"
    )
    parser.add_argument("--images", type=Path, metavar="NPY", help="uint8 [N,C,H,W] of the loops")
    parser.add_argument("--seconds", type=float, default=LEAST_SECONDS, help="of a loop")
    parser.add_argument("--repeats", type=int, default=LEAST_REPEATS, help="of each setting")
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS, help="seconds left out")
    parser.add_argument(
        "--chip", type=float, default=CHIP_SECONDS, help="seconds of a chip of the pattern for csv"
    )
    parser.add_argument(
        "--timeline", type=Path, help="of an earlier run, to join with the csv of its meter"
    )
    parser.add_argument("--out", type=Path, default=Path("power.json"), help="the file to write")
    parser.add_argument("--plot", type=Path, help="a picture to write too (.png, .svg, .pdf)")
    return parser


def _run(options: argparse.Namespace, backend: Backend | None) -> int:
    spec = parse(options.source)
    plan = _plan(options, spec)
    require_writable(options.out)
    if options.plot is not None:
        plot.require_format(options.plot)
        require_writable(options.plot)
    with open_accelerator(options, backend) as accelerator:
        if options.timeline is None:
            found = _measured(accelerator, options, spec, plan)
        else:
            found = _joined(options, spec)
        if found is None:
            return 0
        points, trace, timeline, alignment = found
        groups = accelerator.identity.lane_groups
        model = model_of(points, groups, trace.info.synthetic)
        engine = accelerator.simulation or "board"
        name = accelerator.bundle.model
    figures = to_json(name, engine, points, trace, plan, model, alignment)
    save_json(options.out, without_noise(figures))
    for point in points:
        say(line_of(point, trace.info.synthetic))
    errors = f", relative error {model.residual:.1%}" if model.fitted_to else ""
    say(f"energy model: {model.kind}{errors}")
    say(f"{len(trace.time)} samples, {trace.rate_hz:.0f} Hz, of {trace.info.scope}")
    say(f"written to {options.out}")
    if options.plot is not None:
        plot.save(options.plot, points, trace, timeline)
        say(f"drawn in {options.plot}")
    return 0


def _plan(options: argparse.Namespace, spec: Spec) -> Plan:
    if not options.rate > 0 or not options.chip > 0:
        raise InputError(Problem("--rate, --chip", "must be above 0", "leave them out"))
    chip = options.chip if spec.kind == "csv" else 0.0
    plan = Plan(options.seconds, options.repeats, options.settle, chip)
    plan.check()
    return plan


class Found(NamedTuple):
    """What a run has to report."""

    points: tuple[Point, ...]
    trace: Trace
    timeline: Timeline
    alignment: Alignment | None = None


def _measured(
    accelerator: Accelerator, options: argparse.Namespace, spec: Spec, plan: Plan
) -> Found | None:
    """Measure; None where the meter's file is still to come."""
    images = _images(accelerator, options.images)
    settings = strictness_settings(accelerator, options.strictness)

    def tell(text: str) -> None:
        say(text, flush=True)

    if spec.kind == "synthetic":
        if accelerator.simulation is None:
            raise InputError(
                Problem("--source synthetic", "on a board", "take a sensor, or add --simulate csim")
            )
        say(BANNER)
        bench = SyntheticBench(accelerator, images)
        return Found(*measure(bench, bench, settings, plan))
    if accelerator.simulation is not None:
        raise InputError(
            Problem(
                "--simulate",
                "a sensor would measure this machine and no engine",
                "take --source synthetic, or a board",
            )
        )
    say(f"takes about {plan.duration(len(settings)) / 60:.0f} minutes")
    workload: Workload = Inferences(accelerator, images)
    if spec.kind == "csv":
        timeline = run_timeline(workload, settings, plan, tell)
        kept = options.out.with_suffix(".timeline.json")
        save_json(kept, timeline_to_json(timeline))
        again = f"measure-power ... --source {options.source} --timeline {kept}"
        say(f"stop the meter, save its file as {spec.place}, and run\n  {again}")
        return None
    source = open_source(spec)
    try:
        recorder: TraceRecorder = Recorder(source, options.rate)
        return Found(*measure(workload, recorder, settings, plan, tell))
    finally:
        source.close()


def _joined(options: argparse.Namespace, spec: Spec) -> Found:
    """Join the file of a meter with the timeline of an earlier run."""
    if spec.kind != "csv":
        raise InputError(Problem("--timeline", "is for --source csv:FILE", "leave it out"))
    try:
        timeline = timeline_from_json(json.loads(read_file(options.timeline).decode("utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(
            Problem(str(options.timeline), f"is no timeline: {error}", "see the run before")
        ) from error
    columns = [name for name in spec.options.get("columns", "").split("+") if name]
    trace = read_csv(spec.place, columns, spec.options.get("scope", ""))
    alignment = align(trace, timeline.before, timeline.after)
    aligned = alignment.apply(trace)
    say(
        f"the meter's zero is {alignment.offset:.3f} s of the driver's clock, it is off by "
        f"{1e6 * alignment.skew:.0f} ppm; correlation {min(alignment.correlation):.2f}"
    )
    return Found(points_of(aligned, timeline), aligned, timeline, alignment)


def strictness_settings(
    accelerator: Accelerator, strictness: Sequence[float] | None = None
) -> list[Setting]:
    """Return a setting for each strictness, or the one in force."""
    if not strictness:
        return [Setting("as set", lambda: None)]

    def setting(value: float) -> Setting:
        return Setting(f"strictness {value:g}", lambda: accelerator.set_strictness(value))

    return [setting(value) for value in strictness]


def model_of(points: Sequence[Point], lane_groups: int, synthetic: bool = False) -> EnergyModel:
    """Return the energy model fitted to the points that are resolved, or that of the literature."""
    resolved = [point for point in points if point.energy.net.low > 0]
    if not resolved:
        return literature_model()
    counts = [counts_of(point.counters, lane_groups) for point in resolved]
    return fit(counts, [point.energy.net.value for point in resolved], synthetic)


def _images(accelerator: Accelerator, path: Path | None) -> np.ndarray:
    if path is None:
        return accelerator.bundle.vectors().images[:VECTOR_IMAGES]
    images = check_images(load_array(path), accelerator.bundle)
    if not len(images):
        raise PowerError(Problem(str(path), "has no images", "give at least one"))
    return images
