"""The tools' logs: which lines are progress, errors, warnings, and what an error means."""

from __future__ import annotations

import pytest

from acsgen.flow.bitstream.messages import Messages, slower_clock

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "line",
    [
        "acsgen: synthesis",
        "Starting Placer Task",
        "Phase 2 Global Placement",
        "INFO: [HLS 200-42] -- Implementing module 'run_array'",
        "[Thu Nov 26 10:00:00 2026] Launched synth_1...",
        "WARNING: [acsgen] the engine is built for 187.5 MHz",
        "ERROR: [Common 17-69] Command failed",
        "CRITICAL WARNING: [PSU-1] negative skew",
    ],
)
def test_lines_that_are_shown(line: str) -> None:
    assert Messages().take(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Phase 2.1 Floorplanning",
        "INFO: [Common 17-349] Got license for feature 'Synthesis' and/or device 'xc7z020'",
        "WARNING: [Synth 8-3848] Net x does not have driver",
        "    while executing",
    ],
)
def test_lines_that_are_not(line: str) -> None:
    messages = Messages()
    assert not messages.take(line)
    assert not messages.errors
    assert messages.cause is None


def test_each_problem_is_kept_once() -> None:
    messages = Messages()
    for _ in range(3):
        messages.take("ERROR: [Place 30-640] does not fit")
        messages.take("CRITICAL WARNING: [PSU-1] negative skew")
    assert messages.errors == ["does not fit"]
    assert messages.critical == ["[PSU-1] negative skew"]


def test_a_log_without_end_does_not_fill_the_memory() -> None:
    messages = Messages()
    for number in range(10_000):
        messages.take(f"ERROR: [X {number}] number {number}")
    assert len(messages.errors) == 50


@pytest.mark.parametrize(
    ("line", "words", "machine"),
    [
        ("ERROR: [Common 17-345] A valid license was not found for feature", "licence", True),
        ("ERROR: [Coretcl 2-106] Specified part could not be found.", "device files", True),
        ("ERROR: [Common 17-49] Internal Data Exception: No space left on device", "disk", True),
        ("ERROR: [Place 30-640] This design requires more Slice LUTs cells than are available",
         "fewer lanes", False),
    ],
)  # fmt: skip
def test_causes_are_known(line: str, words: str, machine: bool) -> None:
    messages = Messages()
    messages.take(line)
    assert messages.cause is not None
    assert words in messages.cause.meaning
    assert messages.cause.machine == machine


def test_a_cause_may_stand_behind_its_error() -> None:
    messages = Messages()
    messages.take("ERROR: [IMPL 213-28] Failed to generate IP.")
    messages.take("bad lexical cast: source type value could not be interpreted as target")
    assert messages.cause is not None
    assert "76960" in messages.cause.meaning


def test_the_clock_that_the_worst_path_allows() -> None:
    said = "timing is not met at 100.0 MHz: the worst path is 2.5 ns too long; see"
    assert slower_clock(["other", said]) == 80
    assert slower_clock(["other"]) is None
