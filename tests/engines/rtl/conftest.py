"""RTL engines for the tests, each compiled once; skipped, and said so, without Verilator."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from acsgen.engines.csim import CSimEngine
from acsgen.engines.rtl import RtlEngine, cached_model
from acsgen.program.engine_config import EngineConfig
from tests.differential.engines import CONFIGURATIONS, compiled_engine


@dataclass(frozen=True)
class Twins:
    """The same engine in C++ and in SystemVerilog."""

    config: EngineConfig
    csim: CSimEngine
    rtl: RtlEngine


@pytest.fixture(scope="session")
def twins(request: pytest.FixtureRequest) -> Callable[[int], Twins]:
    """Gives both engines with so many lane groups."""
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    folder = request.config.cache.mkdir("acsgen-engines")

    @cache
    def made(lane_groups: int) -> Twins:
        config = CONFIGURATIONS[lane_groups]
        csim = compiled_engine(config, folder).csim
        return Twins(config, csim, RtlEngine(cached_model(config), max_cycles=5_000_000))

    return made
