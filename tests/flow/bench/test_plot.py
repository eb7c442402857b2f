"""The plot of the README is drawn from the recorded runs, and is not stale."""

from __future__ import annotations

import pytest

from benchmarks import plot

pytestmark = pytest.mark.unit


def test_the_plot_is_that_of_the_recorded_runs() -> None:
    assert plot.TARGET.read_text(encoding="utf-8") == plot.svg(), "python -m benchmarks.plot"


def test_points_are_shares_of_the_dense_run() -> None:
    found = plot.points()
    assert set(found) == set(plot.COLOURS)
    for items in found.values():
        assert "own" in {masks for _, _, masks in items}
        for macs, cycles, masks in items:
            # No cycles are saved that were not there: the claim is a ratio below one, near it.
            assert 0.8 < cycles / macs < 1.0, masks
