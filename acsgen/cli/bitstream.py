"""``acsgen bitstream``: from a build to a bitstream, and the folder to copy to the board."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from acsgen.cli.console import StageDisplay, err, guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.cli.tables import print_remarks
from acsgen.engines.base import Implementation
from acsgen.support.printing import printable

if TYPE_CHECKING:
    from acsgen.flow.bitstream import BitstreamRequest, BitstreamResult, OnLine

_SHOWN_WARNINGS = 5


@guarded
def bitstream(
    build: Annotated[
        Path, typer.Argument(metavar="BUILD", help="A directory that acsgen build wrote.")
    ],
    engine: Annotated[
        Implementation | None,
        typer.Option(help="hls needs Vitis HLS and Vivado, rtl Vivado alone; default the first."),
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; default BUILD-ENGINE.")
    ] = None,
    clock_mhz: Annotated[
        float | None, typer.Option(min=1.0, max=1000.0, help="Another clock than the board's.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="MINUTES", min=0.01, help="Limit for each run of a tool.")
    ] = 720.0,
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes of Vivado at once; each takes memory.")
    ] = 2,
    collect: Annotated[
        bool,
        typer.Option("--collect", help="Run no tools: take what make -C BUILD/vivado has made."),
    ] = False,
    log: Annotated[
        bool, typer.Option("--log", help="Show all that the tools print, not progress alone.")
    ] = False,
    keep_work: Annotated[
        bool, typer.Option("--keep-work", help="Keep the tools' projects, in OUT.work.")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Make a bitstream of a build with Vitis HLS and Vivado, and the folder for the board.

    Finds the tools by itself, runs them in batch, and checks their logs, the slack and the reports,
    which go into report.json beside the estimates. Ends with one folder to copy: bitstream,
    program, weights, golden vectors, driver and install.sh. Where it fails, an earlier folder stays
    as it was, and the logs are in OUT.work.
    """
    check_json(json_file)

    from acsgen.flow.bitstream import BitstreamRequest

    request = BitstreamRequest(
        build=build,
        engine=engine,
        out=out_dir,
        clock_mhz=clock_mhz,
        timeout=timeout,
        jobs=jobs,
        collect=collect,
        keep_work=keep_work,
    )
    result = make(request, log)
    write_json(json_file, result.figures)


def make(request: BitstreamRequest, everything: bool = False) -> BitstreamResult:
    """Make a bitstream with its progress on the screen, then show its figures."""
    from acsgen.flow.bitstream import make_bitstream
    from acsgen.program.board import Board
    from acsgen.report.text import bitstream_rows
    from acsgen.verify.builddir import open_build

    with StageDisplay() as display:
        result = make_bitstream(request, display, log_lines(everything))
    board: Board = open_build(request.build).manifest.board
    figures = result.figures
    rows = bitstream_rows(result.engine.upper(), figures, result.report, board)
    title = f"{result.report.model} on {board.title}, {result.engine}"
    print_remarks(title, ("figure", "value", "remark"), rows)
    _tell_warnings("critical warnings of Vivado", figures.critical_warnings)
    if figures.synthesis is not None:
        _tell_warnings("claims that the report does not bear out", figures.synthesis.broken)
    out.print(f"written to {result.out}", soft_wrap=True)
    out.print("copy this folder to the board, and there: sudo sh install.sh --selftest")
    return result


def _tell_warnings(what: str, lines: tuple[str, ...]) -> None:
    """Print some of the lines on stderr, and how many there are."""
    if not lines:
        return
    more = "" if len(lines) <= _SHOWN_WARNINGS else f", the first {_SHOWN_WARNINGS}"
    err.print(Text(f"warning: {what}: {len(lines)}{more}", style="yellow"), soft_wrap=True)
    for line in lines[:_SHOWN_WARNINGS]:
        err.print(Text(f"  {printable(line)}"), soft_wrap=True)


def log_lines(everything: bool) -> OnLine:
    """Return a function that shows a tool's lines, each with the time since the start."""
    started = time.monotonic()

    def show(line: str, shown: bool) -> None:
        if (shown or everything) and line.strip():
            seconds = int(time.monotonic() - started)
            clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            out.print(Text(f"    {clock}  {printable(line)}", style="dim"), soft_wrap=True)

    return show
