"""Engines of the random tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.differential.engines import EngineUnderTest, engines_for


@pytest.fixture(scope="package")
def cache(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.cache.mkdir("acsgen-engines"))


@pytest.fixture(scope="package")
def both(cache: Path) -> EngineUnderTest:
    """C simulation and RTL."""
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    return engines_for(4, cache)
