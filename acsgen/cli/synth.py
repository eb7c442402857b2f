"""``acsgen synth``: the SystemVerilog engine through Yosys, against the recorded baseline."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from acsgen.cli.console import StageDisplay, err, guarded, out, require_same
from acsgen.cli.options import JsonOption, LanesOption, check_json, lane_groups, write_json
from acsgen.cli.tables import print_table
from acsgen.program.board import load_board
from acsgen.support.assets import asset_root
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.numbers import count, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acsgen.flow.synth import Synthesis, Unit
    from acsgen.flow.synth.ecp5 import UnitTiming
    from acsgen.program.board import Board
    from acsgen.program.engine_config import EngineConfig


class Whole(str, Enum):
    """The estimates of the whole engine; see :mod:`acsgen.flow.synth.whole`."""

    PACKED = "packed"
    PLACED = "placed"
    ROUTED = "routed"
    ABC9 = "abc9"


@guarded
def synth(
    board: Annotated[str, typer.Option("--board", "-b", help="Board to fit.")] = "zedboard",
    lanes: LanesOption = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the figures found as the new baseline.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="Baseline file; default the one that acsgen ships.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Units synthesized at a time; default: processors.")
    ] = None,
    timing: Annotated[
        bool,
        typer.Option(
            "--timing", help="Place and route every unit for an ECP5 instead: MHz, slowest path."
        ),
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="With --timing: a unit (acs_items) or a pattern.")
    ] = None,
    whole: Annotated[
        Whole | None,
        typer.Option(
            help="With --timing: the whole engine instead, one lane group packed, placed or routed "
            "for an ECP5, or flat for the 7 series by abc9."
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Synthesize the SystemVerilog engine with Yosys and compare with the baseline.

    Shows how much of the board's part every unit takes. A shortage, or any difference from the
    baseline, is named, and the exit status is then 1. The command takes minutes; units that were
    synthesized before are remembered.

    With --timing, every unit is placed and routed by nextpnr for a Lattice ECP5, by itself. This
    compares revisions and names slow paths; it is no statement on the clock of a Zynq. With --whole
    too, the whole engine is estimated, so that paths across units are seen: packed and abc9 take
    some minutes, placed takes half an hour, routed takes hours.
    """
    from acsgen.cost.lane_groups import engine_for
    from acsgen.flow.baseline import locked
    from acsgen.flow.synth import SynthesisError, compare, load_baseline, save_baseline, synthesize
    from acsgen.flow.synth.run import check_family

    groups = lane_groups(lanes)
    check_json(json_file)
    target = load_board(board)
    if whole and (only or not timing):
        raise UserError(
            Problem(
                "--whole",
                "is an option of --timing, without --only",
                "give --timing, and leave out --only",
            )
        )
    if timing and whole:
        _whole(whole.value, engine_for(target, groups, ("rtl",)), update, baseline, json_file)
        return
    if timing:
        _timing(engine_for(target, groups, ("rtl",)), only or [], update, baseline, json_file)
        return
    if only:
        raise UserError(Problem("--only", "is an option of --timing", "leave it out"))
    check_family(target)
    path = baseline or asset_root() / "benchmarks" / "synthesis.json"
    recorded = load_baseline(path)
    engine = engine_for(target, groups, ("rtl",))
    try:
        with StageDisplay() as display:
            result = synthesize(engine, jobs, on_stage=display)
    except SynthesisError as error:
        raise CheckFailed(f"the engine does not synthesize: {error}") from error
    print_table(units_table(target, result))
    units = {str(unit): found for unit, found in result.units.items()}
    write_json(json_file, {"yosys": result.yosys, "units": units, "total": result.total})
    if update:
        with locked(path):
            save_baseline(path, load_baseline(path), target.name, result)
        out.print(f"written to {path}", soft_wrap=True)
    differences = [] if update else compare(recorded, target.name, result)
    shortages = result.shortages(target)
    if shortages:
        for line in (*shortages, *differences):
            err.print(f"  {line}", soft_wrap=True)
        raise CheckFailed(f"the engine does not fit {target.title}")
    if not update:
        require_same(path, differences)


