"""Output directories: whole or not at all, and nothing of the user's is ever removed."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acsgen.support import fsutil
from acsgen.support.errors import UserError
from acsgen.support.fsutil import (
    BUILD_MARKER,
    check_file,
    check_folder,
    check_writable,
    plain_os_error,
    staged_directory,
    write_whole,
)
from acsgen.support.printing import name_as_text
from acsgen.support.user_files import require_file, require_folder

pytestmark = pytest.mark.unit


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def build(target: Path, text: str) -> None:
    with staged_directory(target) as folder:
        (folder / "report.json").write_text(text)


def test_success_leaves_the_target_and_nothing_else(tmp_path: Path) -> None:
    build(tmp_path / "a" / "b" / "out", "1")
    assert tree(tmp_path) == [
        "a", "a/b", "a/b/out", f"a/b/out/{BUILD_MARKER}", "a/b/out/report.json",
    ]  # fmt: skip


def test_the_result_has_ordinary_permissions(tmp_path: Path) -> None:
    build(tmp_path / "out", "1")
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert (tmp_path / "out").stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with staged_directory(tmp_path / "a" / "out") as folder:
            (folder / "half").mkdir()
            (folder / "half" / "file").write_text("x")
            raise error

    with pytest.raises(error):
        fail()
    assert tree(tmp_path) == []


def test_failure_keeps_the_earlier_build(tmp_path: Path) -> None:
    build(tmp_path / "out", "earlier")
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="no"), staged_directory(tmp_path / "out"):
        raise ValueError("no")
    assert tree(tmp_path) == before
    assert (tmp_path / "out" / "report.json").read_text() == "earlier"


def test_an_earlier_build_is_replaced_whole(tmp_path: Path) -> None:
    build(tmp_path / "out", "earlier")
    (tmp_path / "out" / "left-over").write_text("x")
    build(tmp_path / "out", "later")
    assert tree(tmp_path / "out") == [BUILD_MARKER, "report.json"]
    assert tree(tmp_path)[0] == "out"
    assert (tmp_path / "out" / "report.json").read_text() == "later"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "full"), shutil.Error([("a", "b", "[Errno 28] No space left")])],
    ids=["write", "copy"],
)
def test_a_full_disk_is_told_of_the_target_and_leaves_nothing(
    tmp_path: Path, error: OSError
) -> None:
    with pytest.raises(UserError) as told, staged_directory(tmp_path / "new" / "out"):
        raise error
    (problem,) = told.value.problems
    assert problem.where == str(tmp_path / "new" / "out")
    assert problem.what == "cannot be written: no space left on the disk"
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_block_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), staged_directory(tmp_path / "out"):
        raise ConnectionError


def test_failure_to_move_into_place_restores_the_earlier_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path / "out", "earlier")
    before = tree(tmp_path)
    rename = Path.rename

    def refuse_second(self: Path, to: Path) -> Path:
        if to.name == "out" and self.name != "earlier":
            raise OSError(errno.ENOSPC, "full")
        return rename(self, to)

    # As on a file system that cannot exchange two folders.
    monkeypatch.setattr(fsutil, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", refuse_second)
    with pytest.raises(UserError, match="no space left"):
        build(tmp_path / "out", "later")
    assert tree(tmp_path) == before
    assert (tmp_path / "out" / "report.json").read_text() == "earlier"


def test_an_empty_directory_is_taken_and_a_users_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    build(tmp_path / "empty", "1")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("precious")
    for refuse in (check_writable, lambda target: build(target, "1")):
        with pytest.raises(UserError, match="left untouched"):
            refuse(mine)
    assert tree(mine) == ["thesis.tex"]


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    build(tmp_path / "out", "1")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "elsewhere" / "report.json").read_text() == "1"


def test_the_current_directory_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError):
        build(Path(), "1")
    assert tree(tmp_path) == ["notes.txt"]
    # Empty or an earlier build, too: whoever is in the folder would be in none afterwards.
    (tmp_path / "out" / "in").mkdir(parents=True)
    (tmp_path / "out" / BUILD_MARKER).touch()
    for here in (tmp_path / "out", tmp_path / "out" / "in"):
        monkeypatch.chdir(here)
        for check in (check_writable, lambda target: build(target, "1")):
            with pytest.raises(UserError, match="the folder that this command runs in"):
                check(tmp_path / "out")
    build(Path("new"), "1")
    assert Path("new", "report.json").read_text() == "1"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / "file" / "a" / "out"):
        with pytest.raises(UserError, match="not a directory"):
            check_writable(target)
    assert tree(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc")
def test_an_unwritable_place_is_refused_even_for_root() -> None:
    for target in (Path("/proc/acsgen-out"), Path("/proc/acsgen/deep/out")):
        with pytest.raises(UserError, match="cannot be written"):
            check_writable(target)


def test_check_writable_leaves_no_trace(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b" / "out")
    assert tree(tmp_path) == []


def test_full_disk_is_told_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(UserError, match="no space left on the disk"):
        check_writable(tmp_path / "a" / "out")
    assert tree(tmp_path) == []


def test_an_unlisted_errno_keeps_the_systems_words() -> None:
    assert plain_os_error(OSError(errno.EIO, "Input/output error")) == "Input/output error"


def test_a_circle_of_links_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for target in (tmp_path / "a", tmp_path / "a" / "out"):
        with pytest.raises(UserError, match="its symbolic links go in a circle"):
            check_writable(target)
        with pytest.raises(UserError, match="its symbolic links go in a circle"):
            build(target, "1")
        with pytest.raises(UserError, match="its symbolic links go in a circle"):
            check_folder(target)
        with pytest.raises(UserError, match="its symbolic links go in a circle"):
            require_file(target, "file", "")
        with pytest.raises(UserError, match="its symbolic links go in a circle"):
            require_folder(target, "")


def test_what_is_in_the_place_of_a_file_or_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    require_file(tmp_path / "file", "recipe", "")
    require_folder(tmp_path, "")
    with pytest.raises(UserError, match=r"is a folder, not a recipe \(name one\)"):
        require_file(tmp_path, "recipe", "name one")
    with pytest.raises(UserError, match="is not a regular file"):
        require_file(Path("/dev/null"), "recipe", "")
    with pytest.raises(UserError, match="no such file"):
        require_file(tmp_path / "none", "recipe", "")
    with pytest.raises(UserError, match="is not a directory"):
        require_folder(tmp_path / "file", "")
    with pytest.raises(UserError, match="is not there"):
        require_folder(tmp_path / "none", "")
    with pytest.raises(UserError, match="a part of the path is a file"):
        require_folder(tmp_path / "file" / "none", "")


def test_the_first_file_that_could_not_be_copied_is_told() -> None:
    full = shutil.Error(
        [("from", "to", "[Errno 28] No space left on device: 'to'"), ("x", "y", "z")]
    )
    assert plain_os_error(full) == "no space left on the disk"
    assert plain_os_error(shutil.Error([("from", "to", "odd")])) == "odd"
    assert plain_os_error(shutil.Error("alone")) == "alone"


def test_the_folder_of_a_killed_build_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from acsgen.support.fsutil import staged_directory\n"
        "with staged_directory(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').write_text('x')\n"
        "    os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / ".out.mine").mkdir()
    build(tmp_path / "out", "1")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".out.mine", "out"]


def test_the_folder_of_a_build_that_runs_is_left_alone(tmp_path: Path) -> None:
    with staged_directory(tmp_path / "out") as first:
        check_writable(tmp_path / "out")
        with staged_directory(tmp_path / "out") as second:
            assert first.is_dir()
            assert first != second
        assert first.is_dir()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="is a file, not a directory"):
            check_folder(folder)
    check_folder(tmp_path / "new" / "folder")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    write_whole(target, b"old")
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "none" / "page.html", b"new")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
        with pytest.raises(UserError, match="larger than is allowed"):
            write_whole(target, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"old")
    (tmp_path / "link.html").symlink_to("page.html")
    write_whole(tmp_path / "link.html", b"new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_bytes() == b"new"


def test_a_device_or_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    check_file(tmp_path / "pipe")
    write_whole(tmp_path / "pipe", b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    check_file(Path("/dev/full"))
    with pytest.raises(UserError, match="/dev/full: cannot be written: no space left on the disk"):
        write_whole(Path("/dev/full"), b"new")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("net", "net"),
        ("größe 空", "größe 空"),
        ("a\nint b;", "a int b;"),
        ("a\x1b[31m", "a?[31m"),
        (os.fsdecode(b"a\xff"), "a\\xff"),
        ("gr\udcc3\udcb6\udcc3\udc9fe", "größe"),  # as Python reads UTF-8 where the locale is C
    ],
)
def test_the_name_of_a_file_becomes_one_line_of_text(name: str, text: str) -> None:
    assert name_as_text(Path(name)) == text
    text.encode()
