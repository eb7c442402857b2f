"""The size of engines: those of the shipped boards fit, and larger ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acsgen.cost.resources import check_resources, estimate_resources
from acsgen.program.board import board_names, load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", board_names())
def test_every_shipped_board_holds_its_engine(name: str) -> None:
    board = load_board(name)
    estimate = check_resources(EngineConfig.for_board(board), board)
    assert estimate.source == "estimate"
    assert estimate.dsp >= 32 * board.lane_groups


def test_six_lane_groups_fit_the_zedboard_and_seven_do_not() -> None:
    board = load_board("zedboard")
    assert check_resources(EngineConfig.for_board(board, 6), board).dsp <= 220
    with pytest.raises(UserError, match="DSP, the part has 220"):
        check_resources(EngineConfig.for_board(board, 7), board)


def test_memory_takes_the_block_rams_that_it_needs() -> None:
    engine = EngineConfig.for_board(load_board("zedboard"))
    more = replace(engine, feature_kib=engine.feature_kib + 64)
    assert estimate_resources(more).bram36 - estimate_resources(engine).bram36 == 16


def test_all_shortages_are_told() -> None:
    board = load_board("zybo-z7-10")
    engine = EngineConfig(lane_groups=16, feature_kib=1024, weight_kib=64, vector_bytes=8192)
    with pytest.raises(UserError) as caught:
        check_resources(engine, board)
    text = [str(p) for p in caught.value.problems]
    assert len(text) == 4
    for problem, name in zip(text, ("DSP", "BRAM36", "LUT", "FF"), strict=True):
        assert f" {name}, the part has" in problem
        assert "short" in problem
