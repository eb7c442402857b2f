"""The cache of compiled engines: one build for equal parts, nothing half made."""

from __future__ import annotations

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
