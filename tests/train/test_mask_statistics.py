"""Mask statistics and validation, against masks that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acsgen.nn import ChannelGate
from acsgen.nn.mac_counter import GatedLayer, MacCounter
from acsgen.train import Validation, validate


class PixelsAreLogits(nn.Module):
    """The gate's logits are the image's four pixels minus 100; 4 gated MACs, then 4 x 2."""

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.gate = ChannelGate(threshold)
        self.conv = nn.Conv2d(1, 4, 1, bias=False)
        self.fc = nn.Linear(4, 2, bias=False)
        nn.init.ones_(self.conv.weight)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0] * 4, [-1.0] * 4]))

    def forward(self, x: Tensor) -> Tensor:
        logits = x.flatten(1).float() - 100.0
        y = self.conv(torch.ones(len(x), 1, 1, 1)) * self.gate(logits)
        return self.fc(y.flatten(1)) - torch.tensor([3.0, 0.0])

    def example_input(self) -> Tensor:
        return torch.zeros(1, 1, 2, 2, dtype=torch.uint8)

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("conv", None, "gate"), GatedLayer("fc", "gate", None)]


#: Open channels 3, 3, 2, 1: the first always, the last never.
IMAGES = np.array(
    [[200, 180, 190, 0], [201, 120, 130, 1], [202, 10, 140, 2], [203, 20, 50, 3]], np.uint8
).reshape(4, 1, 2, 2)


def run(threshold: float = 0.5, batch: int = 1000, **options: np.ndarray) -> Validation:
    model = PixelsAreLogits(threshold).train()
    labels = torch.tensor([0, 0, 1, 1])
    result = validate(
        model, MacCounter(model), torch.tensor(IMAGES), labels, batch=batch, **options
    )
    assert model.training
    return result


@pytest.mark.unit
@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_masks_that_are_known(batch: int) -> None:
    result = run(batch=batch, difficulty=np.array([0.9, 0.9, 0.6, 0.3]))
    assert (result.static_macs, result.images, result.gate_macs) == (12, 4, 0.0)
    assert (result.macs_min, result.macs_max, result.macs_mean) == (3.0, 9.0, 27 / 4)
    assert result.macs_ratio == 27 / 48
    assert result.macs_std == pytest.approx(np.std([9, 9, 6, 3]))
    # Logits are n and -n over n open channels, less 3 for class 0: class 0 wins above 1.5.
    assert result.accuracy == 0.75
    masks = result.masks
    assert masks is not None
    assert (masks.bits, masks.mean_open) == (4, 9 / 16)
    assert (masks.always_open, masks.always_closed, masks.input_dependent) == (0.25, 0.25, 0.5)
    quarters = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert masks.mean_entropy == pytest.approx((1.0 + quarters) / 4)
    assert masks.difficulty_correlation == pytest.approx(1.0)


@pytest.mark.unit
def test_near_ties_are_measured_from_each_gates_own_threshold() -> None:
    assert run().masks.near_ties == 0.0
    # At sigmoid(20) the logit 120 - 100 of the second image's second channel is a tie.
    close = run(threshold=float(torch.sigmoid(torch.tensor(20.0, dtype=torch.float64))))
    assert close.masks.near_ties == pytest.approx(1 / 16)


@pytest.mark.unit
@pytest.mark.parametrize(("threshold", "macs"), [(0.0, 12.0), (1.0, 0.0)])
def test_extreme_thresholds(threshold: float, macs: float) -> None:
    result = run(threshold, difficulty=np.arange(4.0))
    assert (result.macs_mean, result.macs_std) == (macs, 0.0)
    assert result.masks.input_dependent == 0.0
    assert result.masks.near_ties == 0.0
    assert result.masks.difficulty_correlation is None


class CalledTwice(PixelsAreLogits):
    """The same gate decides again, on the negated logits; only its first decision masks."""

    def forward(self, x: Tensor) -> Tensor:
        logits = x.flatten(1).float() - 100.0
        y = self.conv(torch.ones(len(x), 1, 1, 1)) * self.gate(logits)
        return self.fc(y.flatten(1)) + self.gate(-logits).flatten(1)[:, :2] * 1e-6


@pytest.mark.unit
def test_a_gate_that_is_called_twice_has_the_bits_of_both_calls() -> None:
    """No pixel is 100, so a bit of the second call is open where that of the first is closed."""
    model = CalledTwice()
    images, labels = torch.tensor(IMAGES), torch.zeros(4, dtype=torch.int64)
    result = validate(model, MacCounter(model), images, labels)
    masks, once = result.masks, run().masks
    assert masks is not None
    assert once is not None
    assert (masks.bits, masks.mean_open) == (8, 0.5)
    assert masks.always_open == masks.always_closed == 0.25
    assert masks.input_dependent == once.input_dependent
    assert masks.mean_entropy == pytest.approx(once.mean_entropy)
    assert (result.macs_min, result.macs_max, result.macs_mean) == (3.0, 9.0, 27 / 4)