def _timing(
    engine: EngineConfig,
    only: list[str],
    update: bool,
    baseline: Path | None,
    json_file: Path | None,
) -> None:
    from acsgen.flow.baseline import locked
    from acsgen.flow.synth import SynthesisError
    from acsgen.flow.synth import timing as timed

    path = baseline or asset_root() / "benchmarks" / "timing.json"
    recorded = timed.load_timing(path)
    try:
        with StageDisplay() as display:
            display("read the SystemVerilog")
            units = timed.timed_units(engine, only)
            found = timed.time_units(units, display)
    except SynthesisError as error:
        raise CheckFailed(f"a unit does not go through: {error}") from error
    print_table(timing_table(found))
    out.print("of another family than the board's: compares revisions, says nothing absolute")
    write_json(json_file, {"tools": timed.tools(), "units": {str(u): t for u, t in found.items()}})
    if update:
        with locked(path):
            kept = timed.load_timing(path)
            timed.save_timing(path, kept, units, found, complete=not only)
        out.print(f"written to {path}", soft_wrap=True)
    else:
        require_same(path, timed.compare_timing(recorded, found))


def _whole(
    kind: str, engine: EngineConfig, update: bool, baseline: Path | None, json_file: Path | None
) -> None:
    from acsgen.flow.baseline import locked
    from acsgen.flow.synth import SynthesisError
    from acsgen.flow.synth import timing as timed
    from acsgen.flow.synth.whole import WORTH, whole_timing

    path = baseline or asset_root() / "benchmarks" / "timing.json"
    recorded = timed.load_timing(path)
    try:
        with StageDisplay() as display:
            found = whole_timing(kind, engine, display)
    except SynthesisError as error:
        raise CheckFailed(f"the whole engine does not go through: {error}") from error
    out.print(f"{kind}: {found.ns:.2f} ns, which is {found.mhz:.1f} MHz", soft_wrap=True)
    out.print(WORTH[kind], soft_wrap=True)
    for words in found.paths:
        out.print(f"  {words}", soft_wrap=True)
    if found.figures:
        listed = ", ".join(f"{value:,g} {name}" for name, value in found.figures.items())
        out.print(f"  {listed}", soft_wrap=True)
    write_json(json_file, {"tools": timed.tools(), kind: found})
    if update:
        with locked(path):
            timed.save_whole(path, timed.load_timing(path), kind, found)
        out.print(f"written to {path}", soft_wrap=True)
    else:
        require_same(path, timed.compare_whole(recorded, kind, found))


def timing_table(found: Mapping[Unit, UnitTiming]) -> Table:
    """Return one row for each unit, the slowest first."""
    from acsgen.flow.synth.timing import tools

    used = tools()
    table = Table(
        title=f"nextpnr {used['nextpnr']}, {used['part']}, Yosys {used['yosys']}; "
        "each unit by itself, out of context",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("")
    table.add_column("MHz", justify="right")
    table.add_column("slowest path from register to register")
    for unit, timing in sorted(found.items(), key=lambda item: item[1].mhz):
        name = str(unit)
        table.add_row(name.split("(")[0], f"{timing.mhz:.1f}", timing.path)
    return table


def units_table(board: Board, synthesis: Synthesis) -> Table:
    """Return one row for each unit, the largest first, and the whole against the part."""
    table = Table(
        title=f"Yosys {synthesis.yosys} synth_xilinx, {board.part}, "
        f"{synthesis.engine.lane_groups} lane groups; no place and route",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for title in ("number", "DSP48E1", "RAMB36", "LUT", "FF"):
        table.add_column(title, justify="right")
    table.add_column("path, ABC's guess", justify="right")
    rows = sorted(
        synthesis.units.items(), key=lambda item: -item[1].figures.lut * item[1].occurrences
    )
    for unit, result in rows:
        figures = result.figures * result.occurrences
        table.add_row(
            str(unit) if len(unit.parameters) < 3 else unit.module,
            str(result.occurrences),
            count(figures.dsp),
            f"{figures.bram36:g}",
            count(figures.lut),
            count(figures.ff),
            f"{result.delay_ps / 1000:.1f} ns",
        )
    total, has = synthesis.total, board.resources
    table.add_section()
    table.add_row(
        "all", "", count(total.dsp), f"{total.bram36:g}", count(total.lut), count(total.ff), ""
    )
    table.add_row(
        "of the part",
        "",
        share(total.dsp, has.dsp),
        share(total.bram36, has.bram36),
        share(total.lut, has.lut),
        share(total.ff, has.ff),
        "",
    )
    return table
