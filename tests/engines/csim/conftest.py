"""Engines for the tests, each rendered and compiled once for all test processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.engines.csim import build_library
from acsgen.engines.csim.compile import STRICT
from acsgen.program.engine_config import EngineConfig
from tests.differential.engines import CONFIGURATIONS, Engines, EngineUnderTest

from .rendering import render_engine

#: Small memories: their ends are near.
SMALL = EngineConfig(3, feature_kib=64, weight_kib=12, vector_bytes=4096, post_lanes=8)

#: Ends the process at the first access outside an array, and at undefined behaviour. Sums of a
#: damaged program may overflow: hardware wraps around.
SANITIZE = ("-O1", "-fwrapv", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(params=sorted(CONFIGURATIONS), ids=lambda groups: f"lanes{groups}")
def engine(request: pytest.FixtureRequest, engines: Engines) -> EngineUnderTest:
    """Each engine in turn."""
    return engines(request.param)


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of a small engine that stops with a message at any stray access."""
    folder = tmp_path_factory.mktemp("sanitized")
    return build_library(render_engine(folder, SMALL), folder / "engine.so", (*SANITIZE, *STRICT))
