"""Axes of sweeps: which there are, which values, and what is said about others."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.flow.sweep.axes import BUILD_AXES, parse_space
from acsgen.flow.sweep.plan import SweepRequest, make_plan
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit


def refusal(*texts: str, of_recipe: bool = False) -> str:
    with pytest.raises(UserError) as caught:
        parse_space(texts, of_recipe)
    return str(caught.value)


def test_the_axes_of_a_model_and_those_of_a_recipe() -> None:
    space = parse_space(["threshold=default,0.5", "alpha=1,2", "lanes=64,128"], True)
    assert [axis.key for axis in space.building] == ["threshold", "lanes"]
    assert [axis.key for axis in space.training] == ["alpha"]
    assert space.points == 8
    assert parse_space(["weight_bits=8,4"], False).points == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weight_bits=8,16", "weight_bits=16: weights have 4 to 8 bits, not 16"),
        ("weight_bits=3", "weight_bits=3: weights have 4 to 8 bits, not 3"),
        ("weight_bits=4.5", "no number"),
        ("threshold=1.5", "lies in 0 to 1"),
        ("threshold=nan", "lies in 0 to 1"),
        ("threshold=half", "no number"),
        ("threshold=0.5,0.50", "is 0.5 again"),
        ("threshold=", "not of the form"),
        ("lanes=100", "groups of 64"),
        ("lanes=64.5", "no number"),
        ("clock=0", "lies in 1 to 1000 MHz"),
        ("clock=inf", "lies in 1 to 1000 MHz"),
        ("board=zedbord", "did you mean zedboard"),
        ("alpha=0.1,0.2", "gates have a threshold"),
        ("colour=1,2", "axes of a model file are threshold, lanes, board, clock, weight_bits"),
    ],
)
def test_values_that_cannot_be_are_refused_in_words(text: str, said: str) -> None:
    assert said in refusal(text)


def test_no_axis_is_no_sweep_and_one_axis_comes_once() -> None:
    assert "nothing to sweep over" in refusal()
    assert "is given twice" in refusal("threshold=0.1", "threshold=0.2")


def test_every_problem_is_told_at_once() -> None:
    said = refusal("lanes=1", "clock=0", "weight_bits=2", "board=none")
    assert all(word in said for word in ("lanes=1", "clock=0", "weight_bits=2", "none"))


def test_more_points_than_anybody_means_are_refused() -> None:
    many = ",".join(str(i / 1000) for i in range(999))
    assert "10,000 at most" in refusal(
        f"threshold={many}", "clock=50,60,70,80,90,100,110,120,130,140,150"
    )


def test_all_rows_have_the_same_images() -> None:
    said = refusal("data.name=digits32,svhn", of_recipe=True)
    assert "different images" in said
    assert parse_space(["data.train_limit=100,200"], True).points == 2


def test_every_axis_of_a_build_changes_its_request() -> None:
    values = {"threshold": "0.25", "lanes": "128", "board": "pynq-z2", "clock": "75"}
    values["weight_bits"] = "5"
    assert set(BUILD_AXES) == set(values)
    plan = make_plan(
        SweepRequest(Path("x.pt"), tuple(f"{k}={v}" for k, v in values.items()), Path("out"))
    )
    (point,) = plan.points
    request = point.request
    assert (request.alpha, request.lane_groups, request.clock_mhz) == (0.25, 2, 75.0)
    assert (request.board, request.weight_bits) == ("pynq-z2", 5)
    for part in (
        *("--alpha 0.25", "--lanes 128", "--clock 75", "--board pynq-z2", "build x.pt"),
        "--weight-bits 5",
    ):
        assert part in point.build_command


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (SweepRequest(Path("x.pt"), ("threshold=1",), Path("o")), "no board to build for"),
        (SweepRequest(Path("x.doc"), ("threshold=1",), Path("o"), "zedboard"), "neither a model"),
        (SweepRequest(Path("x.pt"), ("board=zcu104",), Path("o"), "zedboard"), "is an axis too"),
        (
            SweepRequest(Path("x.pt"), ("clock=1",), Path("o"), "zedboard", settings=("seed=1",)),
            "changes a recipe",
        ),
        (SweepRequest(Path("no.yaml"), ("alpha=1",), Path("o"), "zedboard"), "cannot be read"),
    ],
)
def test_requests_that_cannot_be_tried(request_: SweepRequest, said: str) -> None:
    with pytest.raises(UserError) as caught:
        make_plan(request_)
    assert said in str(caught.value)
