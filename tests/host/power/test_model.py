"""The energy model: equation 6 of DDI, its fit, and what it may be called."""

from __future__ import annotations

import numpy as np
import pytest
from acsgen_host import InputError
from acsgen_host.power import counts_of, fit, literature_model
from acsgen_host.power.model import TERMS, non_negative_least_squares
from scipy.optimize import nnls

COUNTERS = {
    "macs_executed": 1000.0,
    "array_iterations": 10.0,
    "read_words": 5.0,
    "written_words": 3.0,
}


def test_the_counts_are_the_engines() -> None:
    counts = counts_of(COUNTERS, lane_groups=4)
    assert counts == {"macs": 1000.0, "onchip_bytes": 10 * (128 + 4), "ddr_bytes": 64.0}


def test_without_a_measurement_it_is_a_model() -> None:
    model = literature_model()
    assert (model.kind, model.unit, model.fitted_to) == ("model", "MAC", 0)
    assert "no joule in it was measured" in model.to_json()["assumptions"][0]
    counts = counts_of(COUNTERS, 4)
    assert model.energy(counts) == 1000 + 3 * 1320 + 100 * 64
    assert sum(model.parts(counts).values()) == model.energy(counts)


def test_it_is_fitted_to_measurements() -> None:
    rng = np.random.default_rng(1)
    truth = {"macs": 4e-12, "onchip_bytes": 2e-12, "ddr_bytes": 6e-10}
    counts = [dict(zip(TERMS, rng.uniform(1e5, 1e7, 3), strict=True)) for _ in range(12)]
    exact = [sum(truth[t] * c[t] for t in TERMS) for c in counts]
    model = fit(counts, exact)
    assert model.costs == pytest.approx(truth, rel=1e-6)
    assert (model.unit, model.fitted_to) == ("J", 12)
    assert model.kind == "model fitted to 12 measured points"
    assert model.residual < 1e-9
    noisy = fit(counts, np.array(exact) * rng.normal(1, 0.01, 12))
    assert 0.002 < noisy.residual < 0.02
    assert fit(counts, exact, synthetic=True).kind == "model fitted to 12 synthetic points"


def test_points_that_cannot_tell_the_costs_apart_say_so() -> None:
    counts = [counts_of(COUNTERS, 4)]
    model = fit(counts, [1e-3])
    assert model.energy(counts[0]) == pytest.approx(1e-3)
    assert "do not tell the three costs apart" in model.assumptions[-1]
    for counted, joules in (([], []), (counts, [1.0, 2.0]), (counts, [-1.0])):
        with pytest.raises(InputError, match="energy model"):
            fit(counted, joules)


def test_no_cost_is_negative() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        table, wanted = rng.normal(size=(6, 3)), rng.normal(size=6)
        assert non_negative_least_squares(table, wanted) == pytest.approx(
            nnls(table, wanted)[0], abs=1e-9
        )
