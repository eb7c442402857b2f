"""The folder of a sweep: files that were damaged, other sweeps, other files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acsgen.flow.sweep.cache import Cache
from acsgen.flow.sweep.jobs import Outcome
from acsgen.flow.sweep.state import PLAN_FILE, Record, from_bytes, held_folder, to_bytes
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit

RECORD = Record.of("a1", Outcome("done", figures={"macs": 5.5, "open": None}, images="i"), "m")
IDENTITY = {"source": "x.pt", "axes": {"threshold": ["0.1"]}, "code": "c"}


def test_a_record_survives_its_file() -> None:
    assert from_bytes(to_bytes(RECORD)) == RECORD


def test_any_changed_byte_of_a_record_is_noticed() -> None:
    whole = to_bytes(RECORD)
    for place in range(len(whole) - 1):  # behind the last brace there is a line's end alone
        if whole[place : place + 1].isspace():
            continue
        changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        found = from_bytes(changed)
        assert found is None or found == RECORD, (place, changed)
    for length in range(len(whole) - 1):
        assert from_bytes(whole[:length]) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b'{"sha256": 1, "row": 2}']
)
def test_rubbish_is_no_record(content: bytes) -> None:
    assert from_bytes(content) is None


def test_a_damaged_row_is_left_out_with_a_warning(tmp_path: Path) -> None:
    with held_folder(tmp_path) as folder:
        folder.begin(IDENTITY)
        folder.keep(RECORD)
        folder.keep(RECORD.model_copy(update={"key": "b2"}))
        (tmp_path / "points" / "b2.json").write_bytes(to_bytes(RECORD))  # that of another point
        with pytest.warns(UserWarning, match=r"b2.json is damaged"):
            assert folder.records() == {"a1": RECORD}


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    said = pytest.raises(UserError, match="another sweep writes to it")
    with held_folder(tmp_path), said, held_folder(tmp_path):
        pass
    with held_folder(tmp_path):
        pass


def test_the_folder_of_another_sweep_is_left_as_it_is(tmp_path: Path) -> None:
    with held_folder(tmp_path) as folder:
        folder.begin(IDENTITY)
        folder.keep(RECORD)
        folder.begin(IDENTITY)
        with pytest.raises(UserError, match="differs in axes, the version of acsgen"):
            folder.begin({**IDENTITY, "axes": {"threshold": ["0.2"]}, "code": "d"})
        assert folder.records() == {"a1": RECORD}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', "null", "[" * 100_000])
def test_a_damaged_plan_is_told(tmp_path: Path, content: str) -> None:
    with held_folder(tmp_path) as folder:
        folder.begin(IDENTITY)
        (tmp_path / PLAN_FILE).write_text(content)
        with pytest.raises(UserError, match="is damaged"):
            folder.begin(IDENTITY)


def test_other_files_are_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(UserError, match="left untouched"), held_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_trained_model_is_whole_or_trained_again(tmp_path: Path) -> None:
    with held_folder(tmp_path) as folder:
        folder.begin(IDENTITY)
        assert not folder.has_model("net")
        (folder.training_folder("net") / "net.state.pt").write_bytes(b"state")
        folder.keep_model("net", b"weights")
        assert folder.has_model("net")
        assert not (tmp_path / "models" / "net").exists()
        folder.model("net").write_bytes(b"weighty")
        with pytest.warns(UserWarning, match="is damaged: it is trained again"):
            assert not folder.has_model("net")


def test_the_cache_gives_back_what_it_was_given_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACSGEN_CACHE", str(tmp_path))
    cache = Cache(used=True)
    assert cache.row("k", "a1") is None
    cache.keep_row("k", RECORD)
    assert cache.row("k", "other") == RECORD.model_copy(update={"key": "other"})
    cache.keep_model("m", b"weights")
    assert cache.model("m") == b"weights"
    for file in (tmp_path / "sweep").iterdir():
        file.write_bytes(file.read_bytes()[:-2])
    assert cache.row("k", "a1") is None
    assert cache.model("m") is None
    unused = Cache(used=False)
    unused.keep_row("new", RECORD)
    assert unused.row("new", "a1") is None
    monkeypatch.setenv("ACSGEN_CACHE", "/dev/null/nowhere")
    Cache(used=True).keep_row("k", RECORD)  # costs time and nothing else


def test_files_are_json_for_people(tmp_path: Path) -> None:
    with held_folder(tmp_path) as folder:
        folder.begin(IDENTITY)
    assert json.loads((tmp_path / PLAN_FILE).read_text()) == {"format": 1, **IDENTITY}
