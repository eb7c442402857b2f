"""Board files: the shipped ones are right, and all faults of a wrong one are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from acsgen.program.board import Board, board_names, load_board
from acsgen.support.assets import asset
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit

# From the vendor's product tables: DSP, BRAM36, UltraRAM, LUT, FF.
PARTS = {
    "kv260": ("xck26-sfvc784-2LV-c", 1248, 144, 64, 117120, 234240),
    "pynq-z1": ("xc7z020clg400-1", 220, 140, 0, 53200, 106400),
    "pynq-z2": ("xc7z020clg400-1", 220, 140, 0, 53200, 106400),
    "ultra96v2": ("xczu3eg-sbva484-1-i", 360, 216, 0, 70560, 141120),
    "zcu104": ("xczu7ev-ffvc1156-2-e", 1728, 312, 96, 230400, 460800),
    "zedboard": ("xc7z020clg484-1", 220, 140, 0, 53200, 106400),
}


def zedboard() -> dict[str, Any]:
    content = yaml.safe_load(asset("hw", "boards", "zedboard.yaml").read_text())
    assert isinstance(content, dict)
    return content


def write(tmp_path: Path, content: object) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def problems_of(name_or_path: str) -> dict[str, str]:
    """Load a bad board; return the messages by the last word of their place (the key)."""
    with pytest.raises(UserError) as caught:
        load_board(name_or_path)
    return {p.where.rsplit(" ", 1)[-1]: f"{p.what} {p.remedy}" for p in caught.value.problems}


def test_the_shipped_boards_are_those_promised() -> None:
    assert board_names() == sorted(PARTS)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_shipped_board_has_the_resources_of_its_part(name: str) -> None:
    board = load_board(name)
    has = board.resources
    assert (board.part, has.dsp, has.bram36, has.uram, has.lut, has.ff) == PARTS[name]
    assert board.name == name
    # Two MACs a DSP: a group of 64 lanes takes 32, and some must be left for the rest.
    assert board.lane_groups is not None
    assert 32 * board.lane_groups < has.dsp
    # The engine's memories are in block RAM; UltraRAM is not counted on.
    assert board.feature_kib + 2 * board.weight_kib < 4 * has.bram36


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_processing_system_makes_the_clock_of_a_shipped_board(name: str) -> None:
    """It divides a PLL by a whole number; another clock would be one that no board has."""
    board = load_board(name)
    divisor = board.processing_system.io_pll_mhz / board.clock_mhz
    assert divisor == round(divisor)


def test_every_key_is_required_or_has_a_documented_default() -> None:
    optional = {key for key, field in Board.model_fields.items() if not field.is_required()}
    assert optional == {"notes", "lane_groups"}


@pytest.mark.parametrize("spelling", ["zedboard", "ZedBoard", " zedboard", "pynq_z2"])
def test_spelling_of_a_name_is_forgiven(spelling: str) -> None:
    assert load_board(spelling).name in ("zedboard", "pynq-z2")


def test_unknown_name_lists_the_known_and_the_closest() -> None:
    said = problems_of("zedbord")["'zedbord'"]
    assert "did you mean zedboard?" in said
    assert all(name in said for name in PARTS)


def test_a_users_own_file_is_read(tmp_path: Path) -> None:
    content = zedboard() | {"name": "mine", "lane_groups": 2, "clock_mhz": 66.5}
    board = load_board(write(tmp_path, content))
    assert (board.name, board.lane_groups, board.clock_mhz) == ("mine", 2, 66.5)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    content = zedboard()
    content["resources"] |= {"dsp": -1, "bram36": "140", "lutt": 5}
    content["memory"] |= {"port_bits": 48}
    content |= {"lane_groups": True, "clock_mhz": float("nan"), "title": " ", "colour": "red"}
    content |= {"part": "7020", "name": "My Board"}
    del content["feature_kib"]
    said = problems_of(write(tmp_path, content))
    assert set(said) == {
        "resources.dsp", "resources.bram36", "resources.lutt", "memory.port_bits", "lane_groups",
        "clock_mhz", "title", "colour", "part", "name", "feature_kib",
    }  # fmt: skip
    assert "must be greater than 0" in said["resources.dsp"]
    assert "'140'" in said["resources.bram36"]
    assert "whole number" in said["resources.bram36"]
    assert "did you mean lut?" in said["resources.lutt"]
    assert "32, 64 or 128" in said["memory.port_bits"]
    assert "the keys are name," in said["colour"]
    assert "missing" in said["feature_kib"]
    assert "xc7z020clg484-1" in said["part"]


@pytest.mark.parametrize("value", [0, -3, 1.5, "4", None, True, [4], 65])
def test_lane_groups_is_a_small_positive_whole_number(tmp_path: Path, value: object) -> None:
    assert list(problems_of(write(tmp_path, zedboard() | {"lane_groups": value}))) == [
        "lane_groups"
    ]


@pytest.mark.parametrize("word", ["auto", ""])
def test_lane_groups_may_be_left_open_and_stay_so(tmp_path: Path, word: str) -> None:
    content = zedboard()
    del content["lane_groups"]
    board = load_board(write(tmp_path, content | ({"lane_groups": word} if word else {})))
    assert board.lane_groups is None
    # As the manifest of a build keeps it.
    assert board.model_dump()["lane_groups"] == "auto"
    assert Board.model_validate(board.model_dump()) == board


def test_another_word_for_lane_groups_is_told_the_right_one(tmp_path: Path) -> None:
    said = problems_of(write(tmp_path, zedboard() | {"lane_groups": "automatic"}))
    assert said["lane_groups"] == "is 'automatic' must be a whole number, or auto"


def test_memories_larger_than_the_part_are_refused(tmp_path: Path) -> None:
    said = problems_of(write(tmp_path, zedboard() | {"feature_kib": 600}))["weight_kib"]
    assert "664 KiB" in said
    assert "560 KiB" in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "holds nothing"),
        ("just text", "holds text"),
        ("- a\n- b", "holds a list"),
        ("a: [1, 2", "is not YAML"),
        ("a: !!python/object/apply:os.system ['echo no']", "is not YAML"),
        ("a: 2026-13-45", "is not YAML"),
        ("[" * 5000, "is nested too deeply"),
        ("a: " + "9" * 5000, "is not YAML"),
        ("x" * 70000, "is longer than"),
    ],
)
def test_what_is_not_a_board_file_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    (said,) = problems_of(write(tmp_path, content)).values()
    assert expected in said


def test_binary_missing_and_directory_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    for path in (binary, tmp_path / "absent.yaml", tmp_path):
        assert len(problems_of(str(path) + ("/" if path.is_dir() else ""))) == 1


@pytest.mark.parametrize("name", sorted(PARTS))
def test_memory_settings_agree_with_size_and_bandwidth(name: str) -> None:
    """The devices in ``settings`` make the memory that the file tells of."""
    board = load_board(name)
    system, wanted = board.processing_system, board.processing_system.settings
    if board.family == "zynq7000":
        capacity = {"MT41J128M16 HA-15E": 2048, "MT41J256M16 RE-125": 4096}
        capacity["MT41K256M16 RE-125"] = 4096
        device = capacity[str(wanted["PCW_UIPARAM_DDR_PARTNO"])]
        width, bits = 16, int(str(wanted["PCW_UIPARAM_DDR_BUS_WIDTH"]).split()[0])
        clock = float(wanted["PCW_UIPARAM_DDR_FREQ_MHZ"])
    else:
        device = int(str(wanted["PSU__DDRC__DEVICE_CAPACITY"]).split()[0])
        width = int(str(wanted["PSU__DDRC__DRAM_WIDTH"]).split()[0])
        bits = int(str(wanted["PSU__DDRC__BUS_WIDTH"]).split()[0])
        clock = float(wanted.get("PSU__CRF_APB__DDR_CTRL__FREQMHZ", 1200))
    assert device // 8 * (bits // width) == system.memory_mib
    assert board.memory.ddr_peak_mbps == pytest.approx(2 * clock * bits / 8, rel=0.01)


def test_what_the_processing_system_does_not_have_is_refused(tmp_path: Path) -> None:
    content = zedboard()
    system = content["processing_system"]
    system["memory_ports"] = ["HP0", "HP0"]
    system["settings"] |= {"PSU__USE__IRQ0": 1, "PCW_USE_S_AXI_HP3": 1}
    content["memory"]["port_bits"] = 128
    said = problems_of(write(tmp_path, content))
    assert set(said) == {
        "processing_system.memory_ports",
        "memory.port_bits",
        "processing_system.settings.PSU__USE__IRQ0",
        "processing_system.settings.PCW_USE_S_AXI_HP3",
    }
    assert "they begin with PCW_" in said["processing_system.settings.PSU__USE__IRQ0"]
    assert "is set from other keys" in said["processing_system.settings.PCW_USE_S_AXI_HP3"]


@pytest.mark.parametrize("value", ["[exit]", "a} b", "$x", "two\nlines", 'a"b', "a\\b"])
def test_a_setting_that_would_be_a_script_is_refused(tmp_path: Path, value: str) -> None:
    content = zedboard()
    content["processing_system"]["settings"]["PCW_UIPARAM_DDR_PARTNO"] = value
    assert problems_of(write(tmp_path, content))


def test_board_files_of_other_editors(tmp_path: Path) -> None:
    """Windows ends lines with two characters, and may begin a file with a mark."""
    text, right = asset("hw", "boards", "zedboard.yaml").read_text(), load_board("zedboard")
    path = tmp_path / "zedboard.yaml"
    for content in (text.replace("\n", "\r\n").encode(), text.encode("utf-8-sig")):
        path.write_bytes(content)
        assert load_board(str(path)) == right
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(UserError, match=r"not a board file \(save it as UTF-8"):
        load_board(str(path))
