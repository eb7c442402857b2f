"""Writes the way from a build to a bitstream: scripts for Vivado, a Makefile, a page about them.

The folder works by itself on another machine that has the tools and not acsgen.  The block design
follows from the board's file and from the engine's ports; nothing of it is listed twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

import acsgen
from acsgen.emit.bundles import BUNDLE_NAMES, CONTROL_ADDRESS_BITS
from acsgen.emit.rtl import IP_NAME
from acsgen.program.board import Board
from acsgen.support.assets import asset

#: Suffix of templates; other files are copied.
_TEMPLATE = ".j2"

#: Templates that others include.
_PARTS = ("zynq7000.tcl.j2", "zynqmp.tcl.j2")

#: The interconnect of a family.  A Zynq-7000 is short of look-up tables, of which a SmartConnect
#: is known to take more (not measured here); on UltraScale+ it is what Vivado itself proposes.
INTERCONNECTS = {"zynq7000": "axi_interconnect", "zynqmp": "smartconnect"}

#: The processors' master port, the interrupt input, and the memory ports behind their names.
PS_MASTERS = {"zynq7000": "M_AXI_GP0", "zynqmp": "M_AXI_HPM0_FPD"}
PS_INTERRUPTS = {"zynq7000": "IRQ_F2P", "zynqmp": "pl_ps_irq0"}
PORT_NAMES = {"zynq7000": "S_AXI_{}", "zynqmp": "S_AXI_{}_FPD"}

#: Device files to choose when Vivado is installed.
DEVICES = {"zynq7000": "Zynq-7000", "zynqmp": "Zynq UltraScale+ MPSoC"}


@dataclass(frozen=True)
class MemoryLink:
    """A memory port of the processing system, and the engine's ports that it serves.

    Attributes:
        cell: the interconnect between them.
        slave: the port's interface.
        masters: bundles of the engine.
    """

    cell: str
    slave: str
    masters: tuple[str, ...]


def memory_links(board: Board) -> list[MemoryLink]:
    """Deal the engine's memory ports to those of the board, in turn."""
    ports = board.processing_system.memory_ports[: len(BUNDLE_NAMES)]
    return [
        MemoryLink(
            cell=f"memory_axi_{port.lower()}",
            slave=PORT_NAMES[board.family].format(port),
            masters=BUNDLE_NAMES[index :: len(ports)],
        )
        for index, port in enumerate(ports)
    ]


def bitstream_name(model: str, board: Board) -> str:
    """Return the stem of a build's bitstream, in front of its hash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"{model}-{board.name}")


def render_vivado(target: Path, *, model: str, board: Board, engines: Sequence[str]) -> None:
    """Write the scripts into the folder ``target`` (created).

    Args:
        target: folder to write, beside those of the engines.
        model: the network's name.
        board: part, clock, processing system.
        engines: the engines that were rendered.
    """
    templates = asset("templates", "vivado")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Tcl, not HTML
    )
    environment.filters["line"] = _line
    environment.filters["number"] = _number
    links = memory_links(board)
    context = {
        "model": model,
        "board": board,
        "acsgen_version": acsgen.__version__,
        "engines": list(engines),
        "name": bitstream_name(model, board),
        "ip_name": IP_NAME,
        "masters": BUNDLE_NAMES,
        "register_bytes": 2**CONTROL_ADDRESS_BITS,
        "links": links,
        "ports": board.processing_system.memory_ports[: len(links)],
        "interconnect": INTERCONNECTS[board.family],
        "ps_master": PS_MASTERS[board.family],
        "ps_irq": PS_INTERRUPTS[board.family],
        "device": DEVICES[board.family],
    }
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(templates.iterdir()):
        if path.name in _PARTS:
            continue
        if path.suffix == _TEMPLATE:
            text = environment.get_template(path.name).render(context)
            (target / path.stem).write_text(text, encoding="utf-8")
        else:
            (target / path.name).write_bytes(path.read_bytes())


def _line(text: str) -> str:
    """Return a text for a comment: on one line, without a backslash that would join the next."""
    return " ".join(text.replace("\\", "/").split())


def _number(value: object) -> str:
    """Return a number without a needless point, other values as they are."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
