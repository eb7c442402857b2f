"""The engines that are compared, compiled once for each configuration and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acsgen.compiler import EngineConfig
from acsgen.csim import CSimEngine
from acsgen.rtlsim import RtlEngine, cached_model
from tests.differential.engines import CONFIGURATIONS, compiled_engine

#: No valid case takes longer.
MAX_CYCLES = 5_000_000


@dataclass(frozen=True)
class Twins:
    """The same engine in C++ and in SystemVerilog."""

    config: EngineConfig
    csim: CSimEngine
    rtl: RtlEngine | None


def twins(lane_groups: int, cache: Path, rtl: bool = True) -> Twins:
    """Compile both engines, or take them from ``cache`` if their sources are the same."""
    config = CONFIGURATIONS[lane_groups]
    simulation = None
    if rtl:
        simulation = RtlEngine(cached_model(config), max_cycles=MAX_CYCLES)
    return Twins(config, compiled_engine(config, cache).csim, simulation)
