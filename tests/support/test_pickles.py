"""Pickles that would be read without end are refused before they are read."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from acsgen.importers.load import load_model
from acsgen.importers.weights import import_weights
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support import pickles
from acsgen.support.errors import UserError
from acsgen.support.pickles import MAX_OPCODES, MAX_PICKLE_BYTES, check_pickles
from tests.inputs.judge import in_time
from tests.nets.modules import export_small

pytestmark = pytest.mark.unit

#: So many bytes of marks, each of which is an opcode.
MARKS = b"\x80\x02" + b"(" * 50_000_000 + b"."

READERS = (load_model, load_checkpoint, import_weights)


def archive_of(path: Path, content: bytes) -> Path:
    """A file of ``torch.save`` with another pickle in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", content)
        archive.writestr("net/byteorder", "little")
        archive.writestr("net/version", "3\n")
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("marks", [MAX_OPCODES, len(MARKS)])
def test_a_small_file_of_many_marks(
    tmp_path: Path, read: Callable[[Path], object], marks: int
) -> None:
    path = archive_of(tmp_path / "marks.pt", MARKS[: marks + 2] + b".")
    assert path.stat().st_size < 60_000
    said = "bytes of pickle" if marks > MAX_PICKLE_BYTES else "opcodes"
    with in_time(20), pytest.raises(UserError, match=said):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_bare_pickle_of_many_marks(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "marks.pt"
    path.write_bytes(MARKS)
    with in_time(20), pytest.raises(UserError, match="refused for safety"):
        read(path)


def test_marks_behind_the_first_pickles_of_an_old_file(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({}, path, _use_new_zipfile_serialization=False)
    file = io.BytesIO(path.read_bytes())
    for _ in range(3):  # a magic number, a version, the machine
        pickle.load(file)
    path.write_bytes(file.getvalue()[: file.tell()] + MARKS)
    with in_time(20), pytest.raises(UserError, match="opcodes"):
        load_model(path)


def test_marks_in_a_part_of_an_exported_program(tmp_path: Path) -> None:
    program = export_small(tmp_path / "small.pt2")
    marks = archive_of(tmp_path / "marks.pt", MARKS).read_bytes()
    with zipfile.ZipFile(program) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in parts if "sample_inputs" in name)
    with zipfile.ZipFile(program, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, marks if part == name else content)
    with in_time(20), pytest.raises(UserError, match="bytes of pickle"):
        load_model(program)


def test_an_exported_program_that_unpacks_to_a_large_graph(tmp_path: Path) -> None:
    program = export_small(tmp_path / "small.pt2")
    with zipfile.ZipFile(program) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(program, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            graph = part.endswith("models/model.json")
            archive.writestr(part, content[:-1] + b" " * 2**26 + b"}" if graph else content)
    assert program.stat().st_size < 2**20
    with in_time(20), pytest.raises(UserError, match="the graph of a network"):
        load_model(program)


def test_a_model_of_many_layers_is_far_from_the_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = io.BytesIO()
    torch.save({f"layer{n}.weight": torch.zeros(1) for n in range(1000)}, content)
    monkeypatch.setattr(pickles, "MAX_OPCODES", MAX_OPCODES // 10)
    monkeypatch.setattr(pickles, "MAX_PICKLE_BYTES", MAX_PICKLE_BYTES // 10)
    check_pickles(content)
    assert content.tell() == 0
