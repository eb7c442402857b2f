"""Intervals cover the truth as often as they claim, on traces with the faults of real meters."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from acsgen_host import PowerError
from acsgen_host.power import Repeat, estimate, evaluate, make_trace, student_t
from acsgen_host.power.statistics import sensor_step
from scipy import stats

from .traces import INFO, World

#: Draws of a world; its 95 % interval must cover the truth in 93 to 97 % of them.
DRAWS = 1000

WORLDS = {
    "noise": World(),
    "noise ten times the signal": World(noise=2.0),
    "noise that lasts half a second": World(memory=0.96),
    "noise that lasts two seconds": World(memory=0.99),
    "drift": World(drift=2e-3),
    "strong drift": World(drift=2e-2, noise=0.02),
    "lost samples": World(lost=0.3),
    "drift and lost samples and noise that lasts": World(drift=5e-3, lost=0.2, memory=0.96),
    "eight repeats of fifteen seconds": World(repeats=8, seconds=15.0, memory=0.9),
    "steps of a sensor, little noise": World(step=0.012, noise=1e-5),
    "steps of a sensor, some noise": World(step=0.012, noise=0.004),
    "steps of a sensor, much noise": World(step=0.012, noise=0.02),
    "a slow meter": World(rate=4.0),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_interval_covers_the_truth(name: str) -> None:
    world = WORLDS[name]
    rng = np.random.default_rng(20261126)
    net = total = 0
    for _ in range(DRAWS):
        # So that the truth lies anywhere between two steps of a sensor.
        drawn = replace(world, idle=rng.uniform(2, 4), net=rng.uniform(1e-4, 3e-4))
        energy = evaluate(drawn.trace(rng), drawn.plan)
        net += energy.net.low <= drawn.net <= energy.net.high
        total += energy.total.low <= drawn.total <= energy.total.high
    assert 0.93 * DRAWS <= net <= 0.97 * DRAWS
    assert 0.93 * DRAWS <= total <= 0.97 * DRAWS


def test_energy_and_power_are_right_without_noise() -> None:
    world = World(noise=0.0, lost=0.2)
    energy = evaluate(world.trace(np.random.default_rng(1)), world.plan)
    assert energy.net.value == pytest.approx(2e-4, rel=1e-9)
    assert energy.total.value == pytest.approx(3.2e-3, rel=1e-9)
    assert energy.net_watts.value == pytest.approx(0.2, rel=1e-9)
    assert energy.idle_watts.value == pytest.approx(3.0, rel=1e-9)
    assert energy.loop_watts.value == pytest.approx(3.2, rel=1e-9)
    assert energy.seconds == pytest.approx(1e-3)
    assert energy.net.resolved


def test_a_drift_is_no_energy() -> None:
    world = World(noise=0.0, drift=0.05, net=0.0)
    energy = evaluate(world.trace(np.random.default_rng(1)), world.plan)
    assert abs(energy.net.value) < 1e-7
    assert energy.total.value == pytest.approx(world.total, rel=1e-3)


def test_an_interval_that_spans_zero_is_unresolved() -> None:
    rng = np.random.default_rng(3)
    nothing = World(net=0.0)
    found = [evaluate(nothing.trace(rng), nothing.plan).net.resolved for _ in range(400)]
    assert 0.02 < np.mean(found) < 0.09, "as often as an interval of 95 % may be wrong"
    assert evaluate(World().trace(rng), World().plan).net.resolved
    # A step that is larger than the difference hides it, however little the samples differ.
    coarse = World(net=5e-6, step=0.02, noise=0.0, idle=3.003)
    energy = evaluate(coarse.trace(rng), coarse.plan)
    assert not energy.net.resolved


def test_lost_samples_at_the_edges_do_not_shift_a_mean() -> None:
    """Time counts, and not the number of samples."""
    time = np.concatenate([np.arange(0.05, 5, 0.1), np.arange(5, 10, 0.01)])
    trace = make_trace(time, np.where(time < 5, 1.0, 3.0), INFO)
    assert trace.between(0.0, 10.0).mean == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize(
    ("keep", "text"),
    [
        (lambda t: (t < 6) | (t > 9), r"no sample for 3\.0 s of a stretch of 10\.0 s"),
        (lambda t: t < 60, r"0 samples in 10\.0 s"),
        (lambda t: np.isclose(t % 4, 0.01, atol=0.005), "samples in"),
    ],
)
def test_missing_samples_are_said(keep: object, text: str) -> None:
    world = World()
    trace = world.trace(np.random.default_rng(1))
    kept = keep(trace.time)  # type: ignore[operator]
    with pytest.raises(PowerError, match=text):
        evaluate(make_trace(trace.time[kept], trace.watts[kept], INFO), world.plan)


def test_samples_that_are_no_numbers_are_left_out() -> None:
    trace = make_trace([2.0, 0.0, 1.0, np.nan, 4.0], [3.0, 1.0, 2.0, 9.0, np.inf], INFO)
    assert (trace.time.tolist(), trace.watts.tolist()) == ([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(PowerError, match="gave no sample"):
        make_trace([np.nan], [1.0], INFO)


def test_too_few_repeats_are_refused() -> None:
    world = World(repeats=2)
    with pytest.raises(PowerError, match="repeats: are 2"):
        evaluate(world.trace(np.random.default_rng(1)), world.plan)


def test_student_t_is_that_of_scipy() -> None:
    for freedom in (1, 2, 3, 4, 5, 6, 9, 10, 29, 30, 99, 299):
        assert student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)
        assert student_t(freedom, 0.99) == pytest.approx(stats.t.ppf(0.995, freedom), rel=1e-9)
    between = [student_t(f) for f in np.linspace(4, 9, 51)]
    assert all(a > b for a, b in pairwise(between))
    assert between == pytest.approx(stats.t.ppf(0.975, np.linspace(4, 9, 51)), rel=2e-3)
    assert student_t(1e6) == pytest.approx(stats.norm.ppf(0.975), rel=5e-3)


def test_the_estimate_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(2).normal(5, 2, 8)
    found = estimate(values)
    low, high = stats.t.interval(0.95, 7, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert found.half_width == pytest.approx((high - low) / 2)


def test_the_step_of_a_sensor_is_seen() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(3, 0.05, 2000)
    assert sensor_step(values) == 0.0
    assert sensor_step(np.round(values / 0.0125) * 0.0125) == pytest.approx(0.0125)
    assert sensor_step(np.full(100, 3.0)) == 0.0
    # Levels far apart hide it: the interval then is too wide rather than too narrow.
    world = World(step=0.012, noise=1e-4)
    hidden = world.trace(rng)
    told = evaluate(hidden, world.plan).net
    guessed = evaluate(hidden._replace(info=INFO), world.plan).net
    assert told.half_width < 0.1 * guessed.half_width


def test_the_repeats_carry_their_own_times() -> None:
    """Loops of different length count by the energy of an image."""
    repeats = [
        Repeat((t, t + 5), (t + 5, t + 5 + d), (t + 5 + d, t + 10 + d), d, round(100 * d))
        for t, d in ((0, 10), (30, 20), (70, 15))
    ]
    time = np.arange(0, 100, 0.02) + 0.01
    watts = 2.0 + sum(1.0 * ((time >= r.load[0]) & (time < r.load[1])) for r in repeats)
    energy = evaluate(make_trace(time, watts, INFO), repeats)
    assert energy.net.value == pytest.approx(0.01, rel=1e-9)
    assert energy.total.value == pytest.approx(0.03, rel=1e-9)
