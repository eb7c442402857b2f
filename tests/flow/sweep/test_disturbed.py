"""A sweep killed, interrupted, out of room, and twice at a time: what is done stays done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_build_disturbed import KILLED
from tests.cli.test_cli_errors import IN_NAMESPACE, check_message, namespaces_work
from tests.flow.sweep.conftest import environment, run, words
from tests.flow.sweep.test_sweep import table

pytestmark = pytest.mark.xdist_group("own-board")

SWEEP = (
    *("sweep", "tiny.pt", "--board", "./own-board.yaml", "-n", "2", "--no-cache"),
    *("--over", "threshold=0,0.2,0.4,0.6,0.8,1", "-o", "out"),
)


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, trained: bytes
) -> tuple[bytes, dict[str, bytes]]:
    """The table and the rows of a sweep that nothing disturbs."""
    from tests.flow.sweep.conftest import write_inputs

    folder = write_inputs(tmp_path_factory.mktemp("undisturbed"))
    (folder / "tiny.pt").write_bytes(trained)
    done = run(folder, *SWEEP, "-j", "2")
    assert done.returncode == 0, done.stderr
    rows = {path.name: path.read_bytes() for path in (folder / "out" / "points").iterdir()}
    return (folder / "out" / "results.csv").read_bytes(), rows


def rows_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The files of the rows that are done, and when they were written."""
    found = (folder / "out" / "points").glob("*.json")
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return start_words(folder, *SWEEP, *more)


