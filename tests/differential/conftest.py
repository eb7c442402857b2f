"""The engine of most comparisons."""

from __future__ import annotations

import pytest

from tests.differential.engines import Engines, EngineUnderTest


@pytest.fixture(scope="session")
def engine(engines: Engines) -> EngineUnderTest:
    """The default engine."""
    return engines(4)
