"""The number of lane groups: named ones stay, and open ones are the most that fit by figures."""

from __future__ import annotations

import json
import re
import warnings
from itertools import pairwise
from typing import Any

import pytest

from acsgen.cost.lane_groups import MOST_LANE_GROUPS, choose_lane_groups, engine_for
from acsgen.cost.resources import EstimateWarning, estimate_resources
from acsgen.cost.rtl_figures import rtl_figures
from acsgen.program.board import AUTO, Board, board_names, load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset

pytestmark = pytest.mark.unit


def board_with(name: str = "zedboard", lut: int = 0, dsp: int = 0, **keys: Any) -> Board:
    """A shipped board with its number of lane groups left open, and other keys."""
    board = load_board(name)
    resources = board.resources.model_copy(
        update={k: v for k, v in {"lut": lut, "dsp": dsp}.items() if v}
    )
    return board.model_copy(update={"lane_groups": None, "resources": resources} | keys)


def recorded(groups: int) -> Any:
    content = json.loads(asset("benchmarks", "synthesis.json").read_text())
    return content[f"zedboard, {groups} groups"]["total"]


@pytest.mark.parametrize("groups", [4, 6])
def test_an_engine_that_was_synthesized_has_its_figures(groups: int) -> None:
    board = load_board("zedboard")
    engine = EngineConfig.for_board(board, groups)
    found = rtl_figures(engine, board.family)
    total = recorded(groups)
    assert (found.lut, found.dsp, found.source) == (total["lut"], total["dsp"], "synthesis")
    # Another family has other slices, so that the same figures are an estimate there.
    assert rtl_figures(engine, "zynqmp").source == "estimate"
    assert rtl_figures(engine, "zynqmp").lut == total["lut"]


def test_between_the_syntheses_units_are_counted_and_the_rest_is_on_a_line() -> None:
    """Sixteen requantization lanes with five groups; small products take no DSPs, as with six."""
    board = load_board("zedboard")
    engine = EngineConfig.for_board(board, 5)
    assert engine.post_lanes == 16
    found = rtl_figures(engine, board.family)
    assert found.source == "estimate"
    assert found.dsp == recorded(6)["dsp"] - 32 + 8 * 2
    entries = json.loads(asset("benchmarks", "synthesis.json").read_text())
    rests = []
    for groups, lanes in ((4, 16), (6, 8)):
        units = entries[f"zedboard, {groups} groups"]["units"]
        luts = {name.partition("(")[0]: unit["lut"] for name, unit in units.items()}
        group, lane = luts["acs_lane_group"], luts["acs_requantize"]
        rests.append(recorded(groups)["lut"] - groups * group - lanes * lane)
    assert found.lut == round(sum(rests) / 2 + 5 * group + 16 * lane)


def test_figures_grow_with_the_lane_groups() -> None:
    board = load_board("zcu104")
    found = [rtl_figures(EngineConfig.for_board(board, n), board.family) for n in range(1, 17)]
    assert [f.lut for f in found] == sorted({f.lut for f in found})
    # From four groups to five small products leave the multipliers, those of 16 lanes among them.
    others = recorded(4)["dsp"] - 4 * 32 - 16 * 3, recorded(6)["dsp"] - 6 * 32 - 8 * 2
    fewer = 16 + others[0] - others[1]
    assert [b.dsp - a.dsp for a, b in pairwise(found)] == [32] * 3 + [32 - fewer] + [32] * 11


