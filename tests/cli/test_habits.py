"""Habits of command lines: --json, --quiet, pipes, completion, one name an option."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.cli.console import StageDisplay, out, print_problems
from acsgen.cli.options import write_json
from acsgen.cli.report import layers_table
from acsgen.cli.tables import figures_table, print_remarks, print_table
from acsgen.data.dataset import PHOTOGRAPHS
from acsgen.ir.mask_statistics import MaskStatistics
from acsgen.ir.refinement import Refinement
from acsgen.program.board import Board, board_names, load_board
from acsgen.report.data import LayerFigures
from acsgen.report.hints import hints
from acsgen.support.errors import Problem
from tests.report.samples import REPORT

pytestmark = pytest.mark.unit

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def options(command: str) -> dict[str, list[str]]:
    return {p.name: p.opts for p in COMMANDS[command].params}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_json_and_quiet(command: str) -> None:
    assert "--json" in options(command)["json_file"]
    assert options(command)["quiet"] == ["--quiet", "-q"]


def test_lanes_have_one_name() -> None:
    for command in ("build", "bench", "synth"):
        assert options(command)["lanes"] == ["--lanes"]
        assert "lane_groups" not in options(command)
        said = CliRunner().invoke(app, [command, "--lanes", "100", *_needed(command)])
        assert said.exit_code == 2
        assert "try 64 or 128" in " ".join(said.output.split())
        for wrong, remedy in (
            ("0", "try 64"),
            ("many", "or auto"),
            ("-64", "or auto"),
            ("6" * 5000, "or auto"),
        ):
            said = CliRunner().invoke(app, [command, "--lanes", wrong, *_needed(command)])
            assert said.exit_code == 2
            assert remedy in " ".join(said.output.split())


def _needed(command: str) -> list[str]:
    return ["--board", "zedboard", "x.pt"] if command == "build" else []


def test_shells_can_complete() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output


def test_json_on_the_screen_is_json_alone() -> None:
    listed = json.loads(CliRunner().invoke(app, ["boards", "--json", "-"]).stdout)
    assert [board["name"] for board in listed] == board_names()
    assert Board.model_validate(listed[0])
    info = json.loads(CliRunner().invoke(app, ["info", "--json", "-"]).stdout)
    assert "torch" in info


def test_quiet_is_quiet_and_the_next_command_is_not() -> None:
    assert CliRunner().invoke(app, ["boards", "--quiet"]).output == ""
    assert "zedboard" in CliRunner().invoke(app, ["boards"]).output


def test_a_board_file_is_shown_with_the_meaning_of_its_keys() -> None:
    said = CliRunner().invoke(app, ["boards", "--show", "zedboard"]).output
    assert f"part: {load_board('zedboard').part}" in said
    for key in ("clock_mhz", "resources.dsp", "memory.latency_cycles"):
        assert f"# {key}: " in said


def test_a_pipe_that_is_closed_ends_nothing() -> None:
    code = (
        "import os, sys\n"
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        "sys.argv = ['acsgen', 'boards']\n"
        "from acsgen.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.count("standard output was closed") == 1


def test_a_negative_seed_is_refused() -> None:
    said = CliRunner().invoke(app, ["build", "x.pt", "--board", "zedboard", "--seed", "-1"])
    assert said.exit_code == 2
    assert "--seed" in said.output


def test_columns_do_not_vanish() -> None:
    said = CliRunner().invoke(app, ["boards"], env={"COLUMNS": "40"}).output
    assert "…" not in said
    assert len(said.splitlines()) == 1 + len(board_names())


@pytest.mark.parametrize("width", [20, 40, 80])
def test_cells_of_figures_are_whole(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(out, "_width", width)
    table = figures_table("a title", ["layer with a long name", *map(str, range(9))])
    table.add_row("a" * 30, *["12,345,678"] * 9)
    print_table(table)
    said = capsys.readouterr().out
    assert "…" not in said
    assert said.count("12,345,678") == 9
    assert "a" * 30 in said


def test_hints_say_what_the_figures_suggest() -> None:
    assert hints(replace(REPORT, masks=MaskStatistics(112, 1.0, 0.0, 0.0))) == [
        "the gates never close: train with a cost (loss acs), or raise alpha"
    ]
    assert "the gates never open" in hints(replace(REPORT, masks=MaskStatistics(9, 0, 0, 0)))[0]
    fixed = replace(REPORT, masks=MaskStatistics(9, 0.5, 0.0, 0.0))
    assert "no gate depends on the image" in hints(fixed)[0]
    assert "photographs" in hints(replace(REPORT, dataset=PHOTOGRAPHS))[0]
    layers = [LayerFigures(n, c, 1.0, 0.0, 8.0, 9) for n, c in (("a", 1), ("fc1", 9), ("b", 10))]
    assert hints(replace(REPORT, layers=tuple(layers))) == ["b takes 50.0 % of the cycles"]
    assert hints(REPORT) == []
    good = replace(REPORT, refinement=Refinement(256, 0.996))
    assert hints(good) == []
    better = replace(REPORT, refinement=Refinement(256, 0.93, 0.97, used=True))
    assert hints(better) == [
        "93.00 % of 256 calibration images had the same prediction, 97.00 % with weights rounded "
        "together and scales by channel: these are taken"
    ]
    worse = replace(REPORT, refinement=Refinement(256, 0.93, 0.9, used=False))
    assert hints(worse)[0].endswith("scales by channel: the former is taken")
    figures = [LayerFigures(n, c, m, 0.0, 8.0, 9) for n, c, m in (("a", 9, 1), ("avg.1", 1, 1))]
    repeated = Refinement(256, 0.93, 0.94, True, 0.97, averages=("avg",), added=("avg.1",))
    assert hints(replace(REPORT, refinement=repeated, layers=tuple(figures)))[1] == (
        "avg before a classifier stored four times, for two bits more: 97.00 % of the calibration "
        "images have the same prediction then, not 94.00 %; it takes 10.0 % of the cycles and "
        "50.0 % of the MACs (--no-finer-averages: neither)"
    )


def test_the_table_of_layers_has_every_layer_and_their_sum() -> None:
    screen = io.StringIO()
    Console(file=screen, width=200).print(layers_table(REPORT))
    said = screen.getvalue()
    for word in ("conv1", "gate", "all", "31.5", "SNR dB"):
        assert word in said


def test_cells_of_figures_are_never_wrapped() -> None:
    assert all(column.no_wrap for column in figures_table("title", ("a", "b")).columns)


def test_names_with_brackets_are_shown_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich takes words in brackets for colours, unless it is told not to."""
    table = figures_table("table [bold]", ["layer"])
    table.add_row("conv[red]")
    print_table(table)
    print_remarks("remarks [blue]", ("figure", "value", "remark"), [("a[dim]", "1[/]", "of[b]")])
    print_problems((Problem("net[green].pt2", "is [italic]", "mend [it]"),))
    with StageDisplay() as display:
        display("read [x]")
    said = " ".join("".join(capsys.readouterr()).split())
    for text in (
        "table [bold]", "conv[red]", "remarks [blue]", "a[dim]", "1[/]", "of[b]", "net[green].pt2",
        "is [italic]", "mend [it]", "read [x]",
    ):  # fmt: skip
        assert text in said


def test_figures_have_no_noise_of_sums(tmp_path: Path) -> None:
    found = {"mean": 4279.999999999986, "parts": [0.1 + 0.2], "counts": np.array([1, 2]), "n": 3}
    write_json(tmp_path / "figures.json", found)
    text = (tmp_path / "figures.json").read_text()
    assert json.loads(text) == {"mean": 4280.0, "parts": [0.3], "counts": [1, 2], "n": 3}
    assert "99999" not in text


@pytest.mark.parametrize("columns", ["0", "00", ""])
def test_a_terminal_of_unknown_width(columns: str) -> None:
    """0 columns, as without a terminal, are no width; nothing was printed then."""
    done = subprocess.run(
        [sys.executable, "-m", "acsgen", "boards"],
        env={**os.environ, "COLUMNS": columns},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "zedboard" in done.stdout
