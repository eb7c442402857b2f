"""``acsgen build`` killed, out of room, and twice at a time: the build in its place is whole."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acsgen.verify.builddir import open_build
from tests.cli.test_cli_errors import IN_NAMESPACE, check_message, namespaces_work
from tests.nets.modules import export_small
from tests.own_board import own_board

pytestmark = pytest.mark.xdist_group("own-board")

#: Runs the command line, and kills itself when its N-th file is opened below a folder.
KILLED = """
import os, signal, sys
folder, last = sys.argv[1], int(sys.argv[2])
sys.argv[1:3] = []
count = 0
def hook(event, arguments):
    global count
    if event == "open" and str(arguments[0]).startswith(folder) and "w" in str(arguments[1]):
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from acsgen.cli import main
main()
"""


def _slow(*values: object) -> object:
    """A case more, of a kind that the tests of every day have."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line of a small build, without --out."""
    folder = tmp_path_factory.mktemp("disturbed")
    board = own_board(folder / "own-board.yaml")
    network = export_small(folder / "small.pt2")
    return ["build", str(network), "--board", str(board), "--images", "1"]


def run(words: list[str], out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "acsgen", *words, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def first(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build, to be copied."""
    out = tmp_path_factory.mktemp("first") / "out"
    assert run(words, out).returncode == 0
    return out


@pytest.mark.parametrize("last", [_slow(1), 12, _slow(40)])
def test_a_killed_build_leaves_the_earlier_one(
    words: list[str], first: Path, tmp_path: Path, last: int
) -> None:
    out = Path(shutil.copytree(first, tmp_path / "out"))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    killed = [sys.executable, "-c", KILLED, str(tmp_path), str(last), *words, "--out", str(out)]
    done = subprocess.run(killed, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    open_build(out)
    assert len(list(tmp_path.iterdir())) == 2
    again = run([*words, "--engine", "hls"], out)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_builds_into_one_folder(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "acsgen", *words, "--out", str(out)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    open_build(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("place", "size"),
    [_slow("out", "200k"), ("out", "600k"), ("tmp", "40k"), _slow("cache", "40k")],
)
def test_a_disk_that_fills_up(
    words: list[str], first: Path, tmp_path: Path, place: str, size: str
) -> None:
    """Wherever the room runs out: exit status 2, a message in words, and the earlier build."""
    if not namespaces_work():
        pytest.skip("this system lets nobody make a mount namespace")
    disk = tmp_path / "disk"
    disk.mkdir()
    out = disk / "out" if place == "out" else Path(shutil.copytree(first, tmp_path / "out"))
    variables = {"tmp": "TMPDIR", "cache": "ACSGEN_CACHE", "out": "ACSGEN_UNUSED"}
    script = (
        'mount -t tmpfs -o "size=$1" tmpfs "$2"; export "$3=$2"; disk=$2; shift 3; '
        '"$@"; status=$?; '
        'ls -A "$disk"; exit $status'
    )
    # A cache of its own, so that the engine is compiled.
    cache = f"ACSGEN_CACHE={tmp_path / 'cache'}"
    build = ["env", cache, sys.executable, "-m", "acsgen", *words, "--out", str(out)]
    if place != "tmp":
        build = build[2:]
    command = [*IN_NAMESPACE, script, "sh", size, str(disk), variables[place], *build]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    check_message(done.stderr)
    assert "no space left on the disk" in " ".join(done.stderr.split())
    if place == "out":
        assert "out" not in done.stdout.split()
    else:
        open_build(out)
