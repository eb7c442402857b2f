"""``report.json`` is the report: read back it is equal, and a damaged one is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acsgen.cost.lane_groups import choose_lane_groups
from acsgen.engines.rtl import Memory
from acsgen.program.board import load_board
from acsgen.report.clock import recorded_evidence
from acsgen.report.data import (
    Accuracy,
    BitstreamFigures,
    CountedCycles,
    Cycles,
    LoopSynthesis,
    Report,
    Synthesis,
)
from acsgen.report.file import REPORT_FILE, read_report, rounded, write_report
from acsgen.report.vivado import PlacedResources
from acsgen.support.errors import UserError

from .samples import REPORT

pytestmark = pytest.mark.unit

FULL = replace(
    REPORT,
    cycles=replace(
        REPORT.cycles,
        rtl=CountedCycles(8, 54, 27.0, 0.5, 9.0, 59.5, Memory(latency=9), "RTL simulation"),
    ),
    clock=recorded_evidence(),
    lane_choice=choose_lane_groups(load_board("zedboard")),
    bitstream={
        "hls": BitstreamFigures(
            stem="net-zedboard-0a1b2c3d",
            vivado="2022.2",
            clock_mhz=100.0,
            board_mhz=100.0,
            wns_ns=0.412,
            whs_ns=0.021,
            resources=PlacedResources(dsp=176, bram36=104.5, lut=41234, ff=33123),
            source="measured by Vivado after routing",
            critical_warnings=("[PSU-1] a negative skew",),
            synthesis=Synthesis(
                vitis_hls="2022.2",
                clock_ns=10.0,
                estimated_ns=7.0,
                resources={"dsp": 170},
                loops=(
                    LoopSynthesis("ARRAY", "run_array", 1, 28, 1, 30),
                    LoopSynthesis("STEPS", "", 1, 0, None, None),
                ),
                claims=9,
                broken=("loop ARRAY: depth: claimed 28, found 30",),
            ),
        )
    },
)
BARE = replace(REPORT, cycles=Cycles(), masks=None, accuracy=Accuracy(None, None, 500, 0.99, None))


@pytest.mark.parametrize("report", [FULL, BARE], ids=["everything", "the least"])
def test_what_is_written_is_read(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report


def test_the_names_in_the_file(tmp_path: Path) -> None:
    """Other programs read them."""
    write_report(tmp_path, FULL)
    content = json.loads((tmp_path / REPORT_FILE).read_text(encoding="utf-8"))
    assert content["accuracy"]["float"] == 0.9512
    assert content["bit_exact"]["csim"]["mismatches"] == 0
    assert content["cycles"]["rtl"]["memory"]["latency"] == 9
    assert content["cycles"]["hls"]["loops"] == {"ROWS": 9.5}
    assert content["layers"][1]["cycles_dense"] is None
    assert list(content) == [
        "model", "board", "acsgen", "spec_hash", "dataset", "engines", "bit_exact", "macs",
        "cycles", "bytes", "accuracy", "outputs", "masks", "resources", "engine",
        "clock_mhz",
        "memory", "layers", "noise", "gates", "images", "buffers", "energy", "origin",
        "rewrites", "refinement", "bitstream", "weight_bits", "lane_choice", "clock",
    ]  # fmt: skip


def test_everything_that_is_wrong_is_named(tmp_path: Path) -> None:
    write_report(tmp_path, FULL)
    content = json.loads((tmp_path / REPORT_FILE).read_text(encoding="utf-8"))
    del content["macs"]["dense"]
    content["layers"][0]["cycles"] = "many"
    (tmp_path / REPORT_FILE).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_report(tmp_path)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert "macs.dense" in said[0]
    assert "layers.0.cycles" in said[1]


def test_a_missing_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_report(tmp_path)


def test_the_noise_of_sums_is_not_kept(tmp_path: Path) -> None:
    noisy = replace(REPORT, macs=replace(REPORT.macs, mean=4279.999999999986))
    assert rounded(noisy).macs.mean == 4280.0
    assert rounded(FULL) == FULL


def test_a_clock_that_stands_still(tmp_path: Path) -> None:
    write_report(tmp_path, replace(REPORT, clock_mhz=0.0))
    with pytest.raises(UserError, match="clock_mhz is 0"):
        read_report(tmp_path)
