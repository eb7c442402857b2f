"""The size of engines: those of the shipped boards fit, and larger ones are refused."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import pytest

from acsgen.cost.operators import Operator, operator_counts
from acsgen.cost.resources import EstimateWarning, check_resources, estimate_resources
from acsgen.isa.generated import LANES
from acsgen.program.board import board_names, load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", board_names())
def test_shipped_boards_hold_their_engines(name: str) -> None:
    board = load_board(name)
    estimate = check_resources(EngineConfig.for_board(board), board)
    assert estimate.source == "estimate"
    assert board.lane_groups is not None
    assert estimate.dsp >= 32 * board.lane_groups


def test_look_up_tables_are_doubted_and_refuse_no_engine() -> None:
    """Of look-up tables the estimate is rough; only a synthesis can tell."""
    zedboard = load_board("zedboard")
    # Half of the tables: as many as an XC7Z010 has, and half again.
    resources = zedboard.resources.model_copy(update={"lut": 26_600})
    small = zedboard.model_copy(update={"resources": resources})
    with pytest.warns(EstimateWarning, match=" LUT, the part has") as caught:
        check_resources(EngineConfig.for_board(small, 1), small)
    # Its engine has one lane group, so that fewer are no advice.
    assert "another board" in str(caught[0].message)
    assert "fewer lane groups" not in str(caught[0].message)


def test_four_lane_groups_fit_the_zedboard_and_seven_do_not() -> None:
    board = load_board("zedboard")
    assert check_resources(EngineConfig.for_board(board, 4), board).dsp <= 205
    with pytest.raises(UserError, match="DSP, the part has 220"):
        check_resources(EngineConfig.for_board(board, 7), board)


def test_the_estimate_is_the_sum_of_its_operators() -> None:
    """A lane group more is so many pairs of lanes more, and their sums that leave."""
    one = EngineConfig(2, feature_kib=256, weight_kib=32, vector_bytes=8192)
    more = estimate_resources(replace(one, lane_groups=3))
    less = estimate_resources(one)
    pair = operator_counts()[Operator.PAIR]
    assert more.dsp - less.dsp == LANES // 2 * pair.dsp
    assert more.lut - less.lut >= LANES // 2 * pair.lut
    lane = operator_counts()[Operator.POST_LANE]
    fewer = estimate_resources(replace(one, post_lanes=8))
    assert less.dsp - fewer.dsp == 8 * lane.dsp


def test_memory_takes_the_block_rams_that_it_needs() -> None:
    engine = EngineConfig.for_board(load_board("zedboard"))
    more = replace(engine, feature_kib=engine.feature_kib + 64)
    assert estimate_resources(more).bram36 - estimate_resources(engine).bram36 == 16


def test_the_rtl_alone_is_known_by_its_syntheses() -> None:
    """Six lane groups fit an XC7Z020 in the RTL; the estimate of the HLS engine says 245 DSPs."""
    board = load_board("zedboard")
    engine = EngineConfig.for_board(board, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check_resources(engine, board, "rtl")
    total = json.loads(asset("benchmarks", "synthesis.json").read_text())["zedboard, 6 groups"]
    assert found.source == "synthesis"
    counted = (found.dsp, found.lut, found.ff, 2 * found.bram36)
    assert counted == tuple(total["total"][kind] for kind in ("dsp", "lut", "ff", "bram18"))
    with pytest.warns(EstimateWarning, match="is estimated to take .* DSP, the part has 220"):
        check_resources(engine, board, "hls")


def test_a_synthesis_is_not_called_an_estimate_where_something_is_short() -> None:
    zedboard = load_board("zedboard")
    resources = zedboard.resources.model_copy(update={"lut": 26_600})
    small = zedboard.model_copy(update={"resources": resources})
    with pytest.warns(EstimateWarning, match="the engine takes, by synthesis, .* LUT"):
        check_resources(EngineConfig.for_board(small, 4), small, "rtl")


def test_an_rtl_engine_that_was_not_synthesized_is_estimated() -> None:
    """Between the syntheses of four and six groups lies that of five."""
    board = load_board("zedboard")
    four, five, six = (
        check_resources(EngineConfig.for_board(board, groups), board, "rtl") for groups in (4, 5, 6)
    )
    assert five.source == "estimate"
    assert four.ff < five.ff < six.ff
    assert five.bram36 == estimate_resources(EngineConfig.for_board(board, 5)).bram36


def test_all_shortages_are_told() -> None:
    board = load_board("zedboard")
    engine = EngineConfig(lane_groups=16, feature_kib=1024, weight_kib=64, vector_bytes=8192)
    with pytest.raises(UserError) as caught:
        check_resources(engine, board)
    text = [str(p) for p in caught.value.problems]
    assert len(text) == 2
    for problem, name in zip(text, ("DSP", "BRAM36"), strict=True):
        assert f" {name}, the part has" in problem
        assert "short" in problem
