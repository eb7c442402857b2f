"""``acsgen sweep``: a network, or a recipe, built for every combination of settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from acsgen.cli.console import StageDisplay, guarded, out
from acsgen.cli.options import (
    DataOption,
    DatasetOption,
    ImageSeedOption,
    JsonOption,
    check_json,
    write_json,
)
from acsgen.cli.tables import figures_table, print_table
from acsgen.engines.registry import SimulationName
from acsgen.support.errors import CheckFailed
from acsgen.support.numbers import count, percent
from acsgen.support.printing import printable

if TYPE_CHECKING:
    from acsgen.flow.sweep.plan import SweepPlan
    from acsgen.flow.sweep.run import Pool, SweepResult
    from acsgen.flow.sweep.table import Row

#: Rows that the screen shows; the table has all of them.
_ROWS = 40

#: Points that are named for one reason.
_LABELS = 5


@guarded
def sweep(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL|RECIPE", help="A model file (.pt, .pt2) or a recipe (.yaml)."
        ),
    ],
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            metavar="KEY=V1,V2,...",
            help="An axis: threshold, weight_bits, lanes, board, clock; of a recipe also gate, "
            "alpha, and any key; repeatable, all combinations are built.",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", help="The board, where it is no axis (see acsgen boards)."),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write; default build/sweep-NAME."),
    ] = None,
    images: Annotated[
        int, typer.Option("--images", "-n", min=1, help="Images to simulate at every point.")
    ] = 20,
    dataset: DatasetOption = None,
    data: DataOption = None,
    seed: ImageSeedOption = 0,
    verify: Annotated[
        Literal[SimulationName, "both"] | None,
        typer.Option(help="rtl, both: run the RTL simulation too, which takes longer."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe of all points."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda or cuda:N.")] = "cpu",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Points at once; default one a processor."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of each; trained weights depend on them.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Work on a Ray cluster: HOST:PORT, ray://..., auto."),
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Take nothing that other sweeps found, and keep nothing."),
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Build a network for every combination of settings, and compare accuracy with cost.

    Thresholds of gates need no new training or compilation; keys of a recipe are trained for each
    value. All rows are measured on the same images. A point that cannot be built is a row with its
    reason. Interrupted or killed, the same command goes on where it was. Writes results.csv and
    pareto.svg, and for every point the command that builds it.
    """
    check_json(json_file)

    from acsgen.flow.sweep.plan import SweepRequest, make_plan
    from acsgen.flow.sweep.run import sweep as run_sweep

    request = SweepRequest(
        source=source,
        axes=tuple(over or ()),
        out=out_dir or Path("build") / f"sweep-{source.stem}",
        board=board,
        images=images,
        dataset=dataset,
        data_root=data,
        seed=seed,
        verify=verify,
        settings=tuple(settings or ()),
        device=device,
    )
    plan = make_plan(request)
    total = len(plan.points)
    known = 0

    def tell(what: str, done: int, of: int) -> None:
        nonlocal known
        known = done
        display.advance(done, of)
        out.print(f"  {done:>{len(str(of))}}/{of} {printable(what)}", soft_wrap=True)

    display = StageDisplay()
    try:
        with display:
            result = run_sweep(
                plan,
                _pool_of(ray, jobs, threads, len(plan.points)),
                threads=threads,
                cache=not no_cache,
                on_stage=display,
                on_point=tell,
            )
    except KeyboardInterrupt:
        out.print(f"{known} of {total} points are done; the same command goes on", soft_wrap=True)
        raise
    _finish(plan, result, json_file)


def _pool_of(ray: str | None, jobs: int | None, threads: int, points: int) -> Callable[[], Pool]:
    """Return what makes the processes, once it is known that there is work for them."""
    if ray is not None:
        from acsgen.flow.sweep.on_ray import RayPool, check_ray

        check_ray()
        return lambda: RayPool(ray, jobs, threads)
    from acsgen.flow.sweep.local import LocalPool

    processors = len(os.sched_getaffinity(0))
    processes = min(points, jobs or max(1, processors // threads))
    return lambda: LocalPool(processes, threads)


def _finish(plan: SweepPlan, result: SweepResult, json_file: Path | None) -> None:
    """Show the rows, and write the plot and the figures."""
    from acsgen.flow.sweep.plot import can_plot, write_plot
    from acsgen.flow.sweep.table import TABLE_FILE
    from acsgen.report.clock import evidence_in_words, recorded_evidence

    folder, rows = plan.request.out, result.rows
    done = [row for row in rows if row.done]
    print_table(_table(plan, rows))
    out.print(f"clock: {evidence_in_words(recorded_evidence())}", soft_wrap=True)
    files = [TABLE_FILE]
    if can_plot():
        files += write_plot(folder, plan, rows)
    else:
        out.print("no plot: matplotlib is not installed (pip install 'acsgen[figures]')")
    out.print(
        f"{len(done)} of {len(rows)} points done: {result.measured} measured now, "
        f"{result.cached} taken from the cache, {result.known} known before"
    )
    out.print(f"written to {folder}: {', '.join(files)}", soft_wrap=True)
    content = {
        "source": str(plan.request.source),
        "axes": {axis.key: list(axis.values) for axis in plan.space.axes},
        "images_sha256": result.images,
        "points": [row.as_dict() for row in rows],
    }
    write_json(json_file, content)
    if len(done) < len(rows):
        raise CheckFailed(_without_figures(rows))


def _without_figures(rows: Sequence[Row]) -> str:
    """Say which points have no figures, and why, each reason once."""
    labels: dict[str, list[str]] = {}
    for row in rows:
        if not row.done and row.record is not None:
            labels.setdefault(row.record.reason, []).append(row.point.label)
    missing = sum(map(len, labels.values()))
    lines = [f"{missing} of {len(rows)} points have no figures"]
    for reason, points in labels.items():
        hidden = len(points) - _LABELS
        lines.append(f"  {reason}")
        lines.append(f"    {'; '.join(points[:_LABELS])}" + (f"; ... {hidden} more" * (hidden > 0)))
    return "\n".join(lines)


def _table(plan: SweepPlan, rows: tuple[Row, ...]) -> Table:
    """Return the figures that a choice is made by, of the first rows."""
    axes = [axis.key for axis in plan.space.axes]
    rtl = any(row.figure("simulated_rtl_ms") is not None for row in rows)
    hls = any(row.figure("simulated_hls_ms") is not None for row in rows)
    columns = [*axes, "accuracy\nint8", "same\nas float", "MACs", "ms\npredicted"]
    columns += ["ms HLS\nsimulated"] * hls + ["ms RTL\nsimulated"] * rtl + ["energy\nestimated"]
    title = (
        f"{plan.request.source.name}, mean of an image; ms at the assumed clock; "
        "energy in millions of MAC energies"
    )
    table = figures_table(title, columns, left=len(axes))
    for row in rows[:_ROWS]:
        settings = [printable(row.point.values[axis]) for axis in axes]
        if not row.done:
            table.add_row(*settings, "-" if row.record is None else row.record.status)
            continue
        latencies = ["predicted_ms"]
        latencies += ["simulated_hls_ms"] * hls + ["simulated_rtl_ms"] * rtl
        table.add_row(
            *settings,
            percent(row.figure("accuracy_int8")),
            percent(row.figure("agreement")),
            count(row.figure("macs")),
            *(f"{row.figure(name):.3f}" for name in latencies),
            f"{row.figure('estimated_energy_of_simulated_counts') / 1e6:.2f}",
        )
    if len(rows) > _ROWS:
        table.add_row(f"... {len(rows) - _ROWS} more")
    return table
