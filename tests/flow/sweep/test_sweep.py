"""``acsgen sweep`` of a model file: figures, commands, points that cannot be built."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acsgen.flow.sweep.figures import COLUMNS, figures_of
from acsgen.flow.sweep.plot import pareto
from acsgen.report.file import read_report
from acsgen.verify.builddir import open_build
from tests.flow.sweep.conftest import run

pytestmark = pytest.mark.xdist_group("own-board")

SWEEP = ("sweep", "tiny.pt", "--board", "./own-board.yaml", "-n", "3", "--no-cache", "-j", "1")


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def by_command(folder: Path, command: str) -> Path:
    """Run the command of a point, and return the build that it makes."""
    head, *rest = shlex.split(command)
    assert head == "acsgen"
    done = run(folder, *rest)
    assert done.returncode == 0, done.stderr
    return folder / rest[rest.index("--out") + 1]


def as_text(figures: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in figures.items()}


def test_the_command_of_a_point_builds_that_point_exactly(model: Path) -> None:
    axes = ("--over", "threshold=default,0,1", "--over", "clock=default,33.3")
    done = run(model, *SWEEP, *axes, "-o", "out", "--json", "out.json")
    assert done.returncode == 0, done.stderr
    rows = table(model / "out")
    assert [(row["threshold"], row["clock"]) for row in rows] == [
        (threshold, clock) for threshold in ("default", "0", "1") for clock in ("default", "33.3")
    ]
    assert {row["status"] for row in rows} == {"done"}
    built = {}
    for row in (rows[0], rows[3], rows[5]):
        folder = by_command(model, row["build_command"])
        assert as_text(figures_of(read_report(folder))) == {name: row[name] for name in COLUMNS}
        built[row["threshold"]] = open_build(folder).program
    # Thresholds are no new program: the words of the instructions are the same.
    assert np.array_equal(built["0"].words, built["1"].words)
    assert not np.array_equal(built["0"].params, built["1"].params)
    cycles = {row["threshold"]: float(row["simulated_hls_cycles"]) for row in rows[::2]}
    assert cycles["1"] < cycles["0"]
    opened = {row["threshold"]: float(row["open"]) for row in rows[::2]}
    assert (opened["0"], opened["1"]) == (1.0, 0.0)
    content = json.loads((model / "out.json").read_text())
    assert [as_text(point)["macs"] for point in content["points"]] == [row["macs"] for row in rows]
    assert not (model / "out" / "work").exists()
    for name in ("pareto.svg", "pareto.png"):
        assert (model / "out" / name).stat().st_size > 1000
    drawn = (model / "out" / "pareto.svg").read_text()
    for words in (
        "latency, predicted by the cost model",
        "latency, simulated: HLS schedule in C simulation",
        "energy, estimated on predicted counts",
        "energy, estimated on simulated counts",
    ):
        assert words in drawn


def test_fewer_bits_of_the_weights_change_the_answers_and_no_cycles_of_a_network(
    model: Path,
) -> None:
    """With the gates open, so that both networks skip nothing."""
    axes = ("--over", "threshold=0", "--over", "weight_bits=8,4")
    done = run(model, *SWEEP, *axes, "-o", "out")
    assert done.returncode == 0, done.stderr
    wide, narrow = table(model / "out")
    assert "--weight-bits" not in wide["build_command"]
    folder = by_command(model, narrow["build_command"])
    report = read_report(folder)
    assert report.weight_bits == 4
    assert as_text(figures_of(report)) == {name: narrow[name] for name in COLUMNS}
    assert "--weight-bits 4" in report.origin.command
    assert "weights of 4 bits" in (folder / "report.html").read_text()
    for name in ("simulated_hls_cycles", "bytes", "macs", "estimated_lut", "engine_lanes"):
        assert narrow[name] == wide[name], name
    assert narrow["simulated_mismatches"] == "0"
    assert "weights of 4 bits, stored in 8" in narrow["remarks"]
    assert wide["remarks"] == ""
    assert float(narrow["agreement"]) <= float(wide["agreement"])


def test_a_point_that_cannot_be_built_is_a_row_with_its_reason(model: Path) -> None:
    done = run(model, *SWEEP, "--over", "lanes=64,64000", "-o", "out")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "1 of 2 points have no figures" in done.stderr
    good, bad = table(model / "out")
    assert (good["status"], bad["status"]) == ("done", "refused")
    assert good["simulated_mismatches"] == "0"
    assert "the part has" in bad["reason"]
    assert bad["macs"] == ""
    assert (model / "out" / "pareto.svg").exists()
    again = run(model, *SWEEP, "--over", "lanes=64,64000", "-o", "out")
    assert again.returncode == 1
    assert "0 measured now" in again.stdout
    assert "2 known before" in again.stdout


def test_where_no_point_can_be_built_the_input_is_to_blame(model: Path) -> None:
    words = (*SWEEP, "--over", "lanes=64000,128000", "-o", "out")
    for _ in range(2):  # refusals are not kept: the input may change
        done = run(model, *words)
        assert done.returncode == 2
        assert "no point can be built" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list((model / "out" / "points").iterdir())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((), "nothing to sweep over: no point"),
        (("--over", "weight_bits=2"), "weights have 4 to 8 bits"),
        (("--over", "threshold=0.1", "--images", "100000"), "test images"),
        (("--over", "threshold=0.1", "--dataset", "npz:none.npz"), "no such file"),
        (("--over", "threshold=0.1", "--ray", "127.0.0.1:1"), "no cluster answers"),
        (("--over", "threshold=0.1", "--json", "no/such/folder.json"), "cannot be written"),
    ],
)
def test_bad_input_is_exit_status_2_and_leaves_no_folder(
    model: Path, changes: tuple[str, ...], said: str
) -> None:
    done = run(model, *SWEEP, *changes, "-o", "out")
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (model / "out").exists() or "--ray" in changes


def test_a_file_that_is_no_model_is_refused_before_anything_is_written(model: Path) -> None:
    (model / "tiny.pt").write_bytes(b"PK rubbish")
    done = run(model, *SWEEP, "--over", "threshold=0.1", "-o", "out")
    assert done.returncode == 2
    assert not (model / "out").exists()


def test_figures_come_from_the_cache_once_another_sweep_has_them(model: Path) -> None:
    words = [word for word in SWEEP if word != "--no-cache"]
    cache = {"ACSGEN_CACHE": str(model / "cache")}
    first = run(model, *words, "--over", "threshold=0.1,0.9", "-o", "one", **cache)
    assert first.returncode == 0, first.stderr
    second = run(model, *words, "--over", "threshold=0.9,0.2", "-o", "two", **cache)
    assert "1 measured now, 1 taken from the cache, 0 known before" in second.stdout
    kept = {row["threshold"]: row for row in table(model / "one")}
    (row,) = (row for row in table(model / "two") if row["threshold"] == "0.9")
    assert {name: row[name] for name in COLUMNS} == {name: kept["0.9"][name] for name in COLUMNS}
    # Other weights are another network, whatever the file is called.
    done = run(model, "train", "tiny.yaml", "--set", "seed=9")
    assert done.returncode == 0, done.stderr
    third = run(model, *words, "--over", "threshold=0.9", "-o", "three", **cache)
    assert "1 measured now, 0 taken from the cache" in third.stdout


def test_another_sweep_in_the_folder_is_refused(model: Path) -> None:
    assert run(model, *SWEEP, "--over", "threshold=0.1", "-o", "out").returncode == 0
    before = {p: p.read_bytes() for p in (model / "out").rglob("*") if p.is_file()}
    other = run(model, *SWEEP, "--over", "threshold=0.2", "-o", "out")
    assert other.returncode == 2
    assert "another sweep, which differs in axes" in " ".join(other.stderr.split())
    assert {p: p.read_bytes() for p in (model / "out").rglob("*") if p.is_file()} == before
    shutil.copy(model / "own-board.yaml", model / "copy.yaml")
    text = (model / "own-board.yaml").read_text()
    (model / "own-board.yaml").write_text(text.replace("clock_mhz: ", "clock_mhz: 1"))
    changed = run(model, *SWEEP, "--over", "threshold=0.1", "-o", "out")
    assert changed.returncode == 2
    assert "the content of a board file" in " ".join(changed.stderr.split())


def test_quiet_and_json_on_the_screen(model: Path) -> None:
    words = (*SWEEP, "--over", "threshold=0.1", "-o", "out")
    quiet = run(model, *words, "--quiet")
    assert (quiet.returncode, quiet.stdout) == (0, "")
    shown = run(model, *words, "--json", "-")
    assert json.loads(shown.stdout)["points"][0]["status"] == "done"


@pytest.mark.unit
def test_the_front_has_the_points_that_no_other_is_better_than() -> None:
    points = [(3.0, 0.9), (1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (3.0, 0.95), (4.0, 0.95)]
    assert [points[index] for index in pareto(points)] == [(1.0, 0.5), (2.0, 0.7), (3.0, 0.95)]
    assert pareto([(1.0, 1.0), (1.0, 1.0)]) == [0]


@pytest.mark.unit
def test_without_matplotlib_there_is_a_table_and_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    from acsgen.flow.sweep import plot

    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    assert not plot.can_plot()


def test_names_that_are_no_utf8(model: Path) -> None:
    """The table keeps the bytes of a name, so that its commands run."""
    name = os.fsdecode(b"net\xff $a$b$.pt")
    (model / "tiny.pt").rename(model / name)
    arguments = ("sweep", name, "--board", "own-board.yaml", "--over", "clock=50", "--images", "1")
    for _ in range(2):
        done = run(model, *arguments, "--out", "sweep")
        assert done.returncode == 0, done.stderr
    assert b"net\xff $a$b$.pt" in (model / "sweep" / "results.csv").read_bytes()
