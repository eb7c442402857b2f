"""The file of a meter with a clock of its own, put onto the driver's time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acsgen_host import PowerError
from acsgen_host.power import Alignment, Chip, Repeat, align, evaluate, make_trace, read_csv
from acsgen_host.power.align import BARKER

from .traces import INFO

IDLE, NET, EACH = 3.0, 2e-4, 1e-3


def pattern(start: float, chip: float, rng: np.random.Generator) -> list[Chip]:
    """Chips as a driver makes them: those with load end when a round of images ends."""
    chips = []
    for level in BARKER:
        end = start + chip + (rng.uniform(0, 0.05) if level else 0.0)
        chips.append(Chip(start, end, bool(level)))
        start = end
    return chips


class Bench:
    """A driver's timeline, and what a meter with another clock records of it."""

    def __init__(self, seed: int, chip: float = 1.0, seconds: float = 10.0) -> None:
        self.rng = np.random.default_rng(seed)
        start = self.rng.uniform(1000, 2000)
        self.before = pattern(start, chip, self.rng)
        at = self.before[-1].end + 2 * chip
        self.repeats = []
        for _ in range(5):
            load = at + seconds / 2, at + 1.5 * seconds
            after = load[1], load[1] + seconds / 2
            repeat = Repeat((at, load[0]), load, after, seconds, round(seconds / EACH))
            self.repeats.append(repeat)
            at = after[1]
        self.after = pattern(at + 2 * chip, chip, self.rng)

    def record(
        self, offset: float, skew: float, rate: float = 100.0, noise: float = 0.02, drift: float = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Times of the meter's clock, and watts.  Driver = offset + (1 + skew) meter."""
        first = (self.before[0].start - 7 - offset) / (1 + skew)
        last = (self.after[-1].end + 4 - offset) / (1 + skew)
        meter = np.arange(first, last, 1 / rate)
        driver = offset + (1 + skew) * meter
        watts = IDLE + drift * (driver - driver[0])
        loads = [(c.start, c.end) for c in (*self.before, *self.after) if c.load]
        for start, end in loads + [repeat.load for repeat in self.repeats]:
            watts = watts + NET / EACH * ((driver >= start) & (driver < end))
        watts = watts + self.rng.normal(0, noise, len(meter))
        return meter, watts


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("skew", [0.0, 1e-4, -2e-3])
@pytest.mark.parametrize(
    ("rate", "noise", "drift", "tolerance"),
    [(100.0, 0.02, 0.0, 0.02), (1000.0, 0.2, 0.0, 0.03), (20.0, 0.02, 1e-3, 0.05)],
)
def test_offset_and_skew_are_found(
    seed: int, skew: float, rate: float, noise: float, drift: float, tolerance: float
) -> None:
    bench = Bench(seed)
    offset = bench.rng.uniform(-500, 500)
    time, watts = bench.record(offset, skew, rate, noise, drift)
    kept = bench.rng.random(len(time)) > 0.05
    trace = make_trace(time[kept], watts[kept], INFO)
    found = align(trace, bench.before, bench.after)
    for at in (bench.before[0].start, bench.after[-1].end):
        meter = (at - offset) / (1 + skew)
        assert found.offset + (1 + found.skew) * meter == pytest.approx(at, abs=tolerance)
    energy = evaluate(found.apply(trace), bench.repeats)
    assert energy.net.value == pytest.approx(NET, rel=0.03)


def test_the_interval_covers_the_truth_behind_an_alignment() -> None:
    covered = 0
    for seed in range(200):
        bench = Bench(seed)
        trace = make_trace(*bench.record(20.0, 3e-4, 25.0, 0.1), INFO)
        aligned = align(trace, bench.before, bench.after).apply(trace)
        # As the driver leaves out the time after a change.
        repeats = [
            r._replace(
                idle_before=(r.idle_before[0] + 0.5, r.idle_before[1] - 0.1),
                load=(r.load[0] + 0.5, r.load[1] - 0.1),
                idle_after=(r.idle_after[0] + 0.5, r.idle_after[1] - 0.1),
            )
            for r in bench.repeats
        ]
        net = evaluate(aligned, repeats).net
        covered += net.low <= NET <= net.high
    # 1,000 draws of each fault are in test_statistics; of 200, two standard deviations more.
    assert 0.90 * 200 <= covered <= 0.99 * 200


def test_a_slow_meter_needs_long_chips() -> None:
    bench = Bench(1, chip=5.0)
    trace = make_trace(*bench.record(3.0, 1e-4, rate=1.0, noise=0.02), INFO)
    found = align(trace, bench.before, bench.after)
    assert found.offset + (1 + found.skew) * (bench.after[0].start - 3.0) / (1 + 1e-4) == (
        pytest.approx(bench.after[0].start, abs=0.3)
    )


def test_a_trace_without_the_pattern_is_refused() -> None:
    bench = Bench(2)
    time, watts = bench.record(0.0, 0.0)
    rng = np.random.default_rng(5)
    noise = make_trace(time, rng.normal(3, 0.1, len(time)), INFO)
    with pytest.raises(PowerError, match=r"not to be found in it, (before|after) the loops: the"):
        align(noise, bench.before, bench.after)
    with pytest.raises(PowerError, match=r"it has 3 s, the patterns take \d+ s"):
        align(make_trace(time[:300], watts[:300], INFO), bench.before, bench.after)
    early = time < bench.after[0].start + 3
    with pytest.raises(
        PowerError, match="is not to be found in it, before and after the loops, it has"
    ):
        align(make_trace(time[early], watts[early], INFO), bench.before, bench.after)


def test_an_alignment_keeps_the_source() -> None:
    trace = make_trace([0.0, 1.0], [1.0, 2.0], INFO)
    moved = Alignment(10.0, 1e-3, (1.0, 1.0)).apply(trace)
    assert (moved.info, moved.time.tolist()) == (INFO, [10.0, 11.001])


@pytest.mark.parametrize(
    "text",
    [
        "Time (s),Voltage (V),Current (A)\n5.0,12.0,0.25\n5.5,12.0,0.5\n6.0,12.0,0.5\n",
        "time;volts;amps\n5,0;12,0;0,25\n5,5;12,0;0,5\n6,0;12,0;0,5\n",
        "# a meter\nTimestamp\tPower [W]\n5\t3\n5.5\t6\n6\t6\n",
        "t(ms),I(mA),U(mV)\n5000,250,12000\n5500,500,12000\n6000,500,12000\n",
        "2026-11-26 10:00:05.0,3.0\n2026-11-26 10:00:05.5,6.0\n2026-11-26 10:00:06.0,6.0\n",
        "time,v,a\n10:00:05.0,12,0.25\n10:00:05.5,12,0.5\n10:00:06,12,0.5\n",
        "time,v,a\n5.0,12,0.25\n5.5,12,0.5\n5.7,overrange,0.4\n6,12,0.5\n",
    ],
)
def test_files_of_meters(tmp_path: Path, text: str) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(text, encoding="utf-8")
    columns = ("time", "watts") if text.startswith("2026") else ()
    trace = read_csv(path, columns, "12 V")
    assert trace.time.tolist() == [0.0, 0.5, 1.0]
    assert trace.watts.tolist() == [3.0, 6.0, 6.0]
    assert (trace.info.source, trace.info.scope) == ("file meter.csv", "12 V")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("time,volts\n1,2\n", "its titles: time, volts"),
        ("", "no titles"),
        ("time,volts,amps\n", "its titles: time, volts, amps"),
        ("1,2,3\n2,3,4\n", "no titles"),
    ],
)
def test_files_that_say_nothing(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(text)
    with pytest.raises(PowerError, match=f"has no time, or neither .* {what}"):
        read_csv(path)
    with pytest.raises(PowerError, match="cannot be read"):
        read_csv(tmp_path / "nothing.csv")
