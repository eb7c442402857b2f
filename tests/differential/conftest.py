"""Compiled engines, shared by all tests and all test processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.differential.engines import CONFIGURATIONS, EngineUnderTest, compiled_engine

#: Gives the engine with so many lane groups.
Engines = Callable[[int], EngineUnderTest]


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    folder = request.config.cache.mkdir("acsgen-engines")
    return cache(lambda lane_groups: compiled_engine(CONFIGURATIONS[lane_groups], folder))


@pytest.fixture(scope="session")
def engine(engines: Engines) -> EngineUnderTest:
    """The default engine."""
    return engines(4)
