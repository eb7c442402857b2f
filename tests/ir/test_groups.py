"""The groups hidden in a convolution's zeros."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.ir.groups import channel_groups, kernel_pattern


def _dgconv(width: int, zero_bits: int, rng: np.random.Generator) -> np.ndarray:
    """Weight (o, c) survives iff (o xor c) has no bit of ``zero_bits`` (ACS paper, DGConv)."""
    o, c = np.ogrid[:width, :width]
    weight = rng.integers(1, 127, (width, width, 3, 3))
    return weight * (((o ^ c) & zero_bits) == 0)[:, :, None, None]


def _covers(weight: np.ndarray, declared: int = 1) -> int:
    """Check that the groups found hold every nonzero kernel; return how many there are."""
    found = channel_groups(weight, declared)
    if found is None:
        return 1
    pattern = kernel_pattern(weight, declared)
    assert sorted(found.in_order) == list(range(pattern.shape[1]))
    assert sorted(found.out_order) == list(range(pattern.shape[0]))
    inside = np.zeros_like(pattern)
    for outs, ins in zip(found.outputs, found.inputs, strict=True):
        inside[np.ix_(outs, ins)] = True
    assert not np.any(pattern & ~inside)
    return found.groups


@given(st.integers(0, 31), st.integers(0, 2**32 - 1))
def test_dgconv_has_two_to_the_zero_bits_groups(zero_bits: int, seed: int) -> None:
    weight = _dgconv(32, zero_bits, np.random.default_rng(seed))
    assert _covers(weight) == 2 ** zero_bits.bit_count()


def test_dead_channels_do_not_cost_the_groups() -> None:
    weight = _dgconv(16, 0b0101, np.random.default_rng(0))
    weight[3] = 0
    weight[:, 7] = 0
    weight[[0, 2, 8, 10]] = 0  # a whole group
    assert _covers(weight) == 4


def test_declared_groups_are_kept_in_order() -> None:
    weight = np.ones((6, 2, 3, 3), np.int8)
    found = channel_groups(weight, groups=3)
    assert found is not None
    assert (found.groups, found.in_order, found.out_order) == (
        3,
        (0, 1, 2, 3, 4, 5),
        (0, 1, 2, 3, 4, 5),
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8)])
def test_a_dense_convolution_is_not_divided(shape: tuple[int, int]) -> None:
    assert channel_groups(np.ones((*shape, 1, 1))) is None


def test_unequal_components_are_not_divided() -> None:
    weight = np.zeros((4, 4, 1, 1))
    weight[:3, :3] = 1
    weight[3, 3] = 1
    assert channel_groups(weight) is None


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)), st.floats(0, 1), st.integers(0, 2**32 - 1)
)
def test_random_patterns_are_covered(shape: tuple[int, int], density: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    _covers((rng.random((*shape, 1, 1)) < density).astype(np.int8))
