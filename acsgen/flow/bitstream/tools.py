"""Which of Vivado and Vitis HLS a bitstream needs, and what to do where one is missing.

Neither needs its ``settings64.sh``: the commands in ``bin`` set up what they need.  Each has the
folders of both first on its PATH, because Vitis HLS calls Vivado to package an IP.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acsgen.emit.vivado import DEVICES
from acsgen.engines.base import Implementation
from acsgen.program.board import Board
from acsgen.support.errors import Problem, UserError
from acsgen.support.xilinx import find_xilinx, install_roots, sortable, xilinx_places

#: Commands of Vitis HLS, the newest first, each with the script behind it.
HLS_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "vitis-run": ("--mode", "hls", "--tcl"),
    "vitis_hls": ("-f",),
}

#: ``vitis-run`` takes scripts from this version on.
_SCRIPTS_SINCE = (2023, 2)

VERSIONS = "2020.2 to 2024.2"


@dataclass(frozen=True)
class Tool:
    """A command, and what is known of it.

    Attributes:
        command: its path, and the words that go before the script.
        version: as its folder tells; "" if that tells nothing.
    """

    command: tuple[str, ...]
    version: str

    @property
    def path(self) -> Path:
        """Return the path of the program."""
        return Path(self.command[0])


@dataclass(frozen=True)
class Tools:
    """The tools of one run; ``hls`` is None where it is not needed."""

    vivado: Tool
    hls: Tool | None

    def environment(self) -> dict[str, str]:
        """Return the environment that they run in."""
        folders = [str(t.path.parent) for t in (self.hls, self.vivado) if t is not None]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ACS_")}
        return {**inherited, "PATH": os.pathsep.join([*folders, os.environ.get("PATH", "")])}


def require_tools(build: Path, engine: Implementation, board: Board) -> Tools:
    """Return the tools that an engine needs.

    Args:
        build: the build directory, for the message.
        engine: the RTL needs Vivado alone.
        board: the board, whose device files have to be installed.

    Raises:
        UserError: one is not there; says which to install, and what to run elsewhere.
    """
    vivado = find_vivado()
    hls = find_vitis_hls() if engine == "hls" else None
    problems = []
    if vivado is None:
        problems.append(_missing("Vivado", "vivado", "XILINX_VIVADO"))
    if engine == "hls" and hls is None:
        problems.append(_missing("Vitis HLS", " and ".join(HLS_COMMANDS), "XILINX_VITIS"))
    if vivado is None or problems:
        first = (
            f"install Vitis, which has both, or take --engine rtl, which needs Vivado alone; "
            f"versions {VERSIONS}"
            if engine == "hls"
            else f"install Vivado {VERSIONS}; Vitis is not needed"
        )
        remedy = (
            f"{first}. The free edition has the parts of all shipped boards; choose the device "
            f"files {DEVICES[board.family]}. Or copy the build directory to a machine that has the "
            "tools (acsgen is not needed there), make the bitstream, copy the directory back, and "
            "collect it:\n"
            f"make -C {build.name}/vivado ENGINE={engine}\n"
            f"acsgen bitstream {build} --engine {engine} --collect"
        )
        *others, last = problems
        raise UserError([*others, Problem(last.where, last.what, remedy)])
    return Tools(vivado, hls)


def find_vivado() -> Tool | None:
    """Return Vivado, or None."""
    found = find_xilinx("vivado")
    return None if found is None else Tool((str(found.path),), found.version)


def find_vitis_hls() -> Tool | None:
    """Return the newest command of Vitis HLS that takes a script, or None."""
    for name, words in HLS_COMMANDS.items():
        for found in xilinx_places(name):
            if name == "vitis-run" and found.version and sortable(found.version) < _SCRIPTS_SINCE:
                continue
            return Tool((str(found.path), *words), found.version)
    return None


def _missing(name: str, command: str, variable: str) -> Problem:
    places = ", ".join(map(str, install_roots()))
    return Problem(
        name,
        f"is not found: no {command} on the PATH, none behind {variable}, none in {places}",
    )
