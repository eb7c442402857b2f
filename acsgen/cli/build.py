"""``acsgen build``: from a trained network to a checked hardware project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import RenderableType

from acsgen.cli.console import StageDisplay, guarded, out
from acsgen.cli.tables import remarks_table
from acsgen.engines.base import Implementation
from acsgen.engines.registry import SimulationName
from acsgen.isa.generated import LANES
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
    dataset: Annotated[
        str | None,
        typer.Option(help="Data set to calibrate and check with; default the model's own."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set's files (cifar10, svhn).")
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(min=LANES, help=f"Pixel lanes, in {LANES}s; default the board's."),
    ] = None,
    keep_stages: Annotated[
        bool, typer.Option("--keep-stages", help="Keep every stage's result, in OUT/stages.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn at random.")] = 0,
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
) -> None:
    """Build the accelerator of a network for a board, and prove it bit-exact.

    Quantizes the network, compiles it for the board, renders the Vitis HLS project and the
    SystemVerilog engine, and runs that very C++ (and with --verify rtl the RTL) on images against
    the integer model. Exits 0 only if every bit agrees.
    """
    if lanes is not None and lanes % LANES:
        raise UserError(
            Problem("--lanes", f"{lanes} is not a multiple of {LANES}", "try 128 or 256")
        )
    # Checked before torch is loaded: a misspelt board should not take seconds to be told.
    target = load_board(board)

    from acsgen.flow.build import BuildRequest
    from acsgen.flow.build import build as run_build

    request = BuildRequest(
        model=model,
        board=board,
        out=out_dir,
        images=images,
        dataset=dataset,
        data_root=data,
        lane_groups=None if lanes is None else lanes // LANES,
        keep_stages=keep_stages,
        seed=seed,
        engine=engine,
        verify=verify,
        require_agreement=None if require_agreement is None else require_agreement / 100,
    )
    with StageDisplay() as display:
        result = run_build(request, on_stage=display)
    out.print(summary(result.report, target, out.width))
    out.print(f"written to {result.out}", soft_wrap=True)


def summary(report: Report, board: Board, width: int) -> RenderableType:
    """Return the closing table for a terminal of ``width`` columns: savings, costs, agreement."""
    from acsgen.report.text import summary_rows

    title = f"{report.model} on {board.title}"
    rows = summary_rows(report, board)
    return remarks_table(title, ("figure", "value", "remark"), rows, width)
