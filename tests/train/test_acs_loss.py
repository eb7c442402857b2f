"""The loss of ACS training, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from acsgen.nn import AcsConfig, ChannelGate, ResNet, ResNetConfig
from acsgen.nn.gates.record import GateRecord
from acsgen.nn.mac_counter import GatedLayer, MacCounter
from acsgen.train.losses import LOSSES, Forward, LossParameters
from acsgen.train.losses._gate_terms import gate_information
from acsgen.train.losses.acs import AcsLoss, AcsParameters
from acsgen.train.losses.cross_entropy import CrossEntropyParameters

CPU = torch.device("cpu")


class TwoChannels(nn.Module):
    """A 1x1 convolution to two gated channels on 4x4 images, and a classifier: 32 + 4 MACs."""

    def __init__(self, logits: tuple[float, float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([logits]))
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.gate = ChannelGate()
        self.fc = nn.Linear(2, 2)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x.float()) * self.gate(self.logits.expand(len(x), 2))
        return self.fc(y.mean((2, 3)))

    def example_input(self) -> Tensor:
        return torch.zeros(1, 1, 4, 4)

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("conv", None, "gate"), GatedLayer("fc", "gate", None)]


def call(
    model: nn.Module, parameters: LossParameters, progress: float = 1.0
) -> tuple[Tensor, dict[str, float]]:
    loss = LOSSES[parameters.name](parameters, Forward(model, MacCounter(model), CPU))
    loss.set_progress(progress)
    images = model.example_input().expand(4, -1, -1, -1)
    result = loss(images, torch.tensor([0, 0, 0, 1]))
    return result.loss, dict(zip(loss.statistics(), result.statistics.tolist(), strict=True))


def test_each_term_by_hand() -> None:
    """One of two channels is open: 18 of 36 MACs; zero weights give a cross-entropy of ln 2."""
    model = TwoChannels((2.0, -2.0))
    loss, statistics = call(model, AcsParameters(target=0.25, weight=8.0, information=0.0))
    assert statistics["macs_ratio"] == 0.5
    assert statistics["reg"] == 0.25
    assert statistics["ce"] == pytest.approx(math.log(2), rel=1e-6)
    assert statistics["acc"] == 0.75
    assert loss.item() == pytest.approx(math.log(2) + 8 * 0.25, rel=1e-6)


def test_the_ratio_is_differentiable_through_the_masks() -> None:
    """d ratio / d mask = 1/2 for either channel; the mask's gradient is the sigmoid's."""
    model = TwoChannels((2.0, -1.0))
    loss, _ = call(model, AcsParameters(target=0.25, weight=8.0, information=0.0))
    loss.backward()
    p = torch.sigmoid(model.logits.detach())
    assert torch.allclose(model.logits.grad, 8 * 0.5 * p * (1 - p))


def test_nothing_pulls_below_the_budget() -> None:
    model = TwoChannels((2.0, -2.0))
    loss, statistics = call(model, AcsParameters(target=0.6, weight=8.0, information=0.0))
    assert statistics["reg"] == 0.0
    loss.backward()
    assert not model.logits.grad.any()


@pytest.mark.parametrize(
    ("progress", "ramp", "budget"),
    [(0.0, 0.4, 1.0), (0.2, 0.4, 0.75), (0.9, 0.4, 0.5), (0, 0, 0.5)],
)
def test_the_budget_falls_over_the_ramp(progress: float, ramp: float, budget: float) -> None:
    model = TwoChannels((2.0, 2.0))
    recipe = AcsParameters(target=0.5, ramp=ramp, information=0.0)
    _, statistics = call(model, recipe, progress)
    assert statistics["reg"] == pytest.approx(1.0 - budget)


def test_the_cross_entropy_counts_macs_and_does_not_pull_on_them() -> None:
    model = TwoChannels((2.0, -2.0))
    loss, statistics = call(model, CrossEntropyParameters())
    assert list(statistics) == ["loss", "ce", "acc", "macs_ratio"]
    assert loss.item() == statistics["ce"] == pytest.approx(math.log(2), rel=1e-6)
    assert (statistics["acc"], statistics["macs_ratio"]) == (0.75, 0.5)
    loss.backward()
    assert not model.logits.grad.any()


def test_without_gates_the_loss_is_the_cross_entropy() -> None:
    model = ResNet(ResNetConfig(widths=(2, 2, 2), image_size=8))
    loss, statistics = call(model, AcsParameters(target=0.1))
    assert loss.item() == statistics["ce"]
    assert (statistics["reg"], statistics["information"]) == (0.0, 0.0)


def test_information_of_constant_random_and_decided_gates() -> None:
    def of(*rows: list[float]) -> float:
        record = GateRecord()
        record.logits["gate"] = torch.tensor(rows)
        return gate_information(record).item()

    assert of([30.0], [30.0]) == pytest.approx(0.0, abs=1e-4)  # always open
    assert of([0.0], [0.0]) == pytest.approx(0.0, abs=1e-6)  # undecided about every image
    assert of([30.0], [-30.0]) == pytest.approx(math.log(2), abs=1e-4)  # decided, image by image
    assert of([30.0, 0.0], [-30.0, 0.0]) == pytest.approx(math.log(2) / 2, abs=1e-4)


def test_gradients_reach_every_parameter_of_an_acs_network() -> None:
    torch.manual_seed(0)
    model = ResNet(ResNetConfig(widths=(4, 4, 4), image_size=8, gate=AcsConfig()))
    forward = Forward(model.train(), MacCounter(model), CPU)
    loss = AcsLoss(AcsParameters(target=0.1), forward)
    loss.set_progress(1.0)
    images = torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8)
    loss(images, torch.arange(8)).loss.backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent
