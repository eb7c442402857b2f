"""The translation of LLVM IR computes what C++ computes; what it counts is recorded."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acsgen.cost.operators import CONTROL_RECORD
from acsgen.engines.hlscheck.ir import Function
from acsgen.engines.hlscheck.llvm import compile_module
from acsgen.engines.hlscheck.loops import Sources
from acsgen.engines.hlscheck.recurrence import unrolled_function
from acsgen.engines.hlscheck.widths import Widths
from acsgen.flow.synth.control import ONE_INSTANCE, OUTSIDE, Control, rendered_control
from acsgen.flow.synth.netlist import Figures
from acsgen.flow.synth.partition import partitioned_function
from acsgen.flow.synth.translate import Translation
from acsgen.flow.synth.yosys import run_yosys, yosys_version
from acsgen.support.assets import asset, asset_root


@pytest.fixture(autouse=True)
def _tools() -> None:
    pytest.importorskip("pyosys", reason="Yosys is not installed")
    missing = [tool for tool in ("clang++", "llvm-link", "opt") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt-get install clang llvm")


HEAD = "#include <stdint.h>\n"

#: Branches, a switch, a loop of known length, shifts by an amount, signs, and a product.
FUNCTION = """
static uint32_t lowest(uint32_t bits) {
  uint32_t number = 0;
  for (int half = 16; half > 0; half >>= 1) {
    if ((bits & ((1u << half) - 1)) == 0) {
      number += half;
      bits >>= half;
    }
  }
  return number;
}
extern "C" void top(uint16_t a, uint16_t b, uint32_t *out) {
  uint32_t found = uint32_t(a) * b;
  switch (a & 3) {
    case 0: found += lowest(a | 0x10000u); break;
    case 1: found = found > 5000 ? found - b : found ^ 0x55; break;
    case 2: found = uint32_t(int32_t(int16_t(b)) >> (a >> 13)); break;
    default: if (int16_t(a) < int16_t(b)) found = a << (b & 7); break;
  }
  *out = found;
}
"""


def lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def signed(number: int) -> int:
    return number - 0x10000 if number & 0x8000 else number


def expected(a: int, b: int) -> int:
    """The function once more."""
    found = a * b
    if a & 3 == 0:
        found += lowest(a | 0x10000)
    elif a & 3 == 1:
        found = found - b if found > 5000 else found ^ 0x55
    elif a & 3 == 2:
        found = signed(b) >> (a >> 13)
    elif signed(a) < signed(b):
        found = a << (b & 7)
    return found % 2**32


NUMBERS = (0, 3, 0x8001, 0xFFFE, 0x1230, 0x6D55, 0xA002)


def write(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "unit.cpp").write_text(HEAD + text, encoding="utf-8")
    return folder


def test_the_translation_computes_what_the_function_does(tmp_path: Path) -> None:
    sources = write(tmp_path / "hls", FUNCTION)
    module = compile_module(sources, tmp_path / "module.ll", top="top")
    written = Sources(sources)
    function = unrolled_function(sources, module, written, "top")
    check_translation(tmp_path, function, written, expected, 32)


def check_translation(
    folder: Path,
    function: Function,
    written: Sources,
    right: Callable[[int, int], int],
    bits: int,
) -> None:
    """Let Yosys evaluate a function of two arguments for pairs of :data:`NUMBERS`.

    Its result has ``bits`` bits.
    """
    text = Translation(function, Widths(function), written, function.order).verilog()
    (folder / "top.v").write_text(text, encoding="utf-8")
    first, second = re.findall(r"input \[\d+:0\] (\w+)", text)
    result = re.findall(rf"output \[{bits - 1}:0\] (\w+)", text)[-1]
    pairs = list(itertools.product(NUMBERS, NUMBERS))
    evaluate = [f"eval -set {first} {a} -set {second} {b} -show {result}" for a, b in pairs]
    said = run_yosys([["read_verilog top.v", "proc", "flatten", *evaluate]], folder)
    # Yosys writes a constant in decimal, or in binary where its highest bit is set.
    words = re.findall(rf"Eval result: \\{result} = (?:{bits}'([01]+)|(\d+))\.", said)
    found = [int(binary, 2) if binary else int(number) for binary, number in words]
    # Which argument is met first is for the compiler.
    assert found in ([right(a, b) for a, b in pairs], [right(b, a) for a, b in pairs])


#: An array of registers, written and read by an index.
REGISTERS = """
extern "C" void top(uint16_t a, uint16_t b, uint32_t *out) {
  uint32_t held[2][3] = {{a, b, 7}, {uint32_t(a) + b, uint32_t(a ^ b), 9}};
  held[a & 1][(b >> 4) % 3] = b >> 1;
  *out = held[(a >> 2) & 1][(a >> 8) % 3] ^ held[1][b % 3];
}
"""


def expected_registers(a: int, b: int) -> int:
    held = [[a, b, 7], [a + b, a ^ b, 9]]
    held[a & 1][(b >> 4) % 3] = b >> 1
    return held[a >> 2 & 1][(a >> 8) % 3] ^ held[1][b % 3]


def test_arrays_of_registers_become_values(tmp_path: Path) -> None:
    sources = write(tmp_path / "hls", REGISTERS)
    module = compile_module(sources, tmp_path / "module.ll", top="top")
    written = Sources(sources)
    function = partitioned_function(sources, module, written, "top")
    nodes = [node for block in function.blocks.values() for node in block]
    assert not any(node.opcode in ("alloca", "load") for node in nodes)
    check_translation(tmp_path, function, written, expected_registers, 17)


KEEPS = """
extern "C" void top(const uint32_t *in, uint8_t n, uint32_t *out) {{
  uint32_t held = 0;
LOOP:
  for (uint8_t i = 0; i < n; ++i) {{
#pragma HLS PIPELINE II=1
    const uint32_t now = in[i];
    out[i] = held;
    if (now & 1) held = {next};
  }}
}}
"""


@pytest.mark.xdist_group("synthesis")
def test_a_register_that_keeps_its_number_takes_no_table(tmp_path: Path) -> None:
    keeps = counted(tmp_path / "keeps", KEEPS.format(next="now"))
    adds = counted(tmp_path / "adds", KEEPS.format(next="held + now"))
    assert adds.lut - keeps.lut == 32


LIMITED = """
static uint32_t both(uint16_t a, uint16_t b, uint16_t c) {
#pragma HLS INLINE off
// They wait for each other.
#pragma HLS ALLOCATION operation instances=mul limit=1
  return uint32_t(a) * b ^ uint32_t(b) * c;
}
extern "C" void top(uint16_t a, uint16_t b, uint16_t c, uint32_t *out) { *out = both(a, b, c); }
"""


@pytest.mark.xdist_group("synthesis")
def test_products_that_a_pragma_limits_share_multipliers(tmp_path: Path) -> None:
    assert counted(tmp_path / "limited", LIMITED).dsp == 1
    free = LIMITED.replace("#pragma HLS ALLOCATION operation instances=mul limit=1\n", "")
    assert counted(tmp_path / "free", free).dsp == 2


def counted(folder: Path, text: str, one_instance: tuple[str, ...] = ()) -> Figures:
    sources = write(folder, text)
    module = compile_module(sources, folder.with_suffix(".ll"), top="top")
    control = Control(sources, module, one_instance, "top")
    return sum((control.count(blocks) for _, blocks in control.parts()), Figures())


PRODUCT = """
static {result} product({factor} a, {factor} b) {{ return {result}(a) * b; }}
extern "C" void top({factor} a, {factor} b, {factor} c, {result} *out) {{
  out[0] = product(a, b);
  out[1] = product(b, c);
}}
"""


@pytest.mark.xdist_group("synthesis")
def test_wide_products_and_copies_of_functions_cost_multipliers(tmp_path: Path) -> None:
    narrow = PRODUCT.format(result="uint32_t", factor="uint16_t")
    wide = PRODUCT.format(result="uint64_t", factor="uint64_t")
    assert counted(tmp_path / "narrow", narrow).dsp == 2
    assert counted(tmp_path / "shared", narrow, ("product",)).dsp == 1
    assert counted(tmp_path / "wide", wide).dsp > 4


def test_one_instance_is_what_the_sources_ask_for() -> None:
    text = "".join(path.read_text("utf-8") for path in asset("templates", "hls").glob("acs_*.cpp"))
    limits = re.findall(r"#pragma HLS ALLOCATION function instances=(\w+) limit=1", text)
    assert sorted(limits) == sorted(ONE_INSTANCE)
    for name in ONE_INSTANCE:
        assert re.search(rf"\b{name}\([^;{{]*\) {{\n#pragma HLS INLINE off\n", text), name


def test_the_record_has_every_part(tmp_path: Path) -> None:
    record = json.loads((asset_root() / CONTROL_RECORD).read_text("utf-8"))
    control = rendered_control(tmp_path)
    parts = dict(control.parts())
    assert list(record["parts"]) == list(parts)
    assert record["yosys"] == yosys_version()
    assert "LANE_ARRAY" in parts
    for name in ("LAST_BURSTS", "PAIRS"):
        found = control.count(parts[name])
        assert {"dsp": found.dsp, "lut": found.lut} == record["parts"][name]


@pytest.mark.slow
def test_counts_are_those_of_the_record(tmp_path: Path) -> None:
    record = json.loads((asset_root() / CONTROL_RECORD).read_text("utf-8"))
    control = rendered_control(tmp_path)
    for name, blocks in control.parts():
        found = control.count(blocks)
        assert {"dsp": found.dsp, "lut": found.lut} == record["parts"][name], name
    assert OUTSIDE in record["parts"]
