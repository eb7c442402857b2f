"""Dependence cycles that take too long are found, and those that do not are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.engines.hlscheck import delays
from acsgen.engines.hlscheck.llvm import compile_module
from acsgen.engines.hlscheck.recurrence import Bound, check_recurrences, recurrence_bounds

from .unit import write_unit

CLOCK_NS = 10.0

#: Functions, and the least interval of the loop LOOP in them.
LOOPS = {
    "a sum": (
        "LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\nsum += in[i]; }",
        1,
    ),
    "a sum of eight is balanced": (
        "LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "for (int j = 0; j < 8; ++j) sum += in[j]; }",
        1,
    ),
    "three comparisons behind each other": (
        "int x = 0, y = 0; LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "if (++x == limit) { x = 0; if (++y == in[0]) { y = 0; ++sum; } } sum += x; }",
        2,
    ),
    "the same, decided beforehand": (
        "int x = 0; bool last = limit == 1; LOOP: for (int i = 0; i < n; ++i) {\n"
        "#pragma HLS PIPELINE II=1\n"
        "const bool now = last; last = x + 2 == limit; x = now ? 0 : x + 1; sum += x; }",
        1,
    ),
    "a branch between equal values decides none of them": (
        "int x = limit; LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "if (in[i]) { const int next = x + 3; if (next * next * next > n) { out[1] = i; } x = next;"
        " } else { out[2] = i; } } sum = x;",
        1,
    ),
    "a branch between two values decides": (
        "int x = limit; LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "const int next = x * 3; if (next * x * next > n) { x = next; ++sum; }"
        " else { x = next + 1; --sum; } }",
        2,
    ),
    "dealing a round in the iteration that needs it": (
        "int left = n, at = 0; LOOP: while (left > 0) {\n#pragma HLS PIPELINE II=1\n"
        "const int take = left < limit ? left : limit;\n"
        "const int more = limit - take < in[0] ? limit - take : in[0];\n"
        "left -= take + more; at = at + take > in[1] ? 0 : at + take; sum += at; }",
        3,
    ),
    "a memory that is read for its own address": (
        "static int next[64];\n#pragma HLS BIND_STORAGE variable=next type=ram_t2p impl=bram\n"
        "for (int i = 0; i < 64; ++i) next[i] = in[i];\n"
        "int at = 0; LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "at = next[at & 63]; sum += at; }",
        2,
    ),
    "a histogram": (
        "static int bin[64];\n#pragma HLS BIND_STORAGE variable=bin type=ram_t2p impl=bram\n"
        "for (int i = 0; i < 64; ++i) bin[i] = 0;\n"
        "LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "bin[in[i] & 63] += 1; }\nsum = bin[limit & 63];",
        2,
    ),
    "a histogram whose iterations are said to be independent": (
        "static int bin[64];\n#pragma HLS BIND_STORAGE variable=bin type=ram_t2p impl=bram\n"
        "for (int i = 0; i < 64; ++i) bin[i] = 0;\n"
        "LOOP: for (int i = 0; i < n; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "#pragma HLS DEPENDENCE variable=bin type=inter dependent=false\n"
        "bin[in[i] & 63] += 1; }\nsum = bin[limit & 63];",
        1,
    ),
    "a division": (
        "int x = n; LOOP: for (int i = 0; i < 30; ++i) {\n#pragma HLS PIPELINE II=1\n"
        "x = x / (limit | 1) + i; } sum = x;",
        12,
    ),
    "a loop that ends by its own sum": (
        "LOOP: while (sum * limit + in[2] < n) {\n#pragma HLS PIPELINE II=1\n"
        "sum = (sum < in[0] ? sum + in[1] : sum - in[1]); }",
        2,
    ),
}

pytestmark = pytest.mark.usefixtures("llvm")


def bounds(folder: Path, body: str) -> list[Bound]:
    sources = write_unit(
        folder / "hls",
        f'extern "C" void acs_engine(const int *in, int n, int limit, int *out) {{\n'
        f"int sum = 0;\n{body}\n*out = sum;\n}}\n",
    )
    return recurrence_bounds(sources, compile_module(sources, folder / "module.ll"), CLOCK_NS)


@pytest.mark.parametrize("name", LOOPS)
def test_bound_of_a_loop(tmp_path: Path, name: str) -> None:
    body, interval = LOOPS[name]
    found = [bound for bound in bounds(tmp_path, body) if bound.loop.label == "LOOP"]
    assert len(found) == 1
    assert found[0].interval == interval if interval < 3 else found[0].interval >= interval
    if interval > 1:
        assert sum(step.delay for step in found[0].cycle) > delays.budget(CLOCK_NS)


def test_a_finding_names_the_loop_and_its_cycle(tmp_path: Path) -> None:
    body, _ = LOOPS["three comparisons behind each other"]
    bounds(tmp_path, body)
    findings = check_recurrences(tmp_path / "hls", tmp_path / "module.ll", CLOCK_NS)
    assert len(findings) == 1
    assert "loop LOOP: the interval is at least 2, the pragma asks 1" in findings[0].message
    assert "unit.cpp:5 icmp of 32 bits" in findings[0].message


def test_narrow_numbers_take_less_time() -> None:
    for delay in (delays.add_delay, delays.compare_delay, delays.shift_delay):
        times = [delay(bits) for bits in range(1, 80)]
        assert times == sorted(times)
    assert delays.add_delay(3) < delays.add_delay(16) < delays.add_delay(48)


def test_the_engine_has_no_cycle_that_is_too_long(rendered: Path, module: Path) -> None:
    assert check_recurrences(rendered, module, CLOCK_NS) == []
    labels = {bound.loop.label for bound in recurrence_bounds(rendered, module, CLOCK_NS)}
    assert "" not in labels
    assert {"LANE_ARRAY", "LISTS"} <= labels
