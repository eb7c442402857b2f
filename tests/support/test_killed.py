"""A build that is killed with SIGKILL, at every point, leaves the earlier build or the new one."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from acsgen.support import fsutil
from acsgen.support.fsutil import BUILD_MARKER, staged_directory

FILES = ("report.json", "program/program.bin", "hls/engine.cpp")


def fill(folder: Path, text: str) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def write(target: Path, text: str, last: int, exchange: bool = True) -> int:
    """Write a build in a child, which kills itself at its ``last`` operation on the file system."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def hook(event: str, arguments: object) -> None:
        nonlocal count
        if event == "open" or event.startswith(("os.", "shutil.", "ctypes.", "fcntl.")):
            count += 1
            if count == last:
                signal.raise_signal(signal.SIGKILL)

    try:
        if not exchange:
            fsutil._exchange = lambda one, other: False
        sys.addaudithook(hook)
        with staged_directory(target) as folder:
            fill(folder, text)
    except BaseException:
        os._exit(1)
    os._exit(0)


def content(target: Path) -> set[str]:
    """The texts in the files of a build, all of which must be there."""
    assert (target / BUILD_MARKER).exists()
    return {(target / name).read_text() for name in FILES}


@pytest.mark.parametrize("exchange", [True, False])
def test_at_every_operation_on_the_file_system(tmp_path: Path, exchange: bool) -> None:
    """Without the exchange of two folders the earlier build may be set aside; it is put back."""
    kills = 0
    for last in range(1, 200):
        folder = tmp_path / str(last)
        folder.mkdir()
        target = folder / "out"
        assert write(target, "old", 0) == 0
        status = write(target, "new", last, exchange)
        if not exchange:
            fsutil.check_writable(target)
        assert content(target) in ({"old"}, {"new"}), last
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        # The next build leaves nothing behind but itself.
        assert write(target, "next", 0) == 0
        assert content(target) == {"next"}
        assert [p.name for p in folder.iterdir()] == ["out"], last
        hidden = {p.name for p in target.iterdir() if p.name.startswith(".")}
        assert hidden == {BUILD_MARKER}
    assert status == 0
    assert kills > 20


def test_two_builds_into_one_folder_end_with_one_of_them_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for _ in range(20):
        children = []
        for text in ("one", "two"):
            child = os.fork()
            if not child:
                os._exit(write(target, text, 0))
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        assert content(target) in ({"one"}, {"two"})
        assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_first_build_of_two_that_end_together(tmp_path: Path) -> None:
    """Both found no build at the target when they began."""
    target = tmp_path / "out"
    with staged_directory(target) as first:
        (first / "report.json").write_text("first")
        with staged_directory(target) as second:
            (second / "report.json").write_text("second")
    assert (target / "report.json").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_folders_change_places(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    if not fsutil._exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system has no exchange")
    assert (tmp_path / "one" / "file").read_text() == "other"
    with pytest.raises(OSError, match="No such file"):
        fsutil._exchange(tmp_path / "one", tmp_path / "absent")
