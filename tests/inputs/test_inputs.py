"""A small fixed number of damaged files of each kind; ``make fuzz-inputs`` tries more."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from acsgen_host import Bundle
from acsgen_host.errors import HostError
from acsgen_host.handoff import read_engines
from acsgen_host.jsontext import load_json

from acsgen.importers.load import load_model
from acsgen.support import archives
from acsgen.support.archives import read_arrays
from acsgen.support.errors import UserError
from acsgen.support.yamltext import load_yaml
from acsgen.verify.builddir import open_build
from tests.inputs.judge import REFUSALS, Hang, in_time
from tests.inputs.kinds import Kind, kinds
from tests.inputs.session import small_build, try_many
from tests.nets.modules import export_small

pytestmark = pytest.mark.xdist_group("own-board")

#: Damages of each kind, of which slow readers get a part.
EXAMPLES = 40


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_build(tmp_path_factory.mktemp("inputs"))


#: The names, without a build to take files from.
NAMES = tuple(kinds(Path()))


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_read_or_refused_in_words(build: Path, tmp_path: Path, name: str) -> None:
    kind = kinds(build)[name]
    try_many(kind, tmp_path / "good", max(4, round(EXAMPLES * kind.weight)), 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_in_the_place_of_a_file_is_refused(
    build: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody writes into it, so that who opens it waits without end."""
    kind = kinds(build)[name]
    path = kind.start(tmp_path)
    path.unlink()
    os.mkfifo(path)
    told = ""
    with in_time():
        try:
            kind.read(path)
        except REFUSALS as error:
            told = str(error)
    told += " ".join(capsys.readouterr().err.split())
    # A build need not have these two: without a file of theirs it is as if there were none.
    if name not in ("budget.json", "claims.json"):
        assert "is not a regular file" in told


def test_a_reader_that_fails_is_found(tmp_path: Path) -> None:
    """Of the search itself: a wrong reader, a silent one, one that writes, one that hangs."""

    def start(folder: Path) -> Path:
        (folder / "file").write_bytes(b"good")
        return folder / "file"

    def damage(content: bytes, draw: object) -> bytes:
        return content[:-1]

    def stumble(path: Path) -> None:
        raise KeyError(path.read_bytes())

    def silence(path: Path) -> None:
        raise UserError("")

    def escape(path: Path) -> None:
        (path.parent.parent / "escaped").touch()

    readers: dict[str, tuple[Callable[[Path], None], type[BaseException]]] = {
        "stumble": (stumble, KeyError),
        "silence": (silence, AssertionError),
        "escape": (escape, AssertionError),
    }
    for name, (read, error) in readers.items():
        with pytest.raises(error):
            try_many(Kind(start, damage, read), tmp_path / name, 2, 0)
    with pytest.raises(Hang), in_time(0.05):
        time.sleep(60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "NaN"),
        ("[1e999]", "too large"),
        ("[1" + "0" * 5000 + "]", "too large"),
        ("[18446744073709551616]", "too large"),
        ('["\\ud800"]', "surrogates"),
        ("[", "Expecting"),
    ],
)
def test_json_that_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_json(text)


def test_json_that_is_taken() -> None:
    assert load_json(b'[18446744073709551615, -1, 0.5, "\\ud83d\\ude00"]') == [
        2**64 - 1, -1, 0.5, "\U0001f600",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["a: !!int ''", "a: !!bool maybe", "a: !!timestamp x", 'a: "\\ud800"', "a: !!float ''"],
)
def test_yaml_values_that_pyyaml_stumbles_over(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


@pytest.mark.parametrize("form", ["[{}]", "{{<<: [{}]}}"])
def test_yaml_that_stands_for_more_than_fits_a_memory(form: str) -> None:
    lines = ["x0: &x0 {a: 1, b: 2}"]
    lines += [f"x{n}: &x{n} " + form.format(", ".join([f"*x{n - 1}"] * 10)) for n in range(1, 13)]
    if form == "[{}]":  # lists are shared, not copied
        with in_time(10):
            assert len(load_yaml("\n".join(lines))) == 13
    else:
        with in_time(10), pytest.raises(yaml.YAMLError, match="too many keys"):
            load_yaml("\n".join(lines))


def test_a_handoff_with_entities(tmp_path: Path) -> None:
    path = tmp_path / "acs.hwh"
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><EDKSYSTEM>&a;</EDKSYSTEM>')
    with pytest.raises(HostError, match="document type"):
        read_engines(path)


def test_an_archive_that_unpacks_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 2**20)
    arrays = tmp_path / "zeros.npz"
    np.savez_compressed(arrays, images=np.zeros(2**21, np.uint8))
    with pytest.raises(ValueError, match="unpack to 2,"):
        read_arrays(arrays)
    program = export_small(tmp_path / "small.pt2")
    load_model(program)
    with zipfile.ZipFile(program, "a", zipfile.ZIP_DEFLATED) as archive:
        root = archive.namelist()[0].split("/")[0]
        for number in range(4):
            archive.writestr(f"{root}/data/weights/zeros{number}", bytes(2**27))
    with pytest.raises(UserError, match="unpack to"):
        load_model(program)


@pytest.mark.parametrize("name", ["program/program.bin", "program", "vectors"])
def test_links_in_a_build_are_refused(build: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(build, tmp_path / "copy"))
    moved = tmp_path / "elsewhere"
    (copy / name).rename(moved)
    (copy / name).symlink_to(moved)
    with pytest.raises(UserError, match="is a link"):
        open_build(copy)
    with pytest.raises(HostError, match="is a link"):
        Bundle.load(copy).vectors()


def test_a_link_to_a_build_is_followed(build: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(build)
    open_build(tmp_path / "link")
    Bundle.load(tmp_path / "link").vectors()


def test_links_among_the_sources_are_refused(build: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(build, tmp_path / "copy"))
    os.mkfifo(copy / "hls" / "pipe.cpp")
    with in_time(), pytest.raises(UserError, match="not a regular file"):
        open_build(copy).sources("hls")
    (copy / "hls" / "more.cpp").symlink_to("/etc/hostname")
    with pytest.raises(UserError, match=r"more\.cpp: is a link"):
        open_build(copy).sources("hls")


@pytest.mark.parametrize("name", ["../outside.bin", "/etc/hostname", "program/../../x"])
def test_names_that_lead_out_of_a_build_are_refused(build: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(build, tmp_path / "copy"))
    manifest = copy / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"][name] = {"bytes": 1, "sha256": ""}
    manifest.write_text(json.dumps(content))
    with pytest.raises(UserError, match="outside of the directory"):
        open_build(copy)
    with pytest.raises(HostError, match="outside of the directory"):
        Bundle.load(copy)
