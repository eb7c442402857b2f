"""Multipliers, integer weights and clipping scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acsgen.ir.format import Format
from acsgen.ir.integer import INT32_MAX
from acsgen.ir.ranges import MIN_WEIGHT_BITS, WEIGHT_BITS, largest_partial_sum, weight_max
from acsgen.quant.histogram import CANDIDATES, Histogram
from acsgen.quant.scales import MAX_BIAS, MAX_RATIO, encode_ratio, integer_bias, integer_weights


@given(st.floats(0, MAX_RATIO))
def test_a_ratio_is_met_to_half_a_unit_of_its_multiplier(ratio: float) -> None:
    mult, shift = (int(v) for v in encode_ratio(ratio))
    assert 0 <= mult <= 65535
    assert 14 <= shift <= 38
    assert abs(mult * 2.0**-shift - ratio) <= 2.0**-shift / 2 * (1 + 1e-9)
    if ratio >= 2.0**-23:
        assert mult >= 1 << 15 or shift == 14
        assert mult * 2.0**-shift == pytest.approx(ratio, rel=2.0**-16)


@pytest.mark.parametrize("ratio", [-1e-9, MAX_RATIO * 1.001, np.nan])
def test_ratios_out_of_range_are_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        encode_ratio(ratio)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shape", [(4, 1024, 7, 7), (3, 8, 3, 3)])
def test_the_worst_case_stays_in_int32(signed: bool, shape: tuple[int, ...]) -> None:
    weight = np.ones(shape) * np.array([1, -1, 1e-20, 1])[: shape[0], None, None, None]
    bias = np.array([0.0, 1e6, 1e-3, 8e4])[: shape[0]]
    integers = integer_weights(weight, Format(0.01, signed), np.abs(bias))
    reach = largest_partial_sum(integers.weight, signed) + np.abs(
        integer_bias(bias, integers.acc_scale).astype(np.int64)
    )
    assert reach.max() <= INT32_MAX
    assert np.abs(integers.weight.astype(int)).max() <= 127
    assert np.all(np.abs(bias / integers.acc_scale) <= MAX_BIAS * (1 + 1e-9))


def test_weights_use_the_whole_range_of_each_channel() -> None:
    weight = np.random.default_rng(0).normal(0, 1, (5, 20)) * np.logspace(-6, 6, 5)[:, None]
    integers = integer_weights(weight, Format(0.5, False), np.zeros(5))
    assert np.abs(integers.weight.astype(int)).max(axis=1).tolist() == [127] * 5
    error = integers.weight * integers.acc_scale[:, None] / 0.5 - weight
    assert np.all(np.abs(error) <= integers.acc_scale[:, None] / 0.5 / 2 * (1 + 1e-9))


@pytest.mark.parametrize("bits", range(MIN_WEIGHT_BITS, WEIGHT_BITS + 1))
def test_weights_of_fewer_bits_use_the_whole_of_a_smaller_range(bits: int) -> None:
    weight = np.random.default_rng(bits).normal(0, 1, (5, 20))
    most = weight_max(bits)
    integers = integer_weights(weight, Format(0.5, False), np.zeros(5), weight_max=most)
    assert np.abs(integers.weight.astype(int)).max(axis=1).tolist() == [most] * 5
    assert most == 2 ** (bits - 1) - 1
    error = integers.weight * integers.acc_scale[:, None] / 0.5 - weight
    assert np.all(np.abs(error) <= integers.acc_scale[:, None] / 0.5 / 2 * (1 + 1e-9))


@pytest.mark.parametrize("bits", [MIN_WEIGHT_BITS - 1, WEIGHT_BITS + 1, 0])
def test_other_widths_of_weights_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"4 to 8 bits, not {bits}"):
        weight_max(bits)


def test_a_channel_of_zeros_has_a_usable_scale() -> None:
    integers = integer_weights(np.zeros((2, 3)), Format(0.25, False), np.zeros(2))
    assert np.all(integers.acc_scale > 0)
    assert not integers.weight.any()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50), st.integers(1, 49))
def test_a_histogram_does_not_depend_on_batches(values: list[float], cut: int) -> None:
    whole, parts = Histogram(), Histogram()
    whole.add(torch.tensor(values))
    parts.add(torch.tensor(values[:cut]))
    parts.add(torch.tensor(values[cut:]))
    assert whole.limit == parts.limit
    np.testing.assert_array_equal(whole.counts, parts.counts)


def _true_error(data: torch.Tensor, scale: float) -> float:
    rounded = (data / scale).round().clamp(max=255) * scale
    return float(((rounded - data) ** 2).mean())


def test_clipping_follows_the_data() -> None:
    uniform, tailed, empty = Histogram(), Histogram(), Histogram()
    uniform.add(torch.linspace(0, 10, 100001))
    assert uniform.best_scale(255) == pytest.approx(10 / 255)
    normal = torch.randn(200000, generator=torch.Generator().manual_seed(0)).abs()
    data = torch.cat([normal, torch.full((3,), 20.0)])
    tailed.add(data)
    best = tailed.best_scale(255)
    assert best < tailed.largest / 255
    tried = tailed.largest * CANDIDATES / 255
    assert _true_error(data, best) < 1.02 * min(_true_error(data, float(s)) for s in tried)
    empty.add(torch.zeros(10))
    assert empty.best_scale(255) == 0.0
