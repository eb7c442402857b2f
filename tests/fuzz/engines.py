"""The engines that are compared, compiled once for each configuration and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acsgen.engines.rtl import RtlEngine, cached_model
from tests.differential.engines import CONFIGURATIONS, EngineUnderTest, compiled_engine

#: No valid case takes longer.
MAX_CYCLES = 5_000_000


def engines_for(lane_groups: int, cache: Path, rtl: bool = True) -> EngineUnderTest:
    """Compile both engines, or take them from a cache if their sources are the same."""
    config = CONFIGURATIONS[lane_groups]
    simulation = RtlEngine(cached_model(config), max_cycles=MAX_CYCLES) if rtl else None
    return replace(compiled_engine(config, cache), rtl=simulation)
