"""Drawn masks hit their target; a difference from the baseline is named; the RTL is as recorded."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.cost.macs import count_macs
from acsgen.engines.rtl import Memory
from acsgen.flow.bench import BenchResult, Case, Figures, chosen_cases, compare
from acsgen.flow.bench.baseline import load_baseline, save_baseline
from acsgen.flow.bench.masks import draw_masks
from acsgen.ir.ungate import without_gates
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.errors import UserError
from tests.nets.integer_graphs import resnet

FIGURES = Figures(1, 1000.0, 10.0, 500.0, 60_000.0, 800.0, 80.0)
CASES = (Case("resnet8", "dense"), Case("resnet8", "drawn", 50))


def result() -> BenchResult:
    half = replace(FIGURES, cycles=750.0, macs=30_000.0)
    engine = EngineConfig(4, feature_kib=256, weight_kib=32, vector_bytes=8192)
    figures = {CASES[0].name: FIGURES, CASES[1].name: half}
    gated = replace(FIGURES, cycles=1200.0, macs=80_000.0)
    references = {("resnet8", "dense"): FIGURES, ("resnet8", "open"): gated}
    return BenchResult("zedboard", engine, Memory(), figures, references)


@pytest.mark.parametrize("percent", [20, 40, 60, 80])
def test_drawn_masks_save_what_they_should(percent: int) -> None:
    graph = resnet()
    dense = count_macs(without_gates(graph), {}, 1).dense
    wanted = dense * (1 - percent / 100)
    drawn = draw_masks(graph, wanted, seed=1)
    counted = {name: mask[None].astype(np.uint8) for name, mask in drawn.masks.items()}
    assert drawn.macs == count_macs(graph, counted, 1).executed[0]
    assert abs(drawn.macs - wanted) <= 0.005 * dense
    for mask in drawn.masks.values():
        assert abs(mask.mean() - drawn.open_share) <= 1 / len(mask)


def test_drawn_masks_differ_by_seed_and_not_by_call() -> None:
    graph = resnet()
    target = 0.5 * count_macs(without_gates(graph), {}, 1).dense

    def drawn(seed: int) -> list[list[bool]]:
        return [mask.tolist() for mask in draw_masks(graph, target, seed).masks.values()]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.unit
def test_saved_shares_are_relative_to_a_reference() -> None:
    assert result().saved(CASES[1], "dense") == (0.5, 0.25)
    assert result().saved(CASES[1], "open") == (0.625, 0.375)
    assert result().utilisation(CASES[0]) == 60_000 / (1000 * 256)


@pytest.mark.unit
def test_cases_by_name_network_and_pattern() -> None:
    assert [case.name for case in chosen_cases(["resnet8/dense"])] == ["resnet8/dense"]
    assert {case.network for case in chosen_cases(["*/own"])} == {"resnet8", "resnet38"}
    assert len(chosen_cases(["resnet38"])) == len(chosen_cases()) // 2
    with pytest.raises(UserError, match="resnet9"):
        chosen_cases(["resnet8", "resnet9"])


@pytest.mark.unit
def test_every_difference_from_the_baseline_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rtl.json"
    assert compare(load_baseline(path), result()) == ["zedboard, 256 lanes: no baseline"]
    save_baseline(path, {}, result())
    assert compare(load_baseline(path), result()) == []

    content = json.loads(path.read_text())
    entry = content["zedboard, 256 lanes"]
    entry["cases"]["resnet8/dense"]["cycles"] += 1
    entry["memory"]["latency"] = 8
    del entry["cases"]["resnet8/saved-50"]
    assert compare(content, result()) == [
        "zedboard, 256 lanes: memory latency is 32, the baseline's 8",
        "resnet8/dense: cycles is 1000, the baseline 1001.0",
        "resnet8/saved-50: no baseline",
    ]


@pytest.mark.unit
def test_updating_some_cases_keeps_the_others_of_the_same_engine(tmp_path: Path) -> None:
    path = tmp_path / "rtl.json"
    save_baseline(path, {}, result())
    some = replace(result(), figures={"resnet8/dense": replace(FIGURES, cycles=999.0)})
    save_baseline(path, load_baseline(path), some)
    entry = load_baseline(path)["zedboard, 256 lanes"]
    assert sorted(entry["cases"]) == ["resnet8/dense", "resnet8/saved-50"]
    save_baseline(path, load_baseline(path), replace(some, memory=Memory(latency=9)))
    assert sorted(load_baseline(path)["zedboard, 256 lanes"]["cases"]) == ["resnet8/dense"]


@pytest.mark.unit
@pytest.mark.parametrize("content", ["{", "[]", '{"zedboard": 3}'])
def test_a_file_that_is_no_baseline(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rtl.json"
    path.write_text(content)
    result = CliRunner().invoke(app, ["bench", "--baseline", str(path)])
    assert result.exit_code == 2
    assert str(path) in "".join(result.stderr.split("\n"))


RECORD = "zedboard, 256 lanes"


def recorded(engine: str) -> dict[str, dict[str, float]]:
    """The recorded figures of every case on one engine."""
    return dict(load_baseline(asset("benchmarks", f"{engine}.json"))[RECORD]["cases"])


def share_of_cycles(case: str, reference: str) -> float:
    """The cycles that a case saves of a reference, as a share of the MACs that it saves of it."""
    found = recorded("hls")
    one, base = found[case], found[f"{case.split('/')[0]}/{reference}"]
    return (1 - one["cycles"] / base["cycles"]) / (1 - one["macs"] / base["macs"])


@pytest.mark.unit
@pytest.mark.parametrize("case", [case.name for case in chosen_cases()])
def test_the_hls_engine_is_nearly_as_fast_as_the_rtl(case: str) -> None:
    """The same work on the same masks behind the same memory, in at most 1.15 of the cycles."""
    hls, rtl = recorded("hls")[case], recorded("rtl")[case]
    same = ("images", "array_iterations", "macs", "bytes_read", "bytes_written")
    assert {key: hls[key] for key in same} == {key: rtl[key] for key in same}
    assert hls["cycles"] <= 1.15 * rtl["cycles"]
    assert load_baseline(asset("benchmarks", "hls.json"))[RECORD]["memory"]["latency"] == 32


@pytest.mark.unit
@pytest.mark.parametrize("case", [c.name for c in chosen_cases() if c.saved_percent is not None])
def test_the_hls_engine_saves_the_cycles_of_the_macs_that_it_saves(case: str) -> None:
    """Nine tenths of the share, of the same program with its gates open."""
    assert share_of_cycles(case, "open") >= 0.90


@pytest.mark.unit
@pytest.mark.parametrize("percent", [40, 50, 60, 70, 80])
def test_the_gates_of_resnet8_pay_for_themselves(percent: int) -> None:
    """Eight tenths of the share, of the network without gates: their own work counts as a loss."""
    assert share_of_cycles(f"resnet8/saved-{percent}", "dense") >= 0.80


@pytest.mark.parametrize("network", ["resnet8", pytest.param("resnet38", marks=pytest.mark.slow)])
def test_the_hls_engine_takes_the_cycles_of_the_baseline(network: str) -> None:
    """A change that makes it faster or slower renews them: acsgen bench --engine hls --update."""
    said = CliRunner().invoke(app, ["bench", "--engine", "hls", "--only", network])
    assert said.exit_code == 0, said.output
    assert "all figures as in the baseline" in said.output


@pytest.mark.rtl
@pytest.mark.parametrize("network", ["resnet8", pytest.param("resnet38", marks=pytest.mark.slow)])
def test_the_rtl_takes_the_cycles_of_the_baseline(network: str) -> None:
    """A change that makes it faster or slower renews them: acsgen bench --update."""
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    said = CliRunner().invoke(app, ["bench", "--only", network])
    assert said.exit_code == 0, said.output
    assert "all figures as in the baseline" in said.output
