"""Writes the SystemVerilog engine of a build: sources, a top of fixed size, packaging for Vivado.

The sources are those of ``hw/rtl``, unchanged; only the top depends on the build.  Its ports are
those that Vitis HLS gives the C++ engine.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import jinja2

import acsgen
from acsgen.emit.bundles import BUNDLE_NAMES, CONTROL_ADDRESS_BITS
from acsgen.emit.rtl_sources import OF_THE_PART, parameters, rtl_sources
from acsgen.isa.generated import LANES, SPEC_HASH
from acsgen.isa.spec import Spec, load_spec
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset

#: Name of the IP, and of the top function of the HLS engine.
IP_NAME = "acs_engine"

#: Module around the engine that has the ports of the HLS engine.
TOP_MODULE = "acs_engine_top"


def render_rtl(target: Path, *, model: str, board: Board, engine: EngineConfig) -> None:
    """Write the RTL of an engine into the folder ``target`` (created).

    Args:
        target: folder to write.
        model: the network's name, for titles.
        board: part and clock.
        engine: sizes of the engine.
    """
    target.mkdir(parents=True, exist_ok=True)
    sources = rtl_sources()
    for path in sources:
        shutil.copyfile(path, target / path.name)
    context = {
        "model": model,
        "board": board,
        "acsgen_version": acsgen.__version__,
        "engine": engine,
        "lanes": LANES,
        "parameters": parameters(engine) | OF_THE_PART,
        "bundles": BUNDLE_NAMES,
        "control_bits": CONTROL_ADDRESS_BITS,
        "ip_name": IP_NAME,
        "top": TOP_MODULE,
        "sources": [path.name for path in sources],
        "registers": ip_registers(load_spec()),
        "spec_hash": SPEC_HASH,
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates", "rtl")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # Verilog and Tcl, not HTML
    )
    for name in sorted(environment.list_templates()):
        text = environment.get_template(name).render(context)
        (target / name.removesuffix(".j2")).write_text(text, encoding="utf-8")


def ip_registers(spec: Spec) -> list[tuple[str, int, str, str]]:
    """Return (name, offset, access, documentation) of all registers, as Vitis HLS names them."""
    control = {"CONTROL": "CTRL", "GIE": "GIER", "IER": "IP_IER", "ISR": "IP_ISR"}
    found = [
        (control[name], register.offset, "read-write", register.doc)
        for name, register in spec.control_registers.items()
    ]
    for register in spec.registers:
        name, offset, doc = register.name, register.offset, register.doc
        if register.kind == "pointer":
            found.append((f"{name}_1", offset, "read-write", f"{doc} Bits 31:0."))
            found.append((f"{name}_2", offset + 4, "read-write", f"{doc} Bits 63:32."))
        elif register.kind == "input":
            found.append((name, offset, "read-write", doc))
        else:
            found.append((name, offset, "read-only", doc))
            found.append((f"{name}_ctrl", offset + 4, "read-only", f"Bit 0: {name} is valid."))
    return found
