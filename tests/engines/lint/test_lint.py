"""The rendered engine is clean under the lint, and every rule fires on its own snippet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acsgen.engines.lint import RULES, lint_sources
from acsgen.program.board import board_names, load_board
from acsgen.program.engine_config import EngineConfig
from tests.engines.csim.rendering import render_engine

from .bad_snippets import SNIPPETS, with_options

MARK = re.compile(r"//([!+]) ([a-z-]+)")

GOOD = """
#include <ap_int.h>
#include <stdint.h>

enum { TAPS = 3 };
static const int TABLE[4] = {1, 2, 3, 4};
constexpr int MANY = 8;
namespace { const int HALF = MANY; }
struct Store { ap_uint<8> bank[2][16]; };

#ifdef ACS_PROBE
#include "acs_probe_hooks.hpp"
#endif
constexpr int bits(int value) { return value < 2 ? 1 : 1 + bits(value / 2); }
const int WIDTH = bits(255);

// #pragma HLS NOTHING in a comment
void make(const int *source, int n, int a[4]) {
#pragma HLS INLINE off
  L1: for (int i = 0; i < 2 * TAPS - 2; ++i) {
#pragma HLS PIPELINE II=1 rewind
    a[i] = source[i] + n * TABLE[i % 4];
  }
}

void take(const int a[4], int *target) {
  int sum = 0;
  L2: for (int i = 3; i >= 0; i--) {
#pragma HLS UNROLL factor = 2
    sum += a[i];
  }
  *target = sum;
}

void both(const int *source, int *target, int n) {
  L3: for (int i = 0; i < n; ++i) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=MANY avg=4
#pragma HLS DATAFLOW
    int a[4];
#pragma HLS STREAM variable=a type=pipo depth=HALF
    make(source, i, a);
    take(a, target);
  }
}

void top(const int *source, int *target, int n) {
#pragma HLS INTERFACE mode=m_axi port=source bundle=g offset=slave depth=16 READS
#pragma HLS INTERFACE mode=m_axi port=target bundle=g offset=slave depth=16 WRITES
#pragma HLS INTERFACE mode=s_axilite port=source
#pragma HLS INTERFACE mode=s_axilite port=target
#pragma HLS INTERFACE mode=s_axilite port=n
#pragma HLS INTERFACE mode=s_axilite port=return
  static Store store;
#pragma HLS ARRAY_PARTITION variable=store.bank complete dim=1
#pragma HLS BIND_STORAGE variable=store.bank type=ram_t2p impl=bram
  store.bank[0][n & 15] = source[0];
  both(source, target, n);
}
"""


def test_good_code_is_clean(tmp_path: Path) -> None:
    (tmp_path / "unit.cpp").write_text(with_options(GOOD))
    assert lint_sources(tmp_path, top="top") == []


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_rule_fires(tmp_path: Path, number: int) -> None:
    text = SNIPPETS[number]
    (tmp_path / "unit.cpp").write_text(text)
    found = {(finding.line, finding.rule) for finding in lint_sources(tmp_path, top="top")}
    marks = [
        (line, rule, sign)
        for line, source in enumerate(text.splitlines(), 1)
        for sign, rule in MARK.findall(source)
    ]
    assert [sign for *_, sign in marks].count("!") == 1
    assert found == {(line, rule) for line, rule, _ in marks}


def test_every_rule_has_a_snippet() -> None:
    wanted = {rule for text in SNIPPETS for sign, rule in MARK.findall(text) if sign == "!"}
    assert wanted == set(RULES)


def test_rules_reach_headers_and_calls_between_files(tmp_path: Path) -> None:
    (tmp_path / "a.hpp").write_text("#pragma once\nint f(int n);\nint g(int n);\n")
    (tmp_path / "f.cpp").write_text('#include "a.hpp"\nint f(int n) { return g(n); }\n')
    (tmp_path / "g.cpp").write_text('#include "a.hpp"\nint g(int n) { return f(n); }\n')
    (tmp_path / "h.hpp").write_text("inline float h() { return 1.0f; }\n")
    (tmp_path / "h.cpp").write_text('#include "h.hpp"\n')
    found = [(f.file, f.line, f.rule) for f in lint_sources(tmp_path)]
    assert found == [
        ("f.cpp", 2, "recursion"),
        ("g.cpp", 2, "recursion"),
        ("h.hpp", 1, "floating-point"),
        ("h.hpp", 1, "floating-point"),
    ]


def engines() -> dict[EngineConfig, str]:
    """The engines of all boards, and others of the ZedBoard: each with one board of its."""
    zedboard = load_board("zedboard")
    found = {EngineConfig.for_board(zedboard, groups): "zedboard" for groups in (1, 2, 3, 6)}
    return found | {EngineConfig.for_board(load_board(name)): name for name in board_names()}


@pytest.mark.parametrize(
    ("engine", "board"), engines().items(), ids=lambda v: getattr(v, "lane_groups", v)
)
def test_engines_are_clean(tmp_path: Path, engine: EngineConfig, board: str) -> None:
    assert lint_sources(render_engine(tmp_path, engine, board)) == []


DAMAGE = [
    ("acs_array.cpp", "LANE_ARRAY:\n", "", "label"),
    ("acs_array.cpp", "#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_ARRAY\n", "", "trip-count"),
    ("acs_copies.cpp", "max=TRIP_IMAGE_WORDS", "max=TRIP_IMAGE_WORD", "pragma"),
    ("acs_engine.cpp", "port=image bundle", "port=images bundle", "pragma-place"),
    ("acs_engine.cpp", "memories.half type", "memories.halves type", "pragma-place"),
    ("acs_engine.cpp", " num_read_outstanding=16", "", "interface"),
    ("acs_arithmetic.hpp", "#pragma HLS INLINE", "#pragma HLS INLINED", "pragma"),
    (
        "acs_arithmetic.hpp",
        "int64_t(scaled) >> int(scale.beyond)",
        "int64_t(scaled) / int(scale.beyond)",
        "division",
    ),
    (
        "acs_types.hpp",
        '#include "acs_config.hpp"',
        '#include "acs_config.hpp"\n#include <cstdio>',
        "include",
    ),
]


def test_damage_to_the_engine_is_found(tmp_path: Path) -> None:
    folder = render_engine(tmp_path, EngineConfig.for_board(load_board("zedboard")))
    for file, before, after, _ in DAMAGE:
        text = (folder / file).read_text()
        assert before in text
        (folder / file).write_text(text.replace(before, after, 1))
    found = sorted((finding.file, finding.rule) for finding in lint_sources(folder))
    assert found == sorted((file, rule) for file, _, _, rule in DAMAGE)
