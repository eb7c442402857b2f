"""Budgets by image, decorrelation and the complaint about one switch, against values by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.ir.mask_statistics import first_component, mask_statistics
from acsgen.nn import AcsGate, ChannelGate, MacCounter, load_checkpoint
from acsgen.nn.gates.record import GateRecord
from acsgen.nn.mac_counter import GatedLayer
from acsgen.train import Recipe, Validation
from acsgen.train.losses import Forward
from acsgen.train.losses._gate_terms import gate_correlation
from acsgen.train.losses.acs import AcsLoss
from acsgen.train.losses.image_budget import ImageBudgetLoss, ImageBudgetParameters
from acsgen.train.one_switch import one_switch_complaint
from acsgen.train.validate import DecisionStatistics

CPU = torch.device("cpu")


class PixelsDecide(nn.Module):
    """Two gate bits by two pixels, a 1x1 convolution of two channels and a classifier: 8 MACs."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.gate = ChannelGate()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.fc = nn.Linear(2, 2)
        nn.init.constant_(self.conv.weight, 1.0)
        nn.init.zeros_(self.fc.bias)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0, 1.0], [-1.0, -1.0]]))

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        mask = self.gate(self.scale * x.flatten(1))
        return self.fc((self.conv(x) * mask).mean((2, 3)))

    def example_input(self) -> Tensor:
        return torch.zeros(1, 1, 1, 2)

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("conv", None, "gate"), GatedLayer("fc", "gate", None)]


def budget_loss(**parameters: Any) -> tuple[ImageBudgetLoss, PixelsDecide]:
    model = PixelsDecide().train()
    forward = Forward(model, MacCounter(model), CPU)
    return ImageBudgetLoss(ImageBudgetParameters(**parameters), forward), model


def test_budgets_rise_with_the_cross_entropy() -> None:
    loss, _ = budget_loss(target=0.6, spread=0.25)
    logits = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    # Labels 0: the second image is easy, the third is wrong.
    labels = torch.tensor([0, 0, 0])
    assert loss.budgets(logits, labels).tolist() == pytest.approx([0.6, 0.35, 0.85])
    loss.set_progress(0.0)
    assert loss.budgets(logits, labels).tolist() == pytest.approx([0.6, 0.35, 0.85])  # no ramp
    assert loss.budgets(logits[:1], labels[:1]).tolist() == pytest.approx([0.6])


def test_budgets_fall_along_the_ramp() -> None:
    loss, _ = budget_loss(target=0.5, spread=0.0, ramp=0.4)
    logits, labels = torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64)
    for progress, budget in ((0.0, 1.0), (0.2, 0.75), (0.4, 0.5), (1.0, 0.5)):
        loss.set_progress(progress)
        assert loss.budgets(logits, labels).tolist() == pytest.approx([budget] * 2)


def test_the_budget_term_by_hand_and_where_it_pulls() -> None:
    """Both bits open: all 8 MACs; none: 0."""
    loss, model = budget_loss(target=0.5, spread=0.5, weight=3.0)
    images = torch.tensor([[2.0, 3.0], [-2.0, -3.0]]).reshape(2, 1, 1, 2)
    labels = torch.tensor([0, 0])
    result = loss(images, labels)
    values = dict(zip(loss.statistics(), result.statistics.tolist(), strict=True))
    logits = model(images)
    ce = F.cross_entropy(logits, labels)
    # The first image is right and costs all, so its budget 0 is missed by 1; the other's by 1 too.
    assert values["budget_error"] == pytest.approx(1.0)
    assert result.loss.item() == pytest.approx(ce.item() + 3.0, rel=1e-6)
    # Cheaper easy images, dearer hard ones: the gate's scale is to fall.
    result.loss.backward()
    assert model.scale.grad is not None
    assert model.scale.grad > 0


