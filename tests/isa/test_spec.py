"""The specification is checked on loading, and everything rendered from it is up to date."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acsgen.isa.render import render_all, stale, target_path
from acsgen.isa.spec import load_spec
from acsgen.support.assets import asset
from acsgen.support.errors import UserError

from .changes import move_fields

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


def _edit(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    data = yaml.safe_load(asset("hw", "spec", "engine.yaml").read_text(encoding="utf-8"))
    edit(data)
    path = tmp_path / "engine.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def test_registers_lie_as_vitis_places_them(tmp_path: Path) -> None:
    kinds = ("pointer", "pointer", "input", "pointer", "output", "input", "output", "output")

    def place(data: dict[str, Any]) -> None:
        data["arguments"] = [
            {"name": f"a{i}", "kind": kind, "doc": "."} for i, kind in enumerate(kinds)
        ]

    offsets = [r.offset for r in load_spec(_edit(tmp_path, place)).registers]
    assert offsets == [0x10, 0x1C, 0x28, 0x30, 0x3C, 0x4C, 0x54, 0x64]


def test_hash_depends_on_what_is_visible_and_not_on_documentation_or_roles(tmp_path: Path) -> None:
    def document(data: dict[str, Any]) -> None:
        data["opcodes"]["END"]["doc"] = "Other words."

    def explain(data: dict[str, Any]) -> None:
        data["roles"]["pixelwise"]["ops"].append("POOL")

    def renumber(data: dict[str, Any]) -> None:
        taken = {code["code"] for code in data["opcodes"].values()}
        data["opcodes"]["END"]["code"] = next(n for n in range(256) if n not in taken)

    original = load_spec().hash
    assert load_spec(_edit(tmp_path, document)).hash == original
    assert load_spec(_edit(tmp_path, explain)).hash == original
    assert load_spec(_edit(tmp_path, renumber)).hash != original


def test_all_contradictions_are_reported_at_once(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        opcode, kernel, stride, pad, *_ = data["fields"]
        codes, statuses = data["opcodes"], data["status"]
        codes["LOAD"]["code"] = codes["END"]["code"]
        kernel.update(word=opcode["word"], lsb=opcode["lsb"])
        stride["ops"] = ["CONV", "DANCE"]
        pad["lsb"] = 64 - pad["bits"] + 1
        statuses["OK"]["code"] = statuses["BAD_FIELD"]["code"]
        data["arguments"][1]["name"] = data["arguments"][0]["name"]
        data["constants"]["MASK_NONE"]["value"] = 3
        data["constants"]["WORD_BYTES"]["value"] = 4
        data["constants"]["TABLE_SIZE"]["value"] = 128

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    spec = load_spec()
    text = str(caught.value)
    for part in (
        f"opcodes: {spec.opcodes['END'].code} appears more than once",
        "fields.kernel: overlaps opcode in all its opcodes",
        "unknown opcodes: DANCE",
        f"fields.pad: is not inside the {spec.constant('INSTRUCTION_WORDS')} words",
        f"status: {spec.status['BAD_FIELD'].code} appears more than once",
        f"arguments: {spec.arguments[0].name} appears more than once",
        "constants.MASK_NONE",
        "constants.WORD_BYTES: words have 64 bits",
        "constants.TABLE_SIZE: the sigmoid of a signed byte has 256 entries",
    ):
        assert part in text


def _meeting(data: dict[str, Any]) -> None:
    """Put a field of LINEAR, and a field of POOL, into the bits of a field of CONV; no others."""
    data["constants"]["INSTRUCTION_WORDS"]["value"] = 16
    move_fields(data)
    fields = {f["name"]: f for f in data["fields"]}
    table, thresholds, maximum = (fields[n] for n in ("table_addr", "threshold_addr", "pool_max"))
    assert (table["ops"], thresholds["ops"], maximum["ops"]) == (["CONV"], ["LINEAR"], ["POOL"])
    thresholds.update(word=table["word"], lsb=table["lsb"])
    maximum.update(word=table["word"], lsb=table["lsb"] + 3)


def test_fields_of_different_opcodes_may_share_bits(tmp_path: Path) -> None:
    spec = load_spec(_edit(tmp_path, _meeting))
    sharing = {f.name for f in spec.fields if spec.shares_bits(f)}
    assert sharing == {"table_addr", "threshold_addr", "pool_max"}
    table = spec.field("table_addr")
    for opcode, used in (("CONV", (1 << table.bits) - 1), ("POOL", 1 << 3), ("END", 0)):
        reserved = dict(spec.reserved_bits(opcode)).get(table.word, 0)
        assert ~reserved >> table.lsb & (1 << table.bits) - 1 == used, opcode


def test_fields_of_one_opcode_do_not_share_bits(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        _meeting(data)
        fields = {f["name"]: f for f in data["fields"]}
        fields["threshold_addr"]["ops"] = ["LINEAR", "SCALE", "CONV"]
        fields["pool_max"]["ops"] = ["POOL", "SCALE"]
        fields["opcode"]["ops"] = ["CONV"]
        bias, mult, *_ = data["record_fields"]
        mult.update(word=bias["word"], lsb=bias["lsb"] + 1)

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    text = str(caught.value)
    for part in (
        "fields.threshold_addr: overlaps table_addr in CONV",
        "fields.threshold_addr: overlaps pool_max in SCALE",
        "fields.opcode: belongs to all opcodes",
        "fields.mult: overlaps bias in every record",
    ):
        assert part in text
    assert "table_addr: overlaps" not in text  # with pool_max, which no opcode of it has


def test_roles_name_what_there_is(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        roles = data["roles"]
        roles["pixelwise"]["ops"] = ["SCALE", "DANCE"]
        roles["writes_mask"]["modes"] = ["GATE", "WALTZ"]
        roles["kernel"] = {"ops": ["CONV"], "doc": "."}

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    for part in (
        "roles.pixelwise: unknown opcodes: DANCE",
        "roles.writes_mask: unknown modes: WALTZ",
        "roles.kernel: is the name of a field",
    ):
        assert part in str(caught.value)


def test_roles_of_fields_that_are_missing_are_not_rendered(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["roles"]["reads_map"]["field"] = "source"

    spec = load_spec(_edit(tmp_path, spoil))
    assert spec.role_ops(spec.roles["reads_map"]) == ()
    with pytest.raises(UserError, match=r"roles\.reads_map: there is no field source"):
        render_all(spec)


@pytest.mark.parametrize("rule", [{}, {"field": "kernel", "ops": ["CONV"]}])
def test_a_role_has_one_rule(rule: dict[str, Any], tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["roles"]["dances"] = {**rule, "doc": "."}

    with pytest.raises(UserError, match="either a field or opcodes"):
        load_spec(_edit(tmp_path, spoil))


def test_fields_hold_their_codes_and_values(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        fields = {f["name"]: f for f in data["fields"]}
        fields["channels"]["bits"] = 10
        fields["stride"]["bits"] = 1
        fields["row_log2"]["bits"] = 1
        fields["pad_value0"]["bits"] = 7
        fields["linear_mode"]["bits"] = 1
        fields["kernel"]["value"] = "colour"
        data["values"]["size"]["holds"] = "MAX_COLOUR"
        data["status"]["OK"]["code"] = 0

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    text = str(caught.value)
    largest = max(mode.code for mode in load_spec().linear_modes.values())
    for part in (
        "fields.channels: MAX_CHANNELS = 2048 is more than 1023",
        "fields.stride: MAX_STRIDE = 2 is more than 1",
        "fields.row_log2: MAX_ROW_LOG2 = 3 is more than 1",
        "fields.pad_value0: MAX_PIXEL = 255 is more than 127",
        f"fields.linear_mode: code {largest} is more than 1",
        "fields.kernel: unknown value: colour",
        "values.size: unknown constant: MAX_COLOUR",
        "status: codes are 1 to 255",
    ):
        assert part in text


def test_a_field_with_more_bits_than_its_value_leaves_the_upper_ones_unused(
    tmp_path: Path,
) -> None:
    words = load_spec().constant("INSTRUCTION_WORDS")
    codes = {load_spec().field(name).word for name in ("opcode", "linear_mode")}
    word = next(word for word in reversed(range(words)) if word not in codes)

    def widen(data: dict[str, Any]) -> None:
        data["fields"] = [f for f in data["fields"] if f["word"] != word]
        data["fields"].append(
            {"name": "wide", "value": "multiplier", "word": word, "lsb": 4, "bits": 20}
            | {"ops": ["SCALE"], "doc": "."}
        )

    spec = load_spec(_edit(tmp_path, widen))
    assert spec.bit_field(spec.fields[-1]).mask == 0xFFFF << 4
    assert dict(spec.reserved_bits("SCALE"))[word] == ~(0xFFFF << 4) & (1 << 64) - 1


def test_wrong_types_are_reported_with_their_place(tmp_path: Path) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["fields"][0]["bits"] = "eight"
        data["constants"]["LANES"]["velue"] = 1

    with pytest.raises(UserError) as caught:
        load_spec(_edit(tmp_path, spoil))
    assert "fields.0.bits" in str(caught.value)
    assert "constants.LANES.velue" in str(caught.value)
