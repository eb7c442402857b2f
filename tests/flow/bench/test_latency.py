"""The engines behind slower memories: the same results, and few more cycles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from acsgen.engines.base import Implementation
from acsgen.engines.rtl import Memory
from acsgen.flow.bench import (
    GatedNetwork,
    chosen_cases,
    load_network,
    open_engine,
    simulation_of,
)
from acsgen.ir.integer import IntGraph
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig

NETWORK = "resnet8"
USUAL = 32

Measure = dict[str, float]


@cache
def quantized() -> tuple[IntGraph, NDArray[np.uint8]]:
    return load_network(NETWORK)


@cache
def measured(
    built_for: int, latency: int, engine_of: Implementation = "hls", share: float = 1
) -> Measure:
    """Return cycles by masks, behind a memory with a share of the board's bandwidth.

    Logits, masks and counters are compared with the golden model's.
    """
    simulation, board = simulation_of(engine_of), load_board("zedboard")
    engine = replace(EngineConfig.for_board(board, None), latency_cycles=built_for)
    usual = Memory.for_board(board)
    memory = replace(usual, latency=latency, bandwidth=round(usual.bandwidth * share))
    graph, images = quantized()
    simulated = open_engine(simulation, board, engine, memory)
    bench = GatedNetwork(graph, engine, simulated, images)
    cases = chosen_cases((f"{NETWORK}/dense", f"{NETWORK}/own"))
    return {case.masks: bench.measure(case).cycles for case in cases}


@pytest.fixture(scope="module")
def usual() -> Measure:
    return measured(USUAL, USUAL)


@pytest.mark.parametrize("latency", [8, 128])
def test_an_engine_built_for_its_memory_hides_the_latency(usual: Measure, latency: int) -> None:
    found = measured(latency, latency)
    assert found["dense"] == pytest.approx(usual["dense"], rel=0.01)
    assert found["own"] == pytest.approx(usual["own"], rel=0.09)


def test_a_memory_slower_than_the_engine_was_built_for_costs_more(usual: Measure) -> None:
    """A seventh with masks, little without gates, as decision 0008 says."""
    own, slow = measured(128, 128), measured(USUAL, 128)
    assert own["own"] < slow["own"] < 1.2 * usual["own"]
    assert own["dense"] < slow["dense"] < 1.03 * usual["dense"]


def test_a_faster_memory_costs_nothing(usual: Measure) -> None:
    fast = measured(USUAL, 8)
    assert all(fast[masks] <= usual[masks] for masks in usual)


def test_the_rtl_hides_the_latency() -> None:
    """Words are asked for far ahead, and small gaps between wanted ones are read: at most 5 %."""
    usual, slow = (measured(USUAL, latency, "rtl") for latency in (USUAL, 128))
    assert slow["dense"] <= 1.01 * usual["dense"]
    assert slow["own"] <= 1.05 * usual["own"]


def test_the_rtl_lives_with_a_quarter_of_the_bandwidth() -> None:
    """The image comes while its convolution runs, and words of many instructions come ahead."""
    usual, slow = (measured(USUAL, USUAL, "rtl", share) for share in (1, 0.25))
    assert slow["own"] <= 1.30 * usual["own"]
