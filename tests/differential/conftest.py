"""Compiled engines, shared by all tests and all test processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache

import pytest

from tests.differential.engines import EngineUnderTest, engines_for

#: Gives the engine with so many lane groups, as C++ alone or with its SystemVerilog twin.
Engines = Callable[..., EngineUnderTest]


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    folder = request.config.cache.mkdir("acsgen-engines")

    @cache
    def made(lane_groups: int, rtl: bool = False) -> EngineUnderTest:
        if rtl and shutil.which("verilator") is None:
            pytest.skip("verilator is not installed")
        return engines_for(lane_groups, folder, rtl)

    return made


@pytest.fixture(scope="session")
def engine(engines: Engines) -> EngineUnderTest:
    """The default engine."""
    return engines(4)
