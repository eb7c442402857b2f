"""``acsgen info`` and ``acsgen boards``: versions, tools, models and boards of an installation."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil

import typer
from rich.table import Table

from acsgen import __version__
from acsgen.cli.console import guarded, out
from acsgen.data import dataset_names
from acsgen.isa.generated import LANES
from acsgen.program.board import board_names, load_board
from acsgen.support.assets import asset, asset_root
from acsgen.support.numbers import count

_TOOLS = (
    *("g++", "clang++", "opt", "vitis-run", "v++", "vitis_hls", "vivado", "verilator", "yosys"),
)


def print_version(wanted: bool) -> None:
    """Print the version and stop, for ``acsgen --version``."""
    if wanted:
        out.print(f"acsgen {__version__}")
        raise typer.Exit


@guarded
def info() -> None:
    """Show versions, tools, boards and models, for the report of a problem."""
    table = Table.grid(padding=(0, 2))
    table.add_row("acsgen", f"{__version__}, files in {asset_root()}")
    table.add_row("python", f"{platform.python_version()} on {platform.platform()}")
    for name, version in _requirements():
        table.add_row(name, version)
    for tool in _TOOLS:
        table.add_row(tool, shutil.which(tool) or "not found")
    table.add_row("boards", ", ".join(board_names()))
    table.add_row("data sets", ", ".join([*dataset_names(), "npz:FILE"]))
    table.add_row("models", ", ".join(sorted(p.name for p in asset("models").glob("*.pt"))))
    out.print(table, soft_wrap=True)


def _requirements() -> list[tuple[str, str]]:
    """Return the packages acsgen requires with their installed versions."""
    found = []
    for requirement in importlib.metadata.requires("acsgen") or []:
        name = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement:
            found.append((name, importlib.metadata.version(name)))
    return sorted(found)


@guarded
def boards() -> None:
    """List the boards that --board knows, with their parts and resources."""
    table = Table(box=None, pad_edge=False)
    for title in ("board", "part"):
        table.add_column(title, no_wrap=True)
    for title in ("DSP", "BRAM36", "URAM", "LUT", "lanes", "MHz"):
        table.add_column(title, justify="right")
    for name in board_names():
        board = load_board(name)
        has = board.resources
        numbers = (has.dsp, has.bram36, has.uram, has.lut, LANES * board.lane_groups)
        table.add_row(name, board.part, *map(count, numbers), f"{board.clock_mhz:g}")
    out.print(table)