def test_without_gates_the_loss_is_the_cross_entropy() -> None:
    class Plain(PixelsDecide):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv(x.float()).mean((2, 3)))

        def gated_layers(self) -> list[GatedLayer]:
            return []

    model = Plain().train()
    loss = ImageBudgetLoss(ImageBudgetParameters(), Forward(model, MacCounter(model), CPU))
    result = loss(torch.ones(3, 1, 1, 2), torch.tensor([0, 1, 0]))
    statistics = dict(zip(loss.statistics(), result.statistics.tolist(), strict=True))
    assert result.loss.item() == statistics["ce"]
    assert statistics["budget_error"] == statistics["correlation"] == 0.0


def record(**logits: Tensor) -> GateRecord:
    gates = GateRecord()
    gates.logits.update(logits)
    return gates


def test_correlation_of_one_coin_of_coins_and_of_single_bits() -> None:
    coin = torch.tensor([30.0, 30.0, -30.0, -30.0])
    other = torch.tensor([30.0, -30.0, 30.0, -30.0])
    same = torch.stack([coin, coin, -coin], dim=1)
    assert gate_correlation(record(a=same)).item() == pytest.approx(1.0, abs=2e-3)
    apart = torch.stack([coin, other], dim=1)
    assert gate_correlation(record(a=apart)).item() == pytest.approx(0.0, abs=1e-6)
    # Gates count alike, however many bits they have; one bit has no pair.
    both = gate_correlation(record(a=same, b=apart, c=coin[:, None]))
    assert both.item() == pytest.approx(0.5, abs=1e-3)
    assert gate_correlation(record(c=coin[:, None])).item() == 0.0
    still = torch.full((4, 2), 3.0)
    assert gate_correlation(record(a=still)).item() == 0.0
    # Against the definition, on bits that are neither.
    torch.manual_seed(0)
    drawn = torch.randn(50, 4) * 3
    matrix = np.corrcoef(torch.sigmoid(drawn).numpy().T) ** 2
    expected = (matrix.sum() - 4) / 12
    assert gate_correlation(record(a=drawn)).item() == pytest.approx(expected, rel=0.01)


def test_decorrelation_pulls_bits_apart() -> None:
    torch.manual_seed(0)
    logits = (torch.randn(64, 1).expand(64, 4) + 0.3 * torch.randn(64, 4)).requires_grad_()
    before = gate_correlation(record(a=logits)).item()
    optimizer = torch.optim.SGD([logits], lr=50.0)
    for _ in range(30):
        optimizer.zero_grad()
        gate_correlation(record(a=logits)).backward()
        optimizer.step()
    assert gate_correlation(record(a=logits)).item() < before / 3


@pytest.mark.parametrize("kind", [AcsLoss, ImageBudgetLoss])
def test_decorrelation_is_a_key_of_both_budget_losses(kind: Any) -> None:
    images = torch.tensor([[2.0, 2.0], [-2.0, -2.0]]).reshape(2, 1, 1, 2)
    totals = []
    for weight in (0.0, 5.0):
        model = PixelsDecide().train()
        parameters = kind.parameters_type(target=0.5, information=0.2, decorrelation=weight)
        loss = kind(parameters, Forward(model, MacCounter(model), CPU))
        result = loss(images, torch.tensor([0, 1]))
        statistics = dict(zip(loss.statistics(), result.statistics.tolist(), strict=True))
        totals.append(result.loss.item())
    assert statistics["correlation"] == pytest.approx(1.0, abs=2e-3)
    assert totals[1] - totals[0] == pytest.approx(5.0 * statistics["correlation"], rel=1e-5)


