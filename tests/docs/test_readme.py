"""The README's figures: those of the baselines, and no row contradicts another."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from acsgen.program.board import load_board
from tests.docs.pages import ROOT, Page

pytestmark = pytest.mark.unit

#: What the README shows the build of, in the files of benchmarks/.
BUILD, CASE, ENGINE = "resnet8-acs-digits32 on zedboard", "resnet8/dense", "zedboard, 256 lanes"

RENEW = "run `make demo` and put its output into the README, and its cycles into the table of tools"


@cache
def text() -> str:
    return Page("README.md").text


@cache
def block() -> str:
    """The output of ``make demo``, each row on one line."""
    found = re.search(r"measured:begin.*?```\n(.*?)```", text(), re.S)
    assert found is not None
    return re.sub(r"\n {20,}", " ", found[1])


def numbers(label: str) -> list[float]:
    """All numbers of a row, in their order."""
    (row,) = (line for line in block().splitlines() if line.startswith(label + "  "))
    found = re.findall(r"\d[\d,]*(?:\.\d+)?", row[len(label) :])
    return [float(number.replace(",", "")) for number in found]


def recorded(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("engine", ["HLS", "RTL"])
def test_cycles_without_gates_are_those_of_the_benchmark(engine: str) -> None:
    case = recorded(f"{engine.lower()}.json")[ENGINE]["cases"][CASE]
    assert numbers(f"cycles saved, {engine}")[1] == case["cycles"], RENEW


@pytest.mark.parametrize("engine", ["HLS", "RTL"])
def test_rows_of_an_engine_agree(engine: str) -> None:
    cycles, *_, milliseconds, clock = numbers(f"cycles an image, {engine}")
    saved, without, _ = numbers(f"cycles saved, {engine}")
    assert saved == round(100 * (1 - cycles / without), 1)
    assert milliseconds == round(cycles / clock / 1000, 3)
    assert clock == load_board("zedboard").clock_mhz


def test_the_clock_is_assumed_and_beside_it_is_the_evidence() -> None:
    for engine in ("HLS", "RTL"):
        (row,) = (x for x in block().splitlines() if x.startswith(f"cycles an image, {engine}"))
        assert row.endswith(" ms at 100 MHz, assumed"), RENEW
    assert numbers("clock")[-1] == recorded("timing.json")["engine"]["packed"]["mhz"], RENEW


def test_exact_figures_and_estimates_are_those_of_the_baseline() -> None:
    kept = recorded("baseline.json")[BUILD]
    assert numbers("MACs an image") == [round(kept["macs.mean"]), kept["macs.gates"]], RENEW
    skipped, dense = numbers("MACs skipped")
    assert dense == kept["macs.dense"]
    assert skipped == round(100 * (1 - kept["macs.mean"] / dense), 1)
    assert numbers("bytes moved an image")[1] == round(kept["bytes.read"]), RENEW
    has = load_board("zedboard").resources
    for name in ("DSP", "BRAM36", "LUT", "FF"):
        taken, available = kept[f"resources.{name.lower()}"], getattr(has, name.lower())
        share = round(100 * taken / available, 1)
        assert numbers(name) == [taken, share, available], RENEW


def test_the_table_of_tools_repeats_the_build() -> None:
    (row,) = (line for line in text().splitlines() if line.startswith("| acsgen |"))
    cycles = numbers("cycles an image, RTL")[0]
    without = numbers("cycles saved, RTL")[1]
    assert f"{cycles:,.0f} cycles with its gates, {without:,.0f} without" in row, RENEW
    assert f"{recorded('baseline.json')[BUILD]['macs.dense'] / 1e6:.1f} M MAC" in row


def test_nothing_differed() -> None:
    for engine in ("C++", "RTL"):
        assert numbers(f"bit-exact, {engine}")[1] == 0
