"""``acsgen info`` and ``acsgen boards``: versions, tools, models and boards of an installation."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acsgen import __version__
from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.cli.tables import figures_table, print_table
from acsgen.data import dataset_names
from acsgen.isa.generated import LANES
from acsgen.program.board import AUTO, Board, MemoryPort, Resources, board_names, load_board
from acsgen.support.assets import asset, asset_root
from acsgen.support.fields import meanings
from acsgen.support.numbers import count

if TYPE_CHECKING:
    from acsgen.flow.doctor import Finding


def print_version(wanted: bool) -> None:
    """Print the version and stop, for ``acsgen --version``."""
    if wanted:
        out.print(f"acsgen {__version__}")
        raise typer.Exit


@guarded
def info(json_file: JsonOption = None) -> None:
    """Show versions, tools, boards and models, for the report of a problem.

    The tools are those of acsgen doctor, which says what each is good for.
    """
    check_json(json_file)

    from acsgen.flow.doctor import diagnose

    rows = {
        "acsgen": f"{__version__}, files in {asset_root()}",
        "python": f"{platform.python_version()} on {platform.platform()}",
        **{f.name: _found(f) for f in diagnose() if f.name not in ("acsgen", "python")},
        "boards": ", ".join(board_names()),
        "data sets": ", ".join([*dataset_names(), "npz:FILE"]),
        "models": ", ".join(sorted(p.name for p in asset("models").glob("*.pt"))),
    }
    width = max(map(len, rows))
    for name, text in rows.items():
        out.print(f"{name:<{width}}  {text}", soft_wrap=True)
    write_json(json_file, rows)


def _found(finding: Finding) -> str:
    """Return version and place of what ``acsgen doctor`` found, without its advice."""
    told = ", ".join(filter(None, (finding.version, finding.where)))
    if finding.works:
        return told or "found"
    return f"{told}, not enough" if told else "not found"


@guarded
def boards(
    show: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Print a board's file, and the meaning of its keys."),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """List the boards that --board knows, with their parts and resources.

    With --show it prints a board's file, to start one of your own from.
    """
    check_json(json_file)
    if show is not None:
        _show_board(load_board(show), show)
        write_json(json_file, load_board(show))
        return
    write_json(json_file, [load_board(name) for name in board_names()])
    columns = ("board", "part", "DSP", "BRAM36", "URAM", "LUT", "lanes", "MHz")
    table = figures_table("", columns, left=2)
    table.title = None
    for name in board_names():
        board = load_board(name)
        has = board.resources
        numbers = (has.dsp, has.bram36, has.uram, has.lut)
        lanes = AUTO if board.lane_groups is None else count(LANES * board.lane_groups)
        table.add_row(name, board.part, *map(count, numbers), lanes, f"{board.clock_mhz:g}")
    print_table(table)


def _show_board(board: Board, given: str) -> None:
    """Print a board's file as it is, then its keys with their meaning."""
    path = Path(given) if Path(given).is_file() else asset("hw", "boards", f"{board.name}.yaml")
    out.print(path.read_text(encoding="utf-8").rstrip(), soft_wrap=True)
    out.print()
    for prefix, model in (("", Board), ("resources.", Resources), ("memory.", MemoryPort)):
        for key, meaning in meanings(model).items():
            out.print(f"# {prefix}{key}: {meaning.replace('``', '')}", soft_wrap=True)
