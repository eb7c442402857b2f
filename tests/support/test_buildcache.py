"""The cache of compiled engines: one build for equal parts, nothing half made."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from acsgen.support import buildcache
from acsgen.support.buildcache import cache_folder, cached_file, check_cache
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit


class Builder:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_text(f"build {self.calls}")


def test_equal_parts_are_built_once(tmp_path: Path) -> None:
    build = Builder()
    source = tmp_path / "source.sv"
    source.write_text("module m; endmodule")
    first = cached_file("engine.so", ["-O2", source], build, tmp_path / "cache")
    again = cached_file("engine.so", ["-O2", source], build, tmp_path / "cache")
    assert first == again
    assert first.read_text() == "build 1"
    assert build.calls == 1


def test_every_part_counts(tmp_path: Path) -> None:
    source = tmp_path / "source.sv"
    seen = set()
    for parts in (["a", "b"], ["ab"], ["ab", ""], ["", "ab"]):
        seen.add(cached_file("engine.so", parts, Builder(), tmp_path))
    for text in ("module m; endmodule", "module n; endmodule"):
        source.write_text(text)
        seen.add(cached_file("engine.so", [source], Builder(), tmp_path))
    assert len(seen) == 6


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached_file("engine.so", ["x"], fail, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
    assert cached_file("engine.so", ["x"], Builder(), tmp_path).read_text() == "build 1"


def test_oldest_entries_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buildcache, "MAX_ENTRIES", 3)
    paths = [cached_file("engine.so", [str(i)], Builder(), tmp_path) for i in range(5)]
    assert [path.exists() for path in paths] == [False, False, True, True, True]


def test_a_clock_that_was_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new entry is older than all others then, and is needed nevertheless."""
    monkeypatch.setattr(buildcache, "MAX_ENTRIES", 3)
    for i in range(3):
        os.utime(cached_file("engine.so", [str(i)], Builder(), tmp_path), (2e9 + i, 2e9 + i))
    made = cached_file("engine.so", ["new"], Builder(), tmp_path)
    assert made.read_text() == "build 1"
    assert len(list(tmp_path.glob("*.so"))) == 3


def test_another_process_makes_room_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that it has removed are no error; nor is the lock that it removed a lock."""
    monkeypatch.setattr(buildcache, "MAX_ENTRIES", 1)
    gone = cached_file("engine.so", ["gone"], Builder(), tmp_path)
    gone.unlink()
    monkeypatch.setattr(Path, "glob", lambda *_: iter([gone]))
    assert cached_file("engine.so", ["x"], Builder(), tmp_path).exists()
    monkeypatch.undo()

    path, taken = tmp_path / "entry.lock", []
    first = path.open("w")
    fcntl.flock(first, fcntl.LOCK_EX)

    def take() -> None:
        with buildcache._locked(path):
            taken.append(path.stat().st_ino)

    waiting = threading.Thread(target=take)
    waiting.start()
    path.unlink()
    second = path.open("w")
    fcntl.flock(second, fcntl.LOCK_EX)
    first.close()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert not taken
    second.close()
    waiting.join(20)
    assert taken == [path.stat().st_ino]


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container that is started for a number."""

    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    for name in ("ACSGEN_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cache_folder() == tmp_path / f"acsgen-{os.getuid()}"
    cached_file("engine.so", ["x"], Builder())
    assert cache_folder().stat().st_mode & 0o777 == 0o700
    # What lies there is run, so it must not be another user's.
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    (tmp_path / "acsgen-12345").mkdir()
    monkeypatch.setattr(
        Path, "lstat", lambda _: os.stat_result((0o40777, 0, 0, 1, 54321, *[0] * 5))
    )
    with pytest.raises(UserError, match="permission denied"):
        check_cache()


def test_unwritable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="ACSGEN_CACHE"):
        cached_file("engine.so", ["x"], Builder(), tmp_path / "file" / "cache")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"ACSGEN_CACHE": "/there"}, "/there"),
        ({"XDG_CACHE_HOME": "/caches"}, "/caches/acsgen"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.cache/acsgen"),
        ({"HOME": "/home/me"}, "/home/me/.cache/acsgen"),
    ],
)
def test_folder(environment: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACSGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(cache_folder()) == wanted


def test_a_cache_that_cannot_be_written_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("ACSGEN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match="set ACSGEN_CACHE to a folder that can"):
        check_cache()
    monkeypatch.setenv("ACSGEN_CACHE", str(tmp_path / "cache"))
    check_cache()
    assert list((tmp_path / "cache").iterdir()) == []
