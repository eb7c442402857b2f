"""The clock of a report: assumed, with the evidence beside it, until Vivado has run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acsgen.flow.sweep.figures import figures_of
from acsgen.program.board import load_board
from acsgen.report import clock
from acsgen.report.clock import at_clock, clock_note, recorded_evidence
from acsgen.report.text import summary_rows
from acsgen.support.assets import asset

from .samples import REPORT
from .test_file import FULL

pytestmark = pytest.mark.unit

KNOWN = replace(REPORT, clock=recorded_evidence())


def test_the_evidence_is_the_recorded_one() -> None:
    recorded = json.loads(asset("benchmarks", "timing.json").read_text())
    packed, found = recorded["engine"]["packed"], recorded_evidence()
    assert found.basis == "assumed"
    assert found.estimate_mhz == packed["mhz"]
    assert found.estimate_worth == packed["worth"]
    assert found.estimate_part == recorded["tools"]["part"]
    assert recorded["tools"]["nextpnr"] in (found.estimate_tools or "")


@pytest.mark.parametrize(("board", "mhz"), [("zedboard", "100"), ("kv260", "187.5")])
def test_every_time_of_the_closing_table_says_that_its_clock_is_assumed(
    board: str, mhz: str
) -> None:
    """On UltraScale+ too."""
    report = replace(KNOWN, clock_mhz=load_board(board).clock_mhz, board=board)
    rows = {row.label: row for row in summary_rows(report, load_board(board))}
    assert rows["cycles an image, HLS"].remark.endswith(f" ms at {mhz} MHz, assumed")
    estimate = recorded_evidence().estimate_mhz
    assert rows["clock"].value == f"{mhz} MHz"
    assert rows["clock"].remark == (
        "assumed, and not confirmed by Vivado; the whole RTL engine, one lane group, "
        f"packed for an ECP5-6 by nextpnr, is estimated at {estimate:g} MHz, on another chip family"
    )


def test_a_report_from_before_says_no_more_than_it_knows() -> None:
    assert at_clock(REPORT) == "at 100 MHz, assumed"
    assert clock_note(REPORT) == "assumed, and not confirmed by Vivado"
    assert figures_of(REPORT)["estimated_clock_mhz"] is None
    assert figures_of(KNOWN)["estimated_clock_mhz"] == recorded_evidence().estimate_mhz


def test_once_vivado_has_run_its_slack_takes_the_place_of_the_estimate() -> None:
    assert clock_note(FULL) == (
        "assumed by the build; Vivado 2022.2 finds a slack of +0.412 ns at 100.0 MHz for HLS"
    )


def test_without_a_record_there_is_no_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "asset_root", lambda: tmp_path)
    assert recorded_evidence().estimate_mhz is None
