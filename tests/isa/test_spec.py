"""The specification is checked on loading, and everything rendered from it is up to date."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acsgen.assets import asset
from acsgen.errors import UserError
from acsgen.isa.render import render_all, stale, target_path
from acsgen.isa.spec import load_spec

pytestmark = pytest.mark.unit


def test_rendered_files_are_up_to_date() -> None:
    assert stale(render_all()) == [], "run python -m acsgen.isa"


def test_a_changed_file_is_stale() -> None:
    rendered = render_all()
    target = next(iter(rendered))
    assert stale({target: rendered[target] + "x"}) == [target]
    assert stale({"no/such/file": ""}) == ["no/such/file"]


def test_host_constants_are_python_3_8() -> None:
    text = target_path("host/acsgen_host/isa.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 8))


def test_registers_lie_as_vitis_places_them() -> None:
    offsets = {r.name: r.offset for r in load_spec().registers}
    assert [offsets[n] for n in ("program", "params", "image", "result")] == [16, 28, 40, 52]
    assert [offsets[n] for n in ("program_words", "trace")] == [0x40, 0x60]
    assert [offsets[n] for n in ("spec_hash", "configuration", "status")] == [0x68, 0x78, 0x88]


def _edit(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    data = yaml.safe_load(asset("hw", "spec", "engine.yaml").read_text(encoding="utf-8"))
    edit(data)
    path = tmp_path / "engine.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def test_hash_depends_on_meaning_and_not_on_documentation(tmp_path: Path) -> None:
    def document(data: dict[str, Any]) -> None:
        data["opcodes"]["END"]["doc"] = "Other words."

    def renumber(data: dict[str, Any]) -> None:
        data["opcodes"]["END"]["code"] = 77

    original = load_spec().hash
    assert load_spec(_edit(tmp_path, document)).hash == original
    assert load_spec(_edit(tmp_path, renumber)).hash != original


def test_all_contradictions_are_reported_at_once(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["opcodes"]["LOAD"]["code"] = data["opcodes"]["END"]["code"]
        data["fields"][1]["lsb"] = 0
        data["fields"][2]["ops"] = ["CONV", "DANCE"]
        data["fields"][3]["lsb"] = 63
        data["status"]["OK"]["code"] = 2
        data["arguments"][1]["name"] = data["arguments"][0]["name"]
        data["constants"]["MASK_NONE"]["value"] = 3

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    text = str(caught.value)
    for part in (
        "opcodes: 1 appears more than once",
        "overlaps opcode",
        "unknown opcodes: DANCE",
        "is not inside the 8 words",
        "status: 2 appears more than once",
        "arguments: program appears more than once",
        "constants.MASK_NONE",
    ):
        assert part in text


def test_wrong_types_are_reported_with_their_place(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["fields"][0]["bits"] = "eight"
        data["constants"]["LANES"]["velue"] = 1

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    assert "fields.0.bits" in str(caught.value)
    assert "constants.LANES.velue" in str(caught.value)