def start_words(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words(*arguments),
        cwd=folder,
        env=environment(SWEEP_OF_TEST=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # In the background of a shell, Ctrl-C is ignored by all that the tests start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until_rows(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    while process.poll() is None and len(rows_of(folder)) < number:
        time.sleep(0.02)
    assert process.poll() is None, "the sweep ended before it was disturbed"


def processes_of(folder: Path) -> list[int]:
    """Processes of a sweep of this test that live."""
    mark = f"SWEEP_OF_TEST={folder}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue
    return found


def wait_for_none(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(folder) == []


def test_killed_and_resumed(model: Path, undisturbed: tuple[bytes, dict[str, bytes]]) -> None:
    process = start(model, "-j", "2")
    until_rows(process, model, 2)
    process.kill()
    process.communicate()
    wait_for_none(model)
    kept = rows_of(model)
    assert 2 <= len(kept) < 6
    again = run(model, *SWEEP, "-j", "2")
    assert again.returncode == 0, again.stderr
    assert (
        f"{6 - len(kept)} measured now, 0 taken from the cache, {len(kept)} known" in again.stdout
    )
    after = rows_of(model)
    assert {name: after[name] for name in kept} == kept
    assert (model / "out" / "results.csv").read_bytes() == undisturbed[0]
    assert {name: content for name, (content, _) in after.items()} == undisturbed[1]


def _slow(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("last", [_slow(1), _slow(2), _slow(4), _slow(6)])
def test_killed_as_it_opens_any_file(
    model: Path, undisturbed: tuple[bytes, dict[str, bytes]], last: int
) -> None:
    """Again and again, at its N-th file, until it is through: no run takes a row back."""
    command = [sys.executable, "-c", KILLED, "out", str(last), *SWEEP, "-j", "2"]
    killed, before = 0, rows_of(model)
    while True:
        done = subprocess.run(
            command, cwd=model, env=environment(), capture_output=True, text=True, check=False
        )
        after = rows_of(model)
        assert {name: after[name] for name in before} == before
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
        if len(after) == len(before):  # killed before its first row: it would be for ever
            finished = run(model, *SWEEP, "-j", "2")
            assert finished.returncode == 0, finished.stderr
            break
        before = after
    assert killed
    assert (model / "out" / "results.csv").read_bytes() == undisturbed[0]


@pytest.mark.slow
def test_interrupted_as_by_control_c(
    model: Path, undisturbed: tuple[bytes, dict[str, bytes]]
) -> None:
    process = start(model, "-j", "2")
    until_rows(process, model, 1)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert "of 6 points are done; the same command goes on" in said
    wait_for_none(model)
    kept = rows_of(model)
    found = [row["status"] for row in table(model / "out")]
    assert (found.count("done"), found.count("open")) == (len(kept), 6 - len(kept))
    assert not (model / "out" / "work").exists()
    assert run(model, *SWEEP, "-j", "2").returncode == 0
    assert (model / "out" / "results.csv").read_bytes() == undisturbed[0]


def test_damaged_files_are_measured_again_or_told(
    model: Path, undisturbed: tuple[bytes, dict[str, bytes]]
) -> None:
    assert run(model, *SWEEP, "-j", "2").returncode == 0
    files = sorted((model / "out" / "points").iterdir())
    text = files[0].read_text()
    files[0].write_text(text.replace('"macs": ', '"macs": 1'))
    files[1].write_bytes(files[1].read_bytes()[:100])
    files[2].unlink()
    files[3].write_bytes(os.urandom(500))
    (model / "out" / "results.csv").write_text("rubbish")
    (model / "out" / "work").mkdir()
    (model / "out" / "work" / "of-a-killed-process").write_text("")
    again = run(model, *SWEEP, "-j", "2")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("is damaged: its point is measured again") == 3
    assert "4 measured now, 0 taken from the cache, 2 known before" in again.stdout
    assert (model / "out" / "results.csv").read_bytes() == undisturbed[0]
    assert not (model / "out" / "work").exists()
    (model / "out" / "sweep.json").write_text("{")
    told = run(model, *SWEEP)
    assert told.returncode == 2
    check_message(told.stderr)


@pytest.mark.slow
def test_two_sweeps_into_one_folder(
    model: Path, undisturbed: tuple[bytes, dict[str, bytes]]
) -> None:
    first = start(model, "-j", "1")
    until_rows(first, model, 1)
    first.send_signal(signal.SIGSTOP)  # on a busy machine it might be through before the second
    second = run(model, *SWEEP)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 2
    check_message(second.stderr)
    assert "another sweep writes to it now" in " ".join(second.stderr.split())
    _, errors = first.communicate()
    assert first.returncode == 0, errors
    assert (model / "out" / "results.csv").read_bytes() == undisturbed[0]


@pytest.mark.parametrize("size", ["24k", _slow("300k")])
def test_a_disk_that_fills_up(model: Path, size: str) -> None:
    """Exit status 2 and a message; with room, the same command goes on."""
    if not namespaces_work():
        pytest.skip("this system lets nobody make a mount namespace")
    (model / "out").mkdir()
    script = (
        'mount -t tmpfs -o "size=$1" tmpfs out; shift; "$@"; echo "status $?"; '
        "mount -o remount,size=100m out; "
        '"$@"; echo "then $?"; cat out/results.csv'
    )
    command = [*IN_NAMESPACE, script, "sh", size, *words(*SWEEP, "-j", "2")]
    done = subprocess.run(
        command, cwd=model, env=environment(), capture_output=True, text=True, check=False
    )
    assert "status 2\n" in done.stdout, done.stdout + done.stderr
    check_message(done.stderr)
    assert "no space left on the disk" in " ".join(done.stderr.split())
    assert "then 0\n" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count(",done,") == 6


def test_a_point_whose_process_dies_is_tried_again(model: Path) -> None:
    """As by the system when memory is short: the others go on, and the next run has another try."""
    process = start(model, "-j", "2", "--json", "out.json")
    until_rows(process, model, 1)
    workers = [p for p in processes_of(model) if p != process.pid and _is_worker(p)]
    os.kill(workers[0], signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "1 of 6 points have no figures" in errors
    assert "ended by SIGKILL" in errors
    points = json.loads((model / "out.json").read_text())["points"]
    assert sorted(point["status"] for point in points) == ["done"] * 5 + ["failed"]
    assert len(rows_of(model)) == 5
    again = run(model, *SWEEP)
    assert again.returncode == 0
    assert "1 measured now, 0 taken from the cache, 5 known before" in again.stdout


def _is_worker(process: int) -> bool:
    words = Path(f"/proc/{process}/cmdline").read_bytes()
    return b"spawn_main" in words