@pytest.mark.unit
def test_the_first_component_of_masks_that_are_known() -> None:
    coin, other = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    assert first_component(np.stack([coin, 1 - coin, coin], axis=1)) == pytest.approx(1.0)
    assert first_component(np.stack([coin, other], axis=1)) == pytest.approx(0.5)
    # A bit that never moves has no variance; of three that do, two follow one coin.
    bits = np.stack([coin, coin, other, np.ones(4)], axis=1).astype(np.uint8)
    assert first_component(bits) == pytest.approx(2 / 3)
    statistics = mask_statistics(bits)
    assert (statistics.bits, statistics.distinct) == (4, 4)
    assert mask_statistics(bits[[0, 1, 0]]).distinct == 2
    assert mask_statistics(np.ones((3, 5))).first_component is None
    # More bits than images: the same eigenvalues by the smaller product.
    wide = np.random.default_rng(0).integers(0, 2, (6, 40))
    values = np.linalg.eigvalsh(np.cov(wide.T))
    assert first_component(wide) == pytest.approx(values[-1] / values.sum())


def recipe(**changes: Any) -> Recipe:
    phases = [{"name": "a", "epochs": 1}]
    return Recipe.model_validate(
        {"name": "net", "data": {"name": "digits32"}, "phases": phases, **changes}
    )


@pytest.mark.unit
def test_the_complaint_has_the_recipes_bound_or_that_of_many_bits() -> None:
    masks = DecisionStatistics(
        bits=16,
        mean_open=0.5,
        input_dependent=1.0,
        mean_entropy=1.0,
        distinct=124,
        first_component=0.9271,
        always_open=0.0,
        always_closed=0.0,
        near_ties=0.0,
        difficulty_correlation=0.09,
    )
    found = Validation(0.9, 4000, 10, 5.0, 0.0, 5.0, 5.0, 0.5, 0.0, masks)
    complaint = one_switch_complaint(recipe(), found)
    assert complaint is not None
    assert "92.7 % of their variance over 4,000 images" in complaint
    assert "more than 70 % (124 different masks)" in complaint
    assert one_switch_complaint(recipe(max_first_component=0.95), found) is None
    few = replace(found, masks=replace(masks, bits=15))
    assert one_switch_complaint(recipe(), few) is None
    assert one_switch_complaint(recipe(max_first_component=0.9), few) is not None
    assert one_switch_complaint(recipe(), replace(found, masks=None)) is None
    varied = replace(found, masks=replace(masks, first_component=0.7))
    assert one_switch_complaint(recipe(), varied) is None


def test_training_warns_of_one_switch_and_fails_where_the_recipe_says_so(
    data: str, tmp_path: Path
) -> None:
    """The threshold is what fresh gates say, so that some bits move from image to image."""
    recipe = tmp_path / "switch.yaml"
    logit = AcsGate.INITIAL_LOGIT
    gate = f"{{granularity: block, threshold: {1 / (1 + math.exp(-logit)):.6f}}}"
    recipe.write_text(
        f"{{name: switch, model: {{depth: 8, widths: [8, 8, 8], gate: {gate}}}, batch: 32, "
        f"data: {{name: '{data}'}}, phases: [{{name: a, epochs: 1, lr: 0.01, gates: learned}}]}}"
    )

    def run(*settings: str) -> Any:
        command = ["train", str(recipe), "--out", str(tmp_path / "out"), *settings]
        return CliRunner().invoke(app, command, catch_exceptions=False)

    failed = run("--set", "max_first_component=0.01")
    assert failed.exit_code == 1
    assert "check failed: too much of the masks of switch follows one switch" in failed.stderr
    masks = load_checkpoint(tmp_path / "out" / "switch.pt").meta["metrics"]["masks"]
    assert masks["bits"] == 24
    assert masks["first_component"] > 0.01
    assert run("--set", "max_first_component=1.0").exit_code == 0
    swept = run("--set", "max_first_component=0.01", "--sweep", "seed=0,1")
    assert swept.exit_code == 1
    assert (tmp_path / "out" / "switch-seed.sweep.jsonl").exists()
    assert "the masks of switch-seed0 follows" in swept.stderr
    fine = run()
    assert fine.exit_code == 0
    assert ("one switch" in fine.stderr) == (masks["first_component"] > 0.7)
