"""``python -m acsgen_host`` as a program: pipes, signals, full disks, options that do not fit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import acsgen_host
import numpy as np
import pytest
from acsgen_host.__main__ import main

from .conftest import Prepared
from .test_simulate import folder as folder

pytestmark = pytest.mark.xdist_group("driver")

COMMAND = [sys.executable, "-m", "acsgen_host"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(acsgen_host.__file__).parents[1])}


@pytest.fixture
def many(prepared: Prepared, tmp_path: Path) -> Path:
    """Images for seconds of work, whose lines do not fit into a pipe."""
    path = tmp_path / "many.npy"
    np.save(path, np.tile(prepared.images, (2000, 1, 1, 1)))
    return path


@pytest.fixture
def running(folder: Path, many: Path) -> Iterator[subprocess.Popen[str]]:
    """A measurement that would take minutes, under way."""
    words = [*COMMAND, str(folder), "--simulate", "csim", "--measure", str(many)]
    process = subprocess.Popen(
        [*words[:1], "-u", *words[1:]],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "instructions" in process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "terminated\n")],
    ids=["SIGINT", "SIGTERM"],
)
def test_it_ends_in_order(
    running: subprocess.Popen[str], folder: Path, number: int, status: int, word: str
) -> None:
    running.send_signal(number)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (status, word)
    assert not list(folder.rglob("*.partial"))


def test_a_reader_that_goes_away(folder: Path, prepared: Prepared, tmp_path: Path) -> None:
    path = tmp_path / "seconds.npy"
    np.save(path, np.tile(prepared.images, (200, 1, 1, 1)))
    words = [*COMMAND, str(folder), "--simulate", "csim", "--run", str(path)]
    with subprocess.Popen(
        words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert said == "standard output was closed; going on without it\n"


def test_output_that_cannot_be_written(folder: Path) -> None:
    words = [*COMMAND, str(folder), "--simulate", "csim", "--images", "1"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output: cannot be written: No space left")
    assert done.stderr.count("\n") == 1


def test_names_that_the_terminal_cannot_show(folder: Path) -> None:
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    words = [*COMMAND, str(folder), "--simulate", "csim", "--run", "\u00fc.npy"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "xfc.npy: cannot be read: No such file" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "5e6"], "--budget is for --run"),
        (["--exit-entropy", "0.5"], "--exit-entropy is for --run"),
        (["--hard-budget", "5e6"], "--hard-budget is for --run"),
        (["--hard-budget-cycles", "5"], "--hard-budget-cycles is for --run"),
        (["--json", "found.json"], "--json is for --run"),
        (["--hard-budget", "1.5"], "must be a whole number, not '1.5'"),
        (["--hard-budget", "inf"], "must be a whole number, not 'inf'"),
        (["--labels", "classes.npy"], "--labels is for --measure"),
        (["--run", "images.npy", "--images", "3"], "--images is for --selftest"),
        (["--images", "x"], "a whole number of at least 1, not 'x'"),
        (["--images", "0"], "a whole number of at least 1, not '0'"),
    ],
)
def test_options_without_their_partner(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(folder), "--simulate", "csim", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_cannot_be_written_is_told_before_the_work(
    folder: Path, many: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = [str(folder), "--simulate", "csim"]
    power = ["measure-power", *simulated, "--source", "synthetic"]
    out = ["--out", str(folder / "power.json")]
    for words, said in (
        ([*power, "--out", str(folder / "no" / "power.json")], "is no folder"),
        ([*power, "--out", str(folder)], "is a folder"),
        ([*power, *out, "--plot", str(folder / "power.txt")], "is no name of a picture: .txt"),
        ([*power, *out, "--plot", str(folder / "power")], "it has no suffix"),
    ):
        assert main(words) == 2, words
        assert said in capsys.readouterr().err
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).endswith("program"))
    assert main([*simulated, "--measure", str(many)]) == 2
    assert "is read-only, or belongs to another user" in capsys.readouterr().err


def test_files_that_are_no_images(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several = tmp_path / "several.npz"
    np.savez(several, images=np.zeros(3), labels=np.zeros(3))
    text = tmp_path / "text.npy"
    text.write_text("1, 2, 3")
    for path, said in (
        (several, "is an .npz file, of several arrays"),
        (text, "is not an .npy file"),
        (tmp_path / "nothing.npy", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        assert main([str(folder), "--simulate", "csim", "--run", str(path)]) == 2
        assert said in capsys.readouterr().err
