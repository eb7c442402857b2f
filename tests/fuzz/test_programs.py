"""Random and damaged programs: the engines do what the specification says, word by word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acsgen.isa.generated import Status

from .engines import twins
from .session import try_programs


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.cache.mkdir("acsgen-engines"))


@pytest.mark.rtl
def test_on_both_engines(cache: Path) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    tally = try_programs(twins(4, cache), count=60, chosen_seed=1, damages=3)
    assert tally["programs"] >= 60
    for status in (Status.OK, Status.BAD_FIELD, Status.ILLEGAL_OPCODE):
        assert tally[status.name] > 10


@pytest.mark.parametrize("lane_groups", [1, 3, 6])
def test_on_the_c_simulation(lane_groups: int, cache: Path) -> None:
    engines = twins(lane_groups, cache, rtl=False)
    assert try_programs(engines, count=60, chosen_seed=2, damages=2)["programs"] >= 60
