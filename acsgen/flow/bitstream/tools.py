"""Finds Vivado and Vitis HLS: on the PATH, by their variables, or where they are installed.

Neither needs its ``settings64.sh``: the commands in ``bin`` set up what they need.  Each has the
folders of both first on its PATH, because Vitis HLS calls Vivado to package an IP.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from acsgen.emit.vivado import DEVICES
from acsgen.engines.base import Implementation
from acsgen.program.board import Board
from acsgen.support.errors import Problem, UserError

#: Folders that the installer proposes, and usual ones; "~" is the user's own.
INSTALLED = ("/opt/Xilinx", "/tools/Xilinx", "/opt/xilinx", "/opt/AMD", "/usr/local/Xilinx")
OWN = ("Xilinx", "tools/Xilinx", ".local/Xilinx")

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
    path = next(_places("vivado", ("XILINX_VIVADO",), ("Vivado",)), None)
    return None if path is None else Tool((str(path),), _version(path))


def find_vitis_hls() -> Tool | None:
    """Return the newest command of Vitis HLS that takes a script, or None."""
    variables, products = ("XILINX_HLS", "XILINX_VITIS"), ("Vitis", "Vitis_HLS")
    for name, words in HLS_COMMANDS.items():
        for path in _places(name, variables, products):
            version = _version(path)
            if name == "vitis-run" and version and _number(version) < _SCRIPTS_SINCE:
                continue
            return Tool((str(path), *words), version)
    return None


def _places(command: str, variables: tuple[str, ...], products: tuple[str, ...]) -> Iterator[Path]:
    """Yield the places of a command: those that the user set up first, then the newest."""
    on_path = shutil.which(command)
    if on_path is not None:
        yield Path(on_path)
    candidates = [Path(os.environ[v], "bin", command) for v in variables if os.environ.get(v)]
    roots = [Path(root) for root in INSTALLED]
    roots += [Path.home() / folder for folder in OWN]
    installed = [
        path
        for root in roots
        for product in products
        # The order of product and version changed in 2025.
        for form in (f"{product}/*/bin/{command}", f"*/{product}/bin/{command}")
        for path in root.glob(form)
    ]
    candidates += sorted(installed, key=lambda path: _number(_version(path)), reverse=True)
    yield from (path for path in candidates if os.access(path, os.X_OK) and path.is_file())


def _version(path: Path) -> str:
    found = re.findall(r"(?<!\d)20\d\d\.\d", str(path))
    return found[-1] if found else ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")) if version else ()


def _missing(name: str, command: str, variable: str) -> Problem:
    places = ", ".join((*INSTALLED[:2], *(f"~/{folder}" for folder in OWN[:1])))
    return Problem(
        name,
        f"is not found: no {command} on the PATH, none behind {variable}, none in {places}",
    )
