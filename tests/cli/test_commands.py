"""The commands themselves: quick to answer, and faithful to the results of the stages."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner

from acsgen import __version__
from acsgen.cli import app
from acsgen.cli.build import print_summary
from acsgen.cli.console import out
from acsgen.cost.lane_groups import choose_lane_groups
from acsgen.engines.registry import SIMULATIONS, SimulationName
from acsgen.engines.rtl import Memory
from acsgen.program.board import board_names, load_board
from acsgen.report.data import Accuracy, BitExactness, CountedCycles, OutputFigures
from acsgen.report.text import Row, summary_rows
from tests.report.samples import REPORT


def invoke(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == status, result.output
    return result.output


@pytest.mark.unit
@pytest.mark.parametrize(
    "command",
    [
        *([], ["build"], ["sim"], ["bench"], ["eval"], ["train"], ["boards"], ["info"]),
        *(["synth"], ["synth-report"], ["import"], ["count"]),
    ],
)
def test_every_command_has_help(command: list[str]) -> None:
    assert "Usage" in invoke(*command, "--help")


@pytest.mark.unit
@pytest.mark.parametrize(
    "words", [["--whole", "packed"], ["--timing", "--whole", "abc9", "--only", "acs_load"]]
)
def test_the_whole_engine_is_timed_by_itself(words: list[str]) -> None:
    assert "--whole: is an option of --timing" in invoke("synth", *words, status=2)


@pytest.mark.unit
def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; sys.argv = ['acsgen', '--help']\n"
        "from acsgen.cli import main\n"
        "try: main()\n"
        "except SystemExit as e: print(e.code, *sorted({'torch', 'scipy', 'sklearn'} & "
        "sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "0"


@pytest.mark.unit
def test_version() -> None:
    assert invoke("--version").strip() == f"acsgen {__version__}"


@pytest.mark.unit
@pytest.mark.parametrize("words", [["bild"], ["build"], ["build", "x.pt"], ["boards", "--what"]])
def test_wrong_usage_exits_2(words: list[str]) -> None:
    assert "Usage" in invoke(*words, status=2)


@pytest.mark.unit
def test_commands_take_every_engine_of_the_registry() -> None:
    assert get_args(SimulationName) == tuple(SIMULATIONS)
    for command in ("sim", "build"):
        said = CliRunner().invoke(app, [command, "--help"]).output
        assert "|".join(SIMULATIONS) in said


def test_boards_lists_every_board_with_its_part() -> None:
    listed = invoke("boards")
    for name in board_names():
        assert name in listed
        assert load_board(name).part in listed


@pytest.mark.unit
def test_info_names_versions_tools_and_boards() -> None:
    listed = invoke("info")
    for word in (__version__, "torch", "hls4ml", "g++", "vitis-run", "zedboard"):
        assert word in listed


@pytest.mark.unit
def test_info_and_doctor_tell_the_same_of_a_tool_that_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vivado in its usual folder: info once looked on the PATH alone, and did not find it."""
    vivado = tmp_path / "Vivado" / "2022.2" / "bin" / "vivado"
    vivado.parent.mkdir(parents=True)
    vivado.write_text("#!/bin/sh\n")
    vivado.chmod(0o755)
    monkeypatch.setenv("XILINX_ROOT", str(tmp_path))
    told = json.loads(invoke("info", "--json", "-"))
    found = {entry["name"]: entry for entry in json.loads(invoke("doctor", "--json", "-"))}
    assert told["vivado"] == f"2022.2, {vivado}"
    assert found["vivado"]["where"] == str(vivado)
    assert found.keys() <= told.keys()


@pytest.mark.unit
def test_summary_says_what_the_report_says() -> None:
    rows = {label: (value, remark) for label, value, remark in summary_rows(
        REPORT, load_board("zedboard")
    )}  # fmt: skip
    assert rows["MACs an image"] == ("7,500,000", "250,000 of them in gates")
    assert rows["MACs skipped"] == ("40.0 %", "of 12,500,000 without gates")
    assert rows["cycles an image, HLS"] == (
        "31,001",
        "C simulation, 8 images: 0.310 ms at 100 MHz, assumed",
    )
    assert rows["cycles saved, HLS"] == ("38.0 %", "of 50,000 without gates; of the MACs: 40.0 %")
    assert rows["bytes moved an image"] == ("91,000", "90,000 read, 1,000 written")
    assert rows["masks"] == ("51.00 % open", "97.00 % of the gate bits depend on the image")
    assert rows["DSP"] == ("150", "68.2 % of 220, estimate")
    assert rows["same prediction"] == (
        "99.00 %",
        "float and int8, 500 images; gates agree at 99.61 %",
    )
    assert rows["accuracy float / int8"] == ("95.12 % / 94.98 %", "500 images")
    assert rows["bit-exact, C++"] == ("8 images", "0 mismatches in 976,416 values")
    assert not [label for label in rows if "RTL" in label]


