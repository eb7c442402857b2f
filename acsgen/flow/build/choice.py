"""Which engines a build renders, and which of them it simulates."""

from __future__ import annotations

from typing import Literal

from acsgen.engines.csim.compile import ap_types_directory, compiler
from acsgen.engines.rtl import verilator
from acsgen.support.errors import Problem, UserError
from acsgen.verify.builddir import Engine

Simulation = Literal["csim", "rtl"]
_SIMULATION: dict[Engine, Simulation] = {"hls": "csim", "rtl": "rtl"}
_ASKED: dict[str | None, tuple[Simulation, ...]] = {
    None: (),
    "csim": ("csim",),
    "rtl": ("rtl",),
    "both": ("csim", "rtl"),
}


def engines_of(engine: Literal["hls", "rtl", "both"]) -> tuple[Engine, ...]:
    """Return what ``--engine`` renders."""
    return ("hls", "rtl") if engine == "both" else (engine,)


def simulations_of(
    engine: Literal["hls", "rtl", "both"], verify: Literal["csim", "rtl", "both"] | None
) -> tuple[Simulation, ...]:
    """Return what is simulated, after a look at the tools that it takes.

    The HLS C++ always runs where it is rendered; the RTL where ``verify`` asks for it, or where
    there is nothing else to prove the build with.

    Raises:
        UserError: something to verify that is not rendered, or a tool that is missing.
    """
    rendered = [_SIMULATION[name] for name in engines_of(engine)]
    asked = _ASKED[verify]
    missing = [name for name in asked if name not in rendered]
    if missing:
        raise UserError(
            Problem(
                f"--verify {verify}",
                f"simulates what --engine {engine} does not render",
                f"add --engine both, or verify {rendered[0]}",
            )
        )
    chosen: list[Simulation] = []
    if "csim" in rendered:
        compiler()
        ap_types_directory()
        chosen.append("csim")
    if "rtl" in asked or not chosen:
        verilator()
        chosen.append("rtl")
    return tuple(chosen)
