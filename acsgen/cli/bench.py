"""``acsgen bench``: cycles of the shipped networks on one engine, against a recorded baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from acsgen.cli.console import StageDisplay, guarded, out, require_same
from acsgen.cli.options import JsonOption, LanesOption, check_json, lane_groups, write_json
from acsgen.cli.tables import print_table
from acsgen.engines.base import Implementation
from acsgen.program.board import load_board
from acsgen.support.assets import asset_root
from acsgen.support.numbers import count, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acsgen.flow.bench import BenchResult, Case


@guarded
def bench(
    only: Annotated[
        list[str] | None,
        typer.Option(help="A network (resnet8), a case (resnet8/saved-40) or a pattern."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the figures found as the new baseline.")
    ] = False,
    engine: Annotated[
        Implementation, typer.Option(help="The engine: rtl as it runs, or hls as it counts loops.")
    ] = "rtl",
    board: Annotated[str, typer.Option("--board", "-b", help="Board to measure for.")] = "zedboard",
    lanes: LanesOption = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Baseline file; default the one that acsgen ships.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Measure cycles of the shipped networks in simulation and compare with the baseline.

    Each network runs without its gates (dense), with gates that keep all (open), with its own masks
    on real images, and with masks drawn at random to save 40 to 80 % of the dense network's MACs.
    Cycles are deterministic: any difference from the baseline is named, and the exit status is then
    1.
    """
    groups = lane_groups(lanes)
    check_json(json_file)
    target = load_board(board)

    from acsgen.cost.lane_groups import engine_for
    from acsgen.engines.rtl import Memory
    from acsgen.flow.baseline import locked
    from acsgen.flow.bench import (
        chosen_cases,
        compare,
        load_baseline,
        open_engine,
        run_bench,
        save_baseline,
        simulation_of,
    )

    cases = chosen_cases(only or ())
    path = baseline or asset_root() / "benchmarks" / f"{engine}.json"
    recorded = load_baseline(path)
    config, memory = engine_for(target, groups, (engine,)), Memory.for_board(target)
    simulation = simulation_of(engine)
    with StageDisplay() as display:
        display(f"compile the {simulation.title}")
        simulated = open_engine(simulation, target, config, memory)
        result = run_bench(cases, target, config, simulated, memory, on_stage=display)
    print_table(figures_table(cases, result, simulation.title))
    write_json(json_file, {"memory": result.memory, "figures": result.figures})
    if update:
        with locked(path):
            save_baseline(path, load_baseline(path), result)
        out.print(f"written to {path}", soft_wrap=True)
        return
    require_same(path, compare(recorded, result))


def figures_table(cases: Sequence[Case], result: BenchResult, title: str) -> Table:
    """Return one row for each case, with the shares that it saves of each reference."""
    memory = result.memory
    table = Table(
        title=f"{title}, {result.key}, memory latency {memory.latency}, "
        f"{memory.bandwidth}/256 beats a cycle",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for heading in ("cycles", "stalled", "iterations", "MACs", "lanes used", "bytes read"):
        table.add_column(f"\n{heading}", justify="right", no_wrap=True)
    references = tuple(dict.fromkeys(reference for _, reference in result.references))
    for reference in references:
        for name in ("MACs", "cycles", "ratio"):
            heading = f"of {reference}" if name == "cycles" else ""
            table.add_column(f"{heading}\n{name}", justify="right", no_wrap=True)
    for case in cases:
        found = result.figures[case.name]
        table.add_row(
            case.name,
            count(found.cycles),
            count(found.stall_cycles),
            count(found.array_iterations),
            count(found.macs),
            share(result.utilisation(case), 1),
            count(found.bytes_read),
            *(cell for reference in references for cell in _saved(case, result, reference)),
        )
    return table


def _saved(case: Case, result: BenchResult, reference: str) -> tuple[str, str, str]:
    """Return the shares saved and their ratio, empty for the references themselves."""
    if case.masks in ("dense", "open"):
        return "", "", ""
    macs, cycles = result.saved(case, reference)
    return share(macs, 1), share(cycles, 1), f"{cycles / macs:.3f}" if macs else "-"
