"""``acsgen build``: from a trained network to a checked hardware project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from acsgen.boards import Board, load_board
from acsgen.cli.console import StageDisplay, count, guarded, out, percent, share
from acsgen.errors import Problem, UserError
from acsgen.isa.generated import LANES

Report = Mapping[str, Any]


class EngineChoice(str, Enum):
    """What ``--engine`` takes."""

    HLS = "hls"
    RTL = "rtl"
    BOTH = "both"


class VerifyChoice(str, Enum):
    """What ``--verify`` takes."""

    CSIM = "csim"
    RTL = "rtl"
    BOTH = "both"


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
        EngineChoice, typer.Option(help="What to render: Vitis HLS C++, SystemVerilog, or both.")
    ] = EngineChoice.BOTH,
    verify: Annotated[
        VerifyChoice | None,
        typer.Option(
            help="rtl, both: run the RTL simulation too; by default only where there is no C++."
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

    from acsgen.build import BuildRequest
    from acsgen.build import build as run_build

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
        engine=engine.value,
        verify=None if verify is None else verify.value,
    )
    with StageDisplay() as display:
        result = run_build(request, on_stage=display)
    out.print(summary(result.report, target))
    out.print(f"written to {result.out}", soft_wrap=True)


def summary(report: Report, board: Board) -> Table:
    """Return the closing table: what was saved, what it costs, and that it is exact."""
    table = Table(title=f"{report['model']} on {board.title}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("", style="dim")
    for label, value, remark in summary_rows(report, board):
        table.add_row(label, value, remark)
    return table


def summary_rows(report: Report, board: Board) -> list[tuple[str, str, str]]:
    """Return the rows of the closing table as (label, value, remark)."""
    macs, cycles, resources = report["macs"], report["cycles"], report["resources"]
    moved, accuracy, checks = report["bytes"], report["accuracy"], report["bit_exact"]

    def milliseconds(number: float) -> str:
        return f"{number / board.clock_mhz / 1000:.3f} ms at {board.clock_mhz:g} MHz"

    rows = [
        ("MACs an image", count(macs["mean"]), f"{count(macs['gates'])} of them in gates"),
        (
            "MACs skipped",
            share(macs["dense"] - macs["mean"], macs["dense"]),
            f"of {count(macs['dense'])} without gates",
        ),
        (
            "cycles an image",
            count(cycles["mean"]),
            f"{cycles['source']}: {milliseconds(cycles['mean'])}",
        ),
        (
            "cycles saved",
            share(cycles["dense"] - cycles["mean"], cycles["dense"]),
            f"of {count(cycles['dense'])} without gates: {milliseconds(cycles['dense'])}",
        ),
        *_rtl_rows(report, milliseconds),
        (
            "bytes moved an image",
            count(moved["read"] + moved["written"]),
            f"{count(moved['read'])} read, {count(moved['written'])} written",
        ),
    ]
    for key, label in (("dsp", "DSP"), ("bram36", "BRAM36"), ("lut", "LUT"), ("ff", "FF")):
        available = getattr(board.resources, key)
        rows.append(
            (
                label,
                count(resources[key]),
                f"{share(resources[key], available)} of {count(available)}, {resources['source']}",
            )
        )
    if report["masks"]:
        rows.append(
            (
                "masks",
                f"{percent(report['masks']['mean_open'])} open",
                f"{percent(report['masks']['input_dependent'])} of the gate bits depend on the "
                "image",
            )
        )
    rows += [
        (
            "accuracy float / int8",
            f"{percent(accuracy['float'])} / {percent(accuracy['int8'])}",
            f"{count(accuracy['images'])} images; gates agree at "
            f"{percent(accuracy['gate_agreement'])}",
        ),
        *(
            (
                f"bit-exact, {_SIMULATIONS[name]}",
                f"{check['images']} images",
                f"{check['mismatches']} mismatches in {count(check['values'])} values",
            )
            for name, check in checks.items()
        ),
    ]
    return rows


_SIMULATIONS = {"csim": "C++", "rtl": "RTL"}


def _rtl_rows(report: Report, milliseconds: Callable[[float], str]) -> list[tuple[str, str, str]]:
    """Return what the RTL counted, where it was simulated."""
    found = report.get("cycles_rtl")
    if not found:
        return []
    dense, mean = found["dense"], found["mean"]
    macs = share(report["macs"]["dense"] - found["macs"], report["macs"]["dense"])
    return [
        (
            "cycles an image, RTL",
            count(mean),
            f"{found['source']}, {found['images']} images: {milliseconds(mean)}",
        ),
        (
            "cycles saved, RTL",
            share(dense - mean, dense),
            f"of {count(dense)} without gates; of the MACs: {macs}",
        ),
    ]