@pytest.mark.parametrize("name", board_names())
def test_the_number_of_a_board_file_stays(name: str) -> None:
    board = load_board(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choice = choose_lane_groups(board)
    assert (choice.lane_groups, choice.chosen_by) == (board.lane_groups, "board file")
    assert engine_for(board) == EngineConfig.for_board(board)


def test_the_share_of_a_number_in_a_board_file_is_told_and_what_fits() -> None:
    choice = choose_lane_groups(load_board("zedboard"))
    assert choice.by_figures == 3
    total = recorded(4)
    assert f"RTL {total['lut']:,} of 53,200 LUT" in choice.reason
    assert "by synthesis" in choice.reason
    assert choice.reason.startswith("as the board file says")
    assert choice.reason.endswith(
        "; the most below 80 % of the LUTs and 98 % of the DSPs would be 3 (--lanes auto)"
    )


def test_an_open_number_is_the_largest_that_fits_every_form() -> None:
    """On an XC7Z020 three: a fourth takes 85 % of its look-up tables in the HLS engine."""
    board = board_with()
    choice = choose_lane_groups(board)
    assert (choice.lane_groups, choice.chosen_by, choice.by_figures) == (3, "figures", 3)
    assert all(part.fits for part in choice.shares)
    assert not all(part.fits for part in choose_lane_groups(board, 4).shares)
    assert choice.reason.startswith("the most below 80 % of the LUTs and 98 % of the DSPs: HLS ")
    assert "by the estimate from syntheses with 4 and 6 lane groups" in choice.reason
    assert engine_for(board).lane_groups == 3


def test_multipliers_limit_too_and_each_form_by_itself() -> None:
    """Tables enough for all: of the DSPs the HLS engine takes 11 more with 16 lanes behind."""
    board = board_with(lut=530_000)
    for forms in (("hls",), ("rtl",), ("hls", "rtl")):
        choice = choose_lane_groups(board, forms=forms)
        dsp = {part.engine: part.dsp for part in choice.shares}
        assert tuple(dsp) == forms
        assert all(taken <= 0.98 * 220 for taken in dsp.values())
        more = EngineConfig.for_board(board, choice.lane_groups + 1)
        beyond = {"hls": estimate_resources(more).dsp, "rtl": rtl_figures(more, "zynq7000").dsp}
        assert any(beyond[form] > 0.98 * 220 for form in forms)


def test_a_number_that_is_asked_for_is_taken_before_all() -> None:
    choice = choose_lane_groups(board_with(), 2)
    assert (choice.lane_groups, choice.chosen_by) == (2, "--lanes")
    assert choice.reason.startswith("as asked by --lanes")


@pytest.mark.parametrize(("forms", "groups"), [(("hls", "rtl"), 3), (("hls",), 3), (("rtl",), 6)])
def test_as_many_as_fit_may_be_asked_for_where_the_board_file_has_a_number(
    forms: tuple[str, ...], groups: int
) -> None:
    """The RTL alone has room for six on an XC7Z020: 76 % of its tables, 97.7 % of its DSPs."""
    choice = choose_lane_groups(load_board("zedboard"), AUTO, forms)
    assert (choice.lane_groups, choice.chosen_by) == (groups, "figures")
    assert choice == choose_lane_groups(board_with(), forms=forms)
    assert choice.reason.startswith("the most below 80 % of the LUTs and 98 % of the DSPs: ")


def test_a_number_that_is_the_most_that_fits_needs_no_hint() -> None:
    reason = choose_lane_groups(board_with(), 3).reason
    assert reason.endswith("of the DSPs would be 3")


def test_a_part_too_small_for_one_gets_one_and_a_warning_with_figures() -> None:
    board = board_with(lut=30_000)
    with pytest.warns(
        EstimateWarning, match=r"not even one lane group .* of 30,000 LUT \("
    ) as seen:
        choice = choose_lane_groups(board)
    assert (choice.lane_groups, choice.by_figures) == (1, 0)
    assert "name the lanes: --lanes, or lane_groups in the board file" in str(seen[0].message)
    assert choice.reason.startswith("the least, and above 80 %")


def test_memories_that_would_be_refused_are_not_chosen() -> None:
    """Banks of a number that does not divide them take more block RAMs than the next smaller."""
    fewest = estimate_resources(EngineConfig.for_board(load_board("zcu104"), 8)).bram36
    # Tables for 15 groups, and not for 16.
    board = board_with("zcu104", lut=105_000)
    assert choose_lane_groups(board).lane_groups == 15
    resources = board.resources.model_copy(update={"bram36": fewest, "uram": 0})
    tight = board.model_copy(update={"resources": resources})
    chosen = choose_lane_groups(tight).lane_groups
    assert chosen == 8
    assert estimate_resources(EngineConfig.for_board(tight, chosen + 1)).bram36 > fewest


def test_no_more_are_chosen_than_the_rtl_can_have() -> None:
    text = asset("hw", "rtl", "acs_pkg.sv").read_text()
    assert re.findall(r"MAX_LANE_GROUPS = (\d+);", text) == [str(MOST_LANE_GROUPS)]
    board = board_with("zcu104", lut=9_999_999, dsp=9_999)
    assert choose_lane_groups(board).lane_groups == MOST_LANE_GROUPS
