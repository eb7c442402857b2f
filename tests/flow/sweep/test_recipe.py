"""``acsgen sweep`` of a recipe: trained once for every value, and built from what was trained."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from acsgen.flow.sweep.figures import COLUMNS
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.nn.weights_digest import weights_digest
from tests.flow.sweep.conftest import environment, run, words
from tests.flow.sweep.test_sweep import as_text, by_command, figures_of, read_report, table

pytestmark = pytest.mark.xdist_group("own-board")

SWEEP = ("sweep", "tiny.yaml", "--board", "./own-board.yaml", "-n", "2", "--no-cache", "-o", "out")


def test_each_value_is_trained_once_and_the_commands_make_it_again(inputs: Path) -> None:
    axes = ("--over", "gate=acs-conv,none", "--over", "threshold=default,1")
    done = run(inputs, *SWEEP, *axes, "-j", "2")
    assert done.returncode == 1, done.stderr  # a threshold of no gates
    assert done.stdout.count(" train tiny-gate") == 2
    rows = table(inputs / "out")
    assert [(row["gate"], row["threshold"], row["status"]) for row in rows] == [
        ("acs-conv", "default", "done"),
        ("acs-conv", "1", "done"),
        ("none", "default", "done"),
        ("none", "1", "refused"),
    ]
    assert "has no gates" in rows[3]["reason"]
    macs = [float(row["macs"]) for row in rows[:3]]
    assert macs[0] > macs[1] > 0
    assert float(rows[2]["macs"]) == float(rows[2]["macs_ungated"])

    built = by_command(inputs, rows[1]["build_command"])
    assert as_text(figures_of(read_report(built))) == {name: rows[1][name] for name in COLUMNS}

    model = inputs / "out" / "models" / "tiny-gateacs-conv.pt"
    before = weights_digest(load_checkpoint(model).model.state_dict())
    model.unlink()
    threads, *rest = rows[1]["train_command"].split(" ", 1)
    assert threads == "OMP_NUM_THREADS=1"
    _, *train = shlex.split(rest[0])
    again = run(inputs, *train, OMP_NUM_THREADS="1")
    assert again.returncode == 0, again.stderr
    assert weights_digest(load_checkpoint(model).model.state_dict()) == before


def test_a_training_that_fails_is_the_reason_of_its_points(inputs: Path) -> None:
    axes = ("--over", "phases.0.lr=0.1,1e9", "--over", "threshold=0.5")
    done = run(inputs, *SWEEP, *axes)
    assert done.returncode == 1, done.stderr
    good, bad = table(inputs / "out")
    assert (good["status"], bad["status"]) == ("done", "refused")
    assert bad["reason"].startswith("training: ")
    assert "the loss became" in bad["reason"]


@pytest.mark.slow  # tests/train has the same of one training, bit for bit
def test_an_interrupted_training_goes_on_from_its_last_epoch(inputs: Path) -> None:
    long = ("--set", "phases.0.epochs=400", "--over", "alpha=0.1")
    process = subprocess.Popen(
        words(*SWEEP, *long), cwd=inputs, env=environment(), stdout=subprocess.DEVNULL
    )
    state = inputs / "out" / "models" / "tiny-alpha0.1" / "tiny-alpha0.1.state.pt"
    while not state.exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    metrics = state.with_name("tiny-alpha0.1.metrics.jsonl")
    first = metrics.read_text().splitlines()[0]
    # The rest of it by the plain command, which is told to go on as well.
    done = run(inputs, *SWEEP, *long)
    assert done.returncode == 0, done.stderr
    assert '"epoch": 1' in first
    model = load_checkpoint(inputs / "out" / "models" / "tiny-alpha0.1.pt")
    assert model.meta["epochs"] == 402
    assert not state.exists()


def test_keys_and_values_are_checked_before_anything_is_trained(inputs: Path) -> None:
    for axis, said in (
        ("gate=acs,magic", "no kind of gates: magic"),
        ("data.name=digits32,svhn", "different images"),
        ("phases.1.lr=0.1,-1", "phases.1.lr"),
        ("colour=1", "no phase has a loss"),
    ):
        done = run(inputs, *SWEEP, "--over", axis)
        assert done.returncode == 2
        assert said in " ".join(done.stderr.split())
        assert not os.path.lexists(inputs / "out")
