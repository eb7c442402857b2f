"""Every form of address that makes no burst is found, and those that make one are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.engines.hlscheck.bursts import bus_accesses, check_bursts
from acsgen.engines.hlscheck.llvm import compile_module

from .unit import write_unit

HEAD = """
#include <ap_int.h>
#include <stdint.h>
#include <string.h>
#include "hls_burst_maxi.h"
typedef uint64_t word_t;
"""

PORT = "#pragma HLS INTERFACE mode=m_axi port=bus bundle=b offset=slave depth=64\n"

#: The body of a top function with a bus, and words of the problem; "" if a burst is made.
FORMS = {
    "pointer first, then index": (
        "const word_t *row = bus + start; for (uint32_t i = 0; i < n; ++i) sum += row[i];",
        "",
    ),
    "signed counter": (
        "for (int i = 0; i < int(n); ++i) sum += bus[i];",
        "",
    ),
    "inner loop": (
        "for (int r = 0; r < int(n); ++r) for (int i = 0; i < 9; ++i) sum += bus[r * 16 + i];",
        "",
    ),
    "copy of many words": (
        "word_t local[16]; memcpy(local, bus + start, sizeof local); sum = local[n & 15];",
        "",
    ),
    "index that may wrap": (
        "for (uint32_t i = 0; i < n; ++i) sum += bus[start + i];",
        "no add recurrence",
    ),
    "sum of numbers that may overflow": (
        "for (int i = 0; i < int(n); ++i) sum += bus[int(start) + i];",
        "no add recurrence",
    ),
    "every second word": (
        "for (int i = 0; i < int(n); ++i) sum += bus[2 * i];",
        "moves by 16 bytes",
    ),
    "backwards": (
        "for (int i = int(n); i > 0; --i) sum += bus[i];",
        "moves by -8 bytes",
    ),
    "conditional": (
        "for (int i = 0; i < int(n); ++i) { if (start >> (i & 31) & 1) sum += bus[i]; }",
        "conditional",
    ),
    "one word for two iterations": (
        "for (int i = 0; i < int(n); ++i) sum += bus[i / 2];",
        "no add recurrence",
    ),
    "recurrence of the outer loop": (
        "for (int i = 0; i < int(n); ++i) "
        "for (uint32_t j = 0; j < start; ++j) { sum = sum * 3 + bus[i]; if (sum == 7) break; }",
        "no add recurrence of its loop",
    ),
    "length not known": (
        "int i = 0; do { sum += bus[i]; ++i; } while (sum < n);",
        "not known before",
    ),
    "address from a table": (
        "for (int i = 0; i < int(n); ++i) sum += bus[TABLE[i & 3]];",
        "no add recurrence",
    ),
    "single word": ("sum = bus[start];", "single word"),
}

pytestmark = pytest.mark.usefixtures("llvm")


def check(folder: Path, text: str) -> list[str]:
    sources = write_unit(folder / "hls", HEAD + text)
    module = compile_module(sources, folder / "module.ll")
    return [finding.message for finding in check_bursts(sources, module)]


@pytest.mark.parametrize("name", FORMS)
def test_form_of_an_address(tmp_path: Path, name: str) -> None:
    body, problem = FORMS[name]
    found = check(
        tmp_path,
        "const int TABLE[4] = {3, 1, 7, 2};\n"
        'extern "C" void acs_engine(const word_t *bus, uint32_t start, uint32_t n, uint64_t *out) {'
        f"\n{PORT}word_t sum = 0; {body} *out = sum;\n}}\n",
    )
    assert len(found) == bool(problem)
    assert all(problem in message and "port bus" in message for message in found)


def test_writes_are_held_to_the_same(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        'extern "C" void acs_engine(word_t *bus, uint32_t start, uint32_t n) {\n'
        f"{PORT}for (int i = 0; i < int(n); ++i) bus[i] = start;\n"
        "for (uint32_t i = 0; i < n; ++i) bus[start + i] = 1;\n}\n",
    )
    assert len(found) == 1
    assert "no add recurrence" in found[0]


def test_a_port_is_followed_through_functions_and_files(tmp_path: Path) -> None:
    sources = tmp_path / "hls"
    write_unit(
        sources,
        HEAD + "word_t fetch(const word_t *words, uint32_t at);\n"
        'extern "C" void acs_engine(const word_t *bus, uint32_t start, uint32_t n, uint64_t *out) {'
        f"\n{PORT}word_t sum = 0; for (uint32_t i = 0; i < n; ++i) sum += fetch(bus, start + i);\n"
        "*out = sum;\n}\n",
    )
    (sources / "fetch.cpp").write_text(
        HEAD + "word_t fetch(const word_t *words, uint32_t at) { return words[at]; }\n"
    )
    module = compile_module(sources, tmp_path / "module.ll")
    assert [(f.file, f.line) for f in check_bursts(sources, module)] == [("fetch.cpp", 7)]


def test_requests_are_bursts_by_themselves(tmp_path: Path) -> None:
    sources = write_unit(
        tmp_path / "hls",
        HEAD + 'extern "C" void acs_engine(hls::burst_maxi<word_t> bus, uint32_t start, uint32_t n,'
        f" uint64_t *out) {{\n{PORT}bus.read_request(start, n);\n"
        "word_t sum = 0; for (uint32_t i = 0; i < n; ++i) sum += bus.read();\n*out = sum;\n}\n",
    )
    module = compile_module(sources, tmp_path / "module.ll")
    assert [access.form for access in bus_accesses(sources, module)] == ["manual"] * 2
    assert check_bursts(sources, module) == []


def test_the_engine_makes_bursts_of_all(rendered: Path, module: Path) -> None:
    accesses = bus_accesses(rendered, module)
    # params by requests; program, image and result by requests or by inferred bursts.
    assert {access.form for access in accesses} >= {"manual"}
    assert check_bursts(rendered, module) == []
