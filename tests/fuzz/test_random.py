"""Random programs, graphs and networks: golden model, C simulation and RTL agree in every bit."""

from __future__ import annotations

import pytest

from acsgen.isa.generated import Status
from tests.differential.engines import Engines, EngineUnderTest

from .session import try_graphs, try_networks, try_programs


@pytest.mark.rtl
def test_programs_on_the_rtl(both: EngineUnderTest) -> None:
    tally = try_programs(both, count=80, chosen_seed=1)
    assert tally["programs"] >= 80
    # Damaged programs come to all kinds of ends.
    for status in (Status.OK, Status.BAD_FIELD, Status.ILLEGAL_OPCODE, Status.PARAM_RANGE):
        assert tally[status.name] > 5, status.name


@pytest.mark.rtl
def test_graphs_on_the_rtl(both: EngineUnderTest) -> None:
    assert try_graphs(both, count=15, chosen_seed=1)["programs"] >= 12


@pytest.mark.parametrize("lane_groups", [4, 1, 3, 6])
def test_on_the_c_simulation(engines: Engines, lane_groups: int) -> None:
    engine = engines(lane_groups)
    assert try_programs(engine, count=60, chosen_seed=2)["programs"] >= 60
    tally = try_graphs(engine, count=40, chosen_seed=2)
    assert tally["refused"] <= 4, "the graphs are meant to fit"


def test_networks(engines: Engines) -> None:
    engine = engines(4)
    assert try_networks(engine, count=10, chosen_seed=1)["programs"] >= 5
