"""The order of a gate's channels: those that open for the same images are beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.quant.neighbours import neighbours

pytestmark = pytest.mark.unit


def slow_neighbours(masks: list[list[int]]) -> list[int]:
    """The definition, a channel at a time."""
    columns = list(zip(*masks, strict=True))
    left, order = list(range(len(columns))), []
    while left:

        def rank(channel: int) -> tuple[int, int, int]:
            before = columns[order[-1]] if order else columns[channel]
            differ = sum(a != b for a, b in zip(before, columns[channel], strict=True))
            return differ, -sum(columns[channel]), channel

        order.append(min(left, key=rank))
        left.remove(order[-1])
    return order


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 1), min_size=n, max_size=n), min_size=1, max_size=9
        )
    )
)
def test_the_order_is_the_one_defined(masks: list[list[int]]) -> None:
    found = neighbours(np.array(masks, np.uint8))
    assert list(found) == slow_neighbours(masks)
    assert sorted(found) == list(range(len(masks[0])))


def test_channels_of_two_kinds_of_images_are_put_apart() -> None:
    ones, others = [1, 0, 1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 1, 0, 1, 0]
    masks = np.array([ones] * 5 + [others] * 3, np.uint8)
    # Always open, open for the first kind, for none, for the second kind.
    assert neighbours(masks) == (2, 6, 0, 3, 5, 7, 1, 4)


def test_masks_that_never_change_and_are_alike_keep_their_order() -> None:
    assert neighbours(np.ones((4, 6), np.uint8)) == (0, 1, 2, 3, 4, 5)
