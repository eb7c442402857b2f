"""Builds of small networks: images, data sets, and no remains of a build that fails."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acsgen.engines.base import EngineRun
from acsgen.engines.csim import CSimEngine
from acsgen.engines.registry import SIMULATIONS
from acsgen.engines.rtl import Memory
from acsgen.flow.build import BuildRequest, build
from acsgen.program.board import load_board
from acsgen.report.file import read_report
from acsgen.support.assets import asset
from acsgen.support.errors import CheckFailed, UserError
from acsgen.verify.builddir import open_build
from tests.nets.modules import SMALL_SHAPE, export_small
from tests.own_board import own_board


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_small(tmp_path_factory.mktemp("own") / "small.pt2")


@pytest.fixture
def request_for(exported: Path, tmp_path: Path) -> BuildRequest:
    return BuildRequest(model=exported, board="pynq-z1", out=tmp_path / "out", images=2)


def test_a_network_without_a_data_set_is_calibrated_on_photographs(
    request_for: BuildRequest,
) -> None:
    report = build(request_for).report
    assert report.dataset == "photographs"
    assert report.accuracy.floating is None
    assert report.accuracy.int8 is None
    assert report.bit_exact["csim"].mismatches == 0


def test_an_earlier_build_is_replaced_and_the_same_request_gives_the_same_project(
    request_for: BuildRequest,
) -> None:
    def files() -> dict[str, bytes]:
        assert request_for.out is not None
        return {
            str(path.relative_to(request_for.out)): path.read_bytes()
            for path in sorted(request_for.out.rglob("*"))
            if path.is_file() and path.suffix != ".so"
        }

    build(request_for)
    first = files()
    build(request_for)
    assert files() == first


@pytest.mark.parametrize(
    ("name", "text"),
    [(b"net\n#error a.pt2", "net #error a"), (b"net\xff.pt2", "net\\xff")],
)
def test_names_of_files_that_are_no_lines_of_text(
    request_for: BuildRequest, name: bytes, text: str
) -> None:
    """The name stands in comments of the generated files, and must not go on behind them."""
    model = request_for.model.with_name(os.fsdecode(name))
    shutil.copy(request_for.model, model)
    images = request_for.model.with_name(os.fsdecode(name) + ".npz")
    np.savez(images, images=np.random.default_rng(0).integers(0, 256, (9, *SMALL_SHAPE), np.uint8),
             labels=np.arange(9))  # fmt: skip
    request = replace(request_for, model=model, engine="hls", dataset=f"npz:{images}")
    result = build(request)
    assert result.report.model == text
    assert result.report.origin.file == f"{text}.pt2"
    assert result.report.dataset == f"npz:{images.parent}/{text}.pt2.npz"
    (first, *_) = (result.out / "hls" / "acs_engine.cpp").read_text().splitlines()
    assert first.startswith(f"// {text} on ")


def test_a_title_of_a_board_is_one_line(request_for: BuildRequest, tmp_path: Path) -> None:
    board = own_board(tmp_path / "board.yaml")
    title = 'title: "My\\n#error board"'
    board.write_text(re.sub(r"(?m)^title:.*$", lambda _: title, board.read_text()))
    result = build(replace(request_for, board=str(board), engine="hls"))
    assert "on My #error board" in (result.out / "hls" / "acs_engine.cpp").read_text()


def test_images_of_another_shape_are_refused(request_for: BuildRequest) -> None:
    with pytest.raises(UserError, match="its images are 3x32x32, the network takes 2x20x24"):
        build(replace(request_for, dataset="digits32"))
    assert request_for.out is not None
    assert not request_for.out.exists()


def test_own_images_from_a_file(request_for: BuildRequest, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 2, 20, 24), np.uint8)
    np.savez(tmp_path / "mine.npz", images=pixels, labels=np.arange(12) % 4)
    named = replace(request_for, dataset=f"npz:{tmp_path / 'mine.npz'}")
    assert build(named).report.accuracy.images == 12
    with pytest.raises(UserError, match="has 12 test images, --images asks for 13"):
        build(replace(named, images=13))


def test_a_board_that_leaves_the_lane_groups_open_gets_as_many_as_fit(
    request_for: BuildRequest, tmp_path: Path
) -> None:
    text = asset("hw", "boards", "pynq-z1.yaml").read_text()
    board = tmp_path / "open.yaml"
    board.write_text(re.sub(r"(?m)^lane_groups:.*$", "lane_groups: auto", text))
    result = build(replace(request_for, board=str(board), engine="hls"))
    choice = result.report.lane_choice
    assert choice is not None
    # Three groups take 78.2 % of the tables and 78.6 % of the multipliers; four too many tables.
    assert (choice.lane_groups, choice.chosen_by) == (3, "figures")
    assert [part.engine for part in choice.shares] == ["hls"]
    assert result.report.engine.lane_groups == 3
    assert read_report(result.out).lane_choice == choice
    assert choice.reason in (result.out / "report.html").read_text()
    # The build is read back with the board as it is.
    assert open_build(result.out).manifest.board.lane_groups is None


class _OneBitWrong(CSimEngine):
    """An engine that gets one pixel of one traced layer wrong."""

    def run(self, *args: object, **kwargs: object) -> EngineRun:
        run = super().run(*args, **kwargs)  # type: ignore[arg-type]
        run.result[-1] ^= np.uint64(1)
        return run


def test_one_wrong_bit_fails_the_build_and_leaves_nothing(
    request_for: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(SIMULATIONS["csim"], open=lambda library, memory, waves: _OneBitWrong(library))
    monkeypatch.setitem(SIMULATIONS, "csim", wrong)
    with pytest.raises(CheckFailed, match=r"First: image 0, .*expected -?\d+, found -?\d+"):
        build(request_for)
    assert request_for.out is not None
    assert list(request_for.out.parent.iterdir()) == []


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_both_engines_are_rendered_and_the_c_simulation_runs(request_for: BuildRequest) -> None:
    result = build(request_for)
    assert contents(result.out) == [
        "LICENSE", "NOTICE", "csim", "hls", "host", "manifest.json", "program", "report.html",
        "report.json", "rtl", "sbom.cdx.json", "vectors", "vivado",
    ]  # fmt: skip
    assert list(result.report.bit_exact) == ["csim"]
    assert result.report.engines == ("hls", "rtl")
    assert result.report.cycles.rtl is None
    assert "C simulation" in result.report.cycles.hls.source


def test_the_hls_engine_alone(request_for: BuildRequest) -> None:
    result = build(replace(request_for, engine="hls"))
    assert "rtl" not in contents(result.out)
    assert result.report.engines == ("hls",)


@pytest.mark.rtl
@pytest.mark.xdist_group("own-board")
def test_the_rtl_alone_is_verified_by_simulation(request_for: BuildRequest, tmp_path: Path) -> None:
    need_verilator()
    board = own_board(tmp_path / "own-board.yaml")
    result = build(replace(request_for, board=str(board), engine="rtl"))
    assert not {"hls", "csim"} & set(contents(result.out))
    assert list(result.report.bit_exact) == ["rtl"]
    assert result.report.bit_exact["rtl"].images == 2
    cycles = result.report.cycles.rtl
    assert cycles.source == "RTL simulation"
    assert cycles.mean > 0
    assert cycles.dense > 0
    assert cycles.memory == Memory.for_board(load_board(str(board)))
    assert result.report.cycles.hls is None


@pytest.mark.rtl
@pytest.mark.xdist_group("own-board")
def test_verifying_the_rtl_too(request_for: BuildRequest, tmp_path: Path) -> None:
    need_verilator()
    board = own_board(tmp_path / "own-board.yaml")
    proofs = build(replace(request_for, board=str(board), verify="rtl")).report.bit_exact
    assert list(proofs) == ["csim", "rtl"]
    # For the RTL the counts of the bus are compared too.
    assert proofs["rtl"].values > proofs["csim"].values


@pytest.mark.parametrize(
    ("engine", "verify"), [("hls", "rtl"), ("hls", "both"), ("rtl", "csim"), ("rtl", "both")]
)
def test_nothing_is_verified_that_is_not_rendered(
    request_for: BuildRequest, engine: Any, verify: Any
) -> None:
    with pytest.raises(UserError, match=f"--verify {verify}: simulates what --engine {engine}"):
        build(replace(request_for, engine=engine, verify=verify))


def test_without_verilator_the_rtl_is_rendered_but_not_verified(
    request_for: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERILATOR", "/no/such/verilator")
    assert "rtl" in contents(build(request_for).out)
    for request in (replace(request_for, verify="rtl"), replace(request_for, engine="rtl")):
        with pytest.raises(UserError, match="/no/such/verilator"):
            build(request)


def need_verilator() -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
