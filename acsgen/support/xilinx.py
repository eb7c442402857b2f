"""Finds Vivado and Vitis, seldom on the PATH: their installer writes a settings file only.

AMD's installer has laid them out in two ways: ``ROOT/Vivado/2024.2/bin/vivado`` up to 2024.2, and
``ROOT/2025.1/Vivado/bin/vivado`` from then on, where ROOT is ``/tools/Xilinx``, ``/opt/Xilinx``, or
a folder that the user chose.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: The product whose folder has a command. Vitis HLS was a product of its own up to 2023.2.
PRODUCTS = {
    "vivado": ("Vivado",),
    "vitis_hls": ("Vitis_HLS", "Vitis"),
    "vitis-run": ("Vitis",),
    "v++": ("Vitis",),
}

#: Variables that the settings files of the products set, to the folder above ``bin``.
VARIABLES = ("XILINX_VIVADO", "XILINX_VITIS", "XILINX_HLS")

_VERSION = re.compile(r"20\d\d\.\d(?:\.\d)?")


@dataclass(frozen=True)
class XilinxTool:
    """An installed command of AMD.

    Attributes:
        path: the command itself.
        version: as its folder has it, for example ``2024.2``; "" if the path does not tell.
        on_path: whether the shell finds it without its settings file.
    """

    path: Path
    version: str
    on_path: bool


def install_roots() -> tuple[Path, ...]:
    """Return the folders that installers propose, and ``$XILINX_ROOT`` before them if it is set."""
    chosen = os.environ.get("XILINX_ROOT")
    usual = ("/tools/Xilinx", "/opt/Xilinx", "/opt/xilinx", "/usr/local/Xilinx", "/opt/AMD")
    home = Path.home()
    return (
        *([Path(chosen)] if chosen else []),
        *map(Path, usual),
        *(home / name for name in ("Xilinx", "tools/Xilinx", "xilinx")),
    )


def find_xilinx(command: str, roots: Sequence[Path] | None = None) -> XilinxTool | None:
    """Return a command of AMD: the one on the PATH, else the newest that is installed, else None.

    Args:
        command: a key of :data:`PRODUCTS`.
        roots: folders to look into; :func:`install_roots` if None.
    """
    found = shutil.which(command)
    if found is not None:
        return XilinxTool(Path(found), version_in(Path(found)), on_path=True)
    places = install_roots() if roots is None else roots
    there = [path for path in _candidates(command, places) if os.access(path, os.X_OK)]
    if not there:
        return None
    newest = max(there, key=lambda path: _sortable(version_in(path)))
    return XilinxTool(newest, version_in(newest), on_path=False)


def version_in(path: Path) -> str:
    """Return the version that a path has in it, links followed; "" if there is none."""
    for text in (str(path), os.path.realpath(path)):
        found = _VERSION.findall(text)
        if found:
            return str(found[-1])
    return ""


def settings_of(tool: XilinxTool) -> Path | None:
    """Return the file to be sourced for a command that is not on the PATH, if it is there."""
    for name in ("settings64.sh", ".settings64-Vivado.sh"):
        file = tool.path.parent.parent / name
        if file.is_file():
            return file
    return None


def _candidates(command: str, roots: Sequence[Path]) -> Iterator[Path]:
    for variable in VARIABLES:
        if os.environ.get(variable):
            yield Path(os.environ[variable]) / "bin" / command
    for root in roots:
        for product in PRODUCTS[command]:
            # A folder that may not be listed has nothing for us: glob passes over it.
            yield from root.glob(f"{product}/20*/bin/{command}")
            yield from root.glob(f"20*/{product}/bin/{command}")


def _sortable(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")) if version else ()
