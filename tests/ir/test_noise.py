"""The layers to blame for noise are those that add it, not those that pass it on."""

from __future__ import annotations

import pytest

from acsgen.ir.noise import LayerNoise, blamed

pytestmark = pytest.mark.unit


def names(*noise: LayerNoise) -> list[str]:
    return [item.layer for item in blamed(noise)]


def test_the_layer_that_adds_the_noise_is_blamed() -> None:
    first = LayerNoise("a", 40.0, 38.0, 61.0)
    guilty, victim = LayerNoise("b", 35.0, 6.0, 32.0), LayerNoise("c", 5.0, 5.0, 1.0)
    assert names(first, guilty, victim) == ["b"]


def test_without_a_culprit_the_layers_that_add_most_are_named() -> None:
    noise = [LayerNoise(str(i), 30.0, 40.0 - i, float(i) / 10) for i in range(5)]
    assert names(*noise) == ["4", "3", "2"]