@pytest.mark.unit
def test_summary_tells_cycles_of_one_engine_from_those_of_the_other() -> None:
    counted = CountedCycles(8, 54_000, 27_000.0, 0.0, 9.0, 5_000_000, Memory(), "RTL simulation")
    proofs = {**REPORT.bit_exact, "rtl": BitExactness(8, 2, 976_464, 0)}
    cycles = replace(REPORT.cycles, rtl=counted)
    report = replace(REPORT, cycles=cycles, bit_exact=proofs)
    rows = {label: (value, remark) for label, value, remark in summary_rows(
        report, load_board("zedboard")
    )}  # fmt: skip
    assert rows["cycles an image, HLS"][0] == "31,001"
    assert rows["cycles an image, RTL"] == (
        "27,000",
        "RTL simulation, 8 images: 0.270 ms at 100 MHz, assumed",
    )
    assert rows["cycles saved, RTL"] == ("50.0 %", "of 54,000 without gates; of the MACs: 60.0 %")
    assert rows["bit-exact, RTL"] == ("8 images", "0 mismatches in 976,464 values")


@pytest.mark.unit
def test_summary_of_a_network_without_gates_and_images_without_labels() -> None:
    accuracy = Accuracy(None, None, 8, 0.99, None)
    rows = summary_rows(replace(REPORT, accuracy=accuracy, masks=None), load_board("zedboard"))
    assert "masks" not in [label for label, _, _ in rows]
    assert ("same prediction", "99.00 %", "float and int8, 8 images") in rows
    assert not [row for row in rows if row.label.startswith("accuracy")]


@pytest.mark.unit
@pytest.mark.parametrize("named", [4, None])
def test_summary_says_why_there_are_so_many_lane_groups(named: int | None) -> None:
    board = load_board("zedboard").model_copy(update={"lane_groups": named})
    choice = choose_lane_groups(board)
    (row,) = _lanes(summary_rows(replace(REPORT, lane_choice=choice), board))
    assert row.value == str(named or 3)
    assert row.remark == choice.reason
    # A report from before it was noted has none.
    assert _lanes(summary_rows(REPORT, board)) == []


def _lanes(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.label == "lane groups"]


@pytest.mark.unit
def test_summary_has_a_row_for_every_other_output() -> None:
    early = OutputFigures("early", 10, 0.9012, 0.8998, 0.98)
    report = replace(REPORT, outputs=(early, *REPORT.outputs))
    rows = summary_rows(report, load_board("zedboard"))
    assert ("accuracy of early", "90.12 % / 89.98 %", "predictions agree at 98.00 %") in rows
    assert "accuracy of fc" not in [label for label, _, _ in rows]


@pytest.mark.unit
@pytest.mark.parametrize(("width", "most"), [(10, 80), (20, 80), (40, 60), (80, 24), (120, 18)])
def test_summary_fits_a_terminal(
    width: int, most: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Not by COLUMNS: the console keeps what that was when it was imported, as by xdist's processes.
    monkeypatch.setattr(out, "_width", width)
    board = load_board("zedboard")
    print_summary(REPORT, board)
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert len(lines) <= most
    assert "…" not in said
    assert any(line.split()[:2] == ["figure", "value"] for line in lines)
    # At every width each figure is there whole, with its remark.
    words = said.split()
    for row in summary_rows(REPORT, board):
        assert all(word in words for text in row for word in text.split()), row


def test_train_runs_a_recipe_with_changes(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(200) % 10)
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(
        "{name: tiny, model: {depth: 8, widths: [4, 4, 4], gate: {}}, batch: 64, "
        f"data: {{name: 'npz:{tmp_path / 'noise.npz'}', train_limit: 200, test_limit: 50}}, "
        "phases: [{name: open, epochs: 1}, {name: skip, epochs: 9, gates: learned}]}"
    )
    out = tmp_path / "out"
    settings = ["--set", "data.train_limit=128", "--set", "phases.1.epochs=1"]
    said = invoke("train", str(recipe), "--out", str(out), *settings)
    assert "epoch 2/2 skip" in said
    assert sorted(p.name for p in out.iterdir()) == ["tiny.metrics.jsonl", "tiny.pt"]
    lines = (out / "tiny.metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["phase"] for line in lines] == ["open", "skip"]


def test_train_refuses_a_bad_recipe(tmp_path: Path) -> None:
    recipe = tmp_path / "bad.yaml"
    recipe.write_text("{name: bad, modle: {}, data: {name: digits32}, phases: []}")
    result = CliRunner().invoke(app, ["train", str(recipe), "--set", "seed=-1"])
    assert result.exit_code == 2
    for key in ("modle", "phases", "seed"):
        assert key in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["bad.yaml"]
