"""``acsgen build``: from a trained network to a checked hardware project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from acsgen.cli.console import StageDisplay, guarded, out
from acsgen.cli.options import (
    AlphaOption,
    ClockOption,
    DataOption,
    DatasetOption,
    FinerAveragesOption,
    JsonOption,
    LanesOption,
    WeightBitsOption,
    check_json,
    lane_groups,
    write_json,
)
from acsgen.cli.tables import print_remarks
from acsgen.engines.base import Implementation
from acsgen.engines.registry import SimulationName
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.program.board import Board, load_board
from acsgen.support.errors import Problem, UserError

if TYPE_CHECKING:
    from acsgen.report.data import Report


@guarded
def build(
    model: Annotated[
        Path, typer.Argument(help="An acsgen checkpoint (.pt) or a torch.export program (.pt2).")
    ],
    board: Annotated[
        str, typer.Option("--board", "-b", help="A board's name (see acsgen boards) or YAML file.")
    ],
    out_dir: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Directory to write; default build/MODEL-BOARD."),
    ] = None,
    images: Annotated[
        int, typer.Option("--images", "-n", min=1, help="Images to prove bit-exact on.")
    ] = 20,
    dataset: DatasetOption = None,
    data: DataOption = None,
    lanes: LanesOption = None,
    clock: ClockOption = None,
    alpha: AlphaOption = None,
    weight_bits: WeightBitsOption = WEIGHT_BITS,
    finer_averages: FinerAveragesOption = True,
    keep_stages: Annotated[
        bool, typer.Option("--keep-stages", help="Keep every stage's result, in OUT/stages.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of everything that is drawn at random.")
    ] = 0,
    engine: Annotated[
        Literal[Implementation, "both"],
        typer.Option(help="Sources to render: Vitis HLS C++, SystemVerilog, or both."),
    ] = "both",
    verify: Annotated[
        Literal[SimulationName, "both"] | None,
        typer.Option(
            help="rtl, both: run the RTL simulation too; by default only where there is no C++."
        ),
    ] = None,
    require_agreement: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            min=0.0,
            max=100.0,
            help="Fail if float and integer network predict the same on fewer images than this.",
        ),
    ] = None,
    bitstream: Annotated[
        bool,
        typer.Option(
            "--bitstream", help="Go on to a bitstream: acsgen bitstream behind the build."
        ),
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Build the accelerator of a network for a board, and prove it bit-exact.

    Quantizes the network, compiles it for the board, renders the Vitis HLS project and the
    SystemVerilog engine, and runs that very C++ (and with --verify rtl the RTL) on images against
    the integer model. Exits 0 only if every bit agrees.
    """
    groups = lane_groups(lanes)
    check_json(json_file)
    # Checked before torch is loaded: a misspelt board should not take seconds to be told.
    target = load_board(board)
    if clock is not None:
        target = target.at_clock(clock)

    out_dir = out_dir or Path("build") / f"{model.stem}-{target.name}"
    if bitstream:
        from acsgen.flow.bitstream import require_tools

        # Before the build, for the same reason.
        require_tools(out_dir, "rtl" if engine == "rtl" else "hls", target)

    from acsgen.flow.build import BuildRequest
    from acsgen.flow.build import build as run_build
    from acsgen.report.file import REPORT_FILE
    from acsgen.report.hints import hints

    if bitstream:
        from acsgen.cli.bitstream import make
        from acsgen.flow.bitstream import BitstreamRequest

    request = BuildRequest(
        model=model,
        board=board,
        out=out_dir,
        images=images,
        dataset=dataset,
        data_root=data,
        lane_groups=groups,
        keep_stages=keep_stages,
        seed=seed,
        engine=engine,
        verify=verify,
        require_agreement=_share(require_agreement),
        alpha=alpha,
        clock_mhz=clock,
        weight_bits=weight_bits,
        finer_averages=finer_averages,
    )
    with StageDisplay() as display:
        result = run_build(request, on_stage=display)
    print_summary(result.report, target)
    for hint in hints(result.report):
        out.print(f"hint: {hint}", soft_wrap=True)
    out.print(f"written to {result.out}", soft_wrap=True)
    if bitstream:
        make(BitstreamRequest(result.out, "rtl" if engine == "rtl" else "hls"))
    write_json(json_file, json.loads((result.out / REPORT_FILE).read_text(encoding="utf-8")))


def _share(percent: float | None) -> float | None:
    """The share of images that a percentage is.

    Raises:
        UserError: it is below 1 %, as where somebody gives the share itself.
    """
    if percent is not None and 0 < percent < 1:
        what = f"is {percent:g} %, less than any guess gets right"
        remedy = f"it takes a percentage: give {100 * percent:g} for a share of {percent:g}"
        raise UserError(Problem("--require-agreement", what, remedy))
    return None if percent is None else percent / 100


def print_summary(report: Report, board: Board) -> None:
    """Print the closing table: savings, costs, agreement."""
    from acsgen.report.text import summary_rows

    title = f"{report.model} on {board.title}"
    print_remarks(title, ("figure", "value", "remark"), summary_rows(report, board))
