"""The thresholds of the build and of the driver, for every alpha."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from acsgen_host import BundleGate, thresholds
from hypothesis import given
from hypothesis import strategies as st

from acsgen.ir.integer import INT32_MAX, INT32_MIN
from acsgen.quant.thresholds import integer_threshold

pytestmark = pytest.mark.unit

shares = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0, 1e-300, 1 - 1e-16])
scales = st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=9)


def expected_thresholds(alpha: float, scale: list[float]) -> list[int]:
    """The definition, a channel at a time: ``floor(logit(alpha) / scale)``, cut to int32."""
    if alpha in (0.0, 1.0):
        return [INT32_MIN if alpha == 0.0 else INT32_MAX] * len(scale)
    (logit,) = struct.unpack("f", struct.pack("f", math.log(alpha / (1 - alpha))))
    return [min(max(math.floor(logit / unit), INT32_MIN), INT32_MAX) for unit in scale]


def gate(scale: list[float], alpha: float = 0.5) -> BundleGate:
    return BundleGate("gate", len(scale), 0, 0, alpha, np.array(scale), np.arange(len(scale)))


def test_thresholds_lie_in_the_order_of_the_engine() -> None:
    kept = gate([1.0, 1.0, 1.0])._replace(order=np.array([2, 0, 1]), threshold_address=1)
    words = thresholds.pack_gate(kept, np.array([10, 20, 30]))
    assert [int(word) for word in words] == [30 | 10 << 32, 20]
    params = np.concatenate([np.zeros(1, np.uint64), words])
    assert thresholds.unpack(kept, params).tolist() == [10, 20, 30]


@given(alpha=shares, scale=scales)
def test_alpha(alpha: float, scale: list[float]) -> None:
    expected = expected_thresholds(alpha, scale)
    assert integer_threshold(alpha, np.array(scale)).tolist() == expected
    assert np.array_equal(thresholds.from_alpha(gate(scale), alpha), expected)


@given(alpha=shares, scale=scales)
def test_strictness_is_alpha_where_the_gate_was_trained_at_a_half(
    alpha: float, scale: list[float]
) -> None:
    expected = expected_thresholds(alpha, scale)
    assert np.array_equal(thresholds.from_strictness(gate(scale), alpha), expected)


@given(alpha=shares, scale=scales)
def test_half_strictness_is_as_trained(alpha: float, scale: list[float]) -> None:
    expected = expected_thresholds(alpha, scale)
    assert np.array_equal(thresholds.from_strictness(gate(scale, alpha), 0.5), expected)


@given(alpha=shares, scale=scales, strictness=st.lists(shares, min_size=2, max_size=5))
def test_stricter_never_lowers_a_threshold(
    alpha: float, scale: list[float], strictness: list[float]
) -> None:
    values = [thresholds.from_strictness(gate(scale, alpha), s) for s in sorted(strictness)]
    assert np.all(np.diff(np.array(values, np.int64), axis=0) >= 0)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=9))
def test_packing(values: list[int]) -> None:
    integers = np.array(values, np.int32)
    words = thresholds.pack(integers)
    halves = [value % 2**32 for value in values] + [0] * (len(values) % 2)
    assert words.tolist() == [
        low + (high << 32) for low, high in zip(halves[::2], halves[1::2], strict=True)
    ]
    assert np.array_equal(thresholds.unpack(gate([1.0] * len(values)), words), integers)
