"""The SystemVerilog keeps its layout, and every rule fires on its case."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]

GOOD = """// A module.
`default_nettype none

module good (
  input wire logic clk_i,
  input wire logic valid_i
);
  logic unused_valid;
  assign unused_valid = valid_i;

  known :
  assert property (@(posedge clk_i) !$isunknown(valid_i))
  else $error("unknown");

endmodule

`default_nettype wire
"""


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_sv", ROOT / "scripts" / "check_sv.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.unit
def test_sources_keep_the_rules(checker: ModuleType) -> None:
    assert len(checker.sources()) > 40
    found = {
        path.name: list(checker.findings(path.read_text(encoding="utf-8")))
        for path in checker.sources()
    }
    assert {name: broken for name, broken in found.items() if broken} == {}


@pytest.mark.unit
def test_good_source(checker: ModuleType) -> None:
    assert list(checker.findings(GOOD)) == []


@pytest.mark.unit
@pytest.mark.parametrize(
    ("before", "after", "line", "reason"),
    [
        ("`default_nettype none\n", "", 1, "first line"),
        ("\n`default_nettype wire\n", "", 15, "last line"),
        ("known :\n  assert", "assert", 11, "no label"),
        ("known :", "// known :", 12, "no label"),
        ("unused_valid", "unused", 8, "what is unused"),
        ("A module.", "A module." + 90 * "x", 1, "more than 100 columns"),
    ],
)
def test_rules(checker: ModuleType, before: str, after: str, line: int, reason: str) -> None:
    assert before in GOOD
    found = list(checker.findings(GOOD.replace(before, after)))
    assert found[0][0] == line
    assert reason in found[0][1]


def test_immediate_assertions_need_labels_too(checker: ModuleType) -> None:
    bad = GOOD.replace("endmodule", "  always_comb assert (valid_i);\n\nendmodule")
    assert [reason for _, reason in checker.findings(bad)] == ["an assertion has no label"]


def verible(checker: ModuleType) -> None:
    try:
        checker._tool("verible-verilog-lint")
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_sources_are_formatted(checker: ModuleType) -> None:
    verible(checker)
    assert checker.check(checker.sources()) == []


def test_formatter_and_linter_speak(checker: ModuleType, tmp_path: Path) -> None:
    verible(checker)
    path = tmp_path / "good.sv"
    path.write_text(GOOD.replace("  assign", "\tassign"), encoding="utf-8")
    found = checker.check([path])
    assert any("not as Verible formats it" in line for line in found)
    assert any("no-tabs" in line for line in found)
    assert checker.check([path], fix=True) == []
    assert path.read_text(encoding="utf-8") == GOOD
    other = shutil.copyfile(path, tmp_path / "other.sv")
    assert any("module-filename" in line for line in checker.check([other]))
