"""The simulation that a bench runs on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from acsgen.emit.hls import render_hls
from acsgen.emit.rtl import render_rtl
from acsgen.engines.base import Engine, Implementation
from acsgen.engines.registry import SIMULATIONS, Simulation
from acsgen.engines.rtl import Memory
from acsgen.isa.generated import Instruction, Opcode
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig

#: Sources name the sizes that a program reaches, for reports of Vitis HLS, and run any program.
_LEAST = (
    Instruction(Opcode.LOAD, channels=1, dst_height=1, dst_width=1, dst_step=1),
    Instruction(Opcode.END),
)


def simulation_of(implementation: Implementation) -> Simulation:
    """Return the simulation that runs an implementation of the engine."""
    return next(s for s in SIMULATIONS.values() if s.implementation == implementation)


def open_engine(
    simulation: Simulation, board: Board, config: EngineConfig, memory: Memory
) -> Engine:
    """Return the engine of ``config`` behind ``memory``, compiled on first use.

    Raises:
        UserError: the simulation's tools are not installed.
    """
    simulation.require_tools()
    with tempfile.TemporaryDirectory(prefix="acsgen-bench-") as scratch:
        sources = Path(scratch) / simulation.implementation
        if simulation.implementation == "rtl":
            render_rtl(sources, model="bench", board=board, engine=config)
        else:
            render_hls(
                sources,
                model="bench",
                board=board,
                engine=config,
                instructions=_LEAST,
                params_words=1,
                image_words=1,
                result_words=1,
                traced_words=1,
            )
        return simulation.open(simulation.compile(sources, config, waves=False), memory, waves=None)
