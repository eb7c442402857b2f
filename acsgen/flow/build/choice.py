"""Which forms of the engine a build renders, and which simulations it runs."""

from __future__ import annotations

from typing import Literal, get_args

from acsgen.engines.base import Implementation
from acsgen.engines.registry import SIMULATIONS, Simulation, SimulationName
from acsgen.support.errors import Problem, UserError

IMPLEMENTATIONS: tuple[Implementation, ...] = get_args(Implementation)


def implementations_of(engine: Implementation | Literal["both"]) -> tuple[Implementation, ...]:
    """Return the implementations that ``--engine`` renders."""
    return IMPLEMENTATIONS if engine == "both" else (engine,)


def simulations_of(
    engine: Implementation | Literal["both"], verify: SimulationName | Literal["both"] | None
) -> tuple[Simulation, ...]:
    """Return the simulations that a build runs, after a look at the tools that they take.

    A simulation that takes no time runs wherever its sources are rendered; another one runs
    where ``verify`` asks for it, or where no other simulation can prove the build.

    Raises:
        UserError: ``verify`` names an engine that is not rendered, or a tool is missing.
    """
    rendered = implementations_of(engine)
    possible = [s for s in SIMULATIONS.values() if s.implementation in rendered]
    asked = set(SIMULATIONS) if verify == "both" else {verify} - {None}
    if not asked <= {s.name for s in possible}:
        raise UserError(
            Problem(
                f"--verify {verify}",
                f"simulates what --engine {engine} does not render",
                f"add --engine both, or verify {possible[0].name}",
            )
        )
    chosen = [s for s in possible if s.quick or s.name in asked] or possible
    for simulation in chosen:
        simulation.require_tools()
    return tuple(chosen)
