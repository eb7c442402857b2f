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

from acsgen.support.fsutil import home_folder

#: The product whose folder has a command. Vitis HLS was a product of its own up to 2023.2.
PRODUCTS = {
    "vivado": ("Vivado",),
    "vitis_hls": ("Vitis_HLS", "Vitis"),
    "vitis-run": ("Vitis",),
    "v++": ("Vitis",),
}

#: Variables that the settings files of the products set, to the folder above ``bin``.
VARIABLES = ("XILINX_VIVADO", "XILINX_HLS", "XILINX_VITIS")

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
    home = home_folder()
    own = ("Xilinx", "tools/Xilinx", "xilinx", ".local/Xilinx") if home else ()
    return (
        *([Path(chosen)] if chosen else []),
        *map(Path, usual),
        *((home or Path()) / name for name in own),
    )


def find_xilinx(command: str, roots: Sequence[Path] | None = None) -> XilinxTool | None:
    """Return the first of :func:`xilinx_places`, None if there is none."""
    return next(xilinx_places(command, roots), None)


def xilinx_places(command: str, roots: Sequence[Path] | None = None) -> Iterator[XilinxTool]:
    """Yield where a command of AMD is: on the PATH, then as a settings file says, then the newest.

    Args:
        command: a key of :data:`PRODUCTS`.
        roots: folders to look into; :func:`install_roots` if None.
    """
    on_path = shutil.which(command)
    if on_path is not None:
        yield XilinxTool(Path(on_path), version_in(Path(on_path)), on_path=True)
    chosen = (Path(os.environ[v], "bin", command) for v in VARIABLES if os.environ.get(v))
    installed = _installed(command, install_roots() if roots is None else roots)
    newest_first = sorted(installed, key=lambda path: sortable(version_in(path)), reverse=True)
    for path in (*chosen, *newest_first):
        if path.is_file() and os.access(path, os.X_OK):
            yield XilinxTool(path, version_in(path), on_path=False)


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


def sortable(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do; () if it is not known."""
    return tuple(int(part) for part in version.split(".")) if version else ()


def _installed(command: str, roots: Sequence[Path]) -> Iterator[Path]:
    for root in roots:
        for product in PRODUCTS[command]:
            # A folder that may not be listed has nothing for us: glob passes over it.
            yield from root.glob(f"{product}/20*/bin/{command}")
            yield from root.glob(f"20*/{product}/bin/{command}")
