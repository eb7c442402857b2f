"""Engines of the random tests."""

from __future__ import annotations

import pytest

from tests.differential.engines import Engines, EngineUnderTest


@pytest.fixture(scope="package")
def both(engines: Engines) -> EngineUnderTest:
    """C simulation and RTL."""
    return engines(4, True)
