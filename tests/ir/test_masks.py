"""Masks of maps, and formats by channel."""

from __future__ import annotations

import numpy as np
import pytest

from acsgen.ir.format import Format
from acsgen.ir.masks import UNMASKED, MaskSlice, bits_of, joined, mask_names, one_mask, whole

pytestmark = pytest.mark.unit


def test_a_whole_mask_is_that_of_one_gate() -> None:
    assert one_mask(whole("g", 4)) == "g"
    assert one_mask(UNMASKED) is None
    assert one_mask((MaskSlice("g", 1, 3),)) is None
    assert one_mask((*whole("g", 2), *whole("h", 2))) is None
    assert one_mask((MaskSlice(None, 0, 4),)) is None


def test_joined_slices_are_as_few_as_can_be() -> None:
    assert joined([(whole("g", 2), 2), ((MaskSlice("g", 2, 3),), 3)]) == whole("g", 5)
    assert joined([(UNMASKED, 2), (UNMASKED, 3)]) == UNMASKED
    mixed = joined([(UNMASKED, 2), (UNMASKED, 1), (whole("g", 2), 2), (whole("g", 2), 2)])
    assert mixed == (MaskSlice(None, 0, 3), *whole("g", 2), *whole("g", 2))
    assert mask_names(mixed) == ("g",)


def test_bits_are_taken_slice_by_slice() -> None:
    masks = {"g": np.array([1, 0, 1, 0]), "h": np.array([0, 1])}
    mask = (MaskSlice("g", 2, 2), MaskSlice(None, 0, 3), MaskSlice("h", 0, 1))
    parts = bits_of(
        mask,
        bits=masks.__getitem__,
        cut=lambda bits, first, count: bits[first : first + count],
        ones=lambda count: np.ones(count, int),
    )
    assert np.concatenate(parts).tolist() == [1, 0, 1, 1, 1, 0]


def test_equal_channels_have_one_format() -> None:
    assert Format.by_channel([0.5, 0.5], [True, True]) == Format(0.5, True)
    mixed = Format.by_channel([0.5, 0.25], [True, True])
    assert mixed == Format((0.5, 0.25), True)
    assert (mixed.one_scale, mixed.one_sign, mixed.channels) == (None, True, 2)
    assert mixed.scales(2).tolist() == [0.5, 0.25]
    assert Format(0.5, False).scales(3).tolist() == [0.5] * 3
    assert Format(0.5, (True, False)).any_signed


def test_a_flattened_map_repeats_the_format_of_its_channels() -> None:
    assert Format((0.5, 2.0), False).repeated(2, 3) == Format((0.5,) * 3 + (2.0,) * 3, False)
    assert Format(0.5, True).repeated(2, 3) == Format(0.5, True)
