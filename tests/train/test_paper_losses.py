"""Losses and schedules of the papers, against their equations written out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn import MacCounter, load_checkpoint
from acsgen.nn.answers import answer_macs
from acsgen.nn.gate_parts import gate_parameters
from acsgen.nn.gates.record import GateRecord
from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.errors import UserError
from acsgen.train import Recipe, train
from acsgen.train.gate_modes import GATE_MODES, gates_in_mode
from acsgen.train.loop import _learning_rate
from acsgen.train.losses import LOSSES, Forward, ForwardPass
from acsgen.train.recipe import PhaseRecipe
from acsgen.train.start import take_weights
from acsgen.train.trained_part import training_only

SMALL: dict[str, Any] = {"widths": (4, 6, 8), "image_size": 8, "num_classes": 4}


def network(arch: str, **changes: Any) -> nn.Module:
    torch.manual_seed(0)
    entry = ARCHITECTURES[arch]
    return entry.build(entry.config(**SMALL, **changes))


def loss(name: str, model: nn.Module, **parameters: Any) -> Any:
    kind = LOSSES[name]
    forward = Forward(model, MacCounter(model), torch.device("cpu"))
    return kind(kind.parameters_type(name=name, **parameters), forward)


def run_of(logits: Tensor, gate_logits: Tensor, masks: Tensor) -> ForwardPass:
    gates = GateRecord()
    gates.logits["gate"], gates.masks["gate"], gates.thresholds["gate"] = gate_logits, masks, 0.5
    return ForwardPass(logits, gates, torch.ones(len(logits)), torch.ones(()))


@pytest.fixture
def a_run() -> tuple[ForwardPass, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(5, 4, generator=generator, requires_grad=True)
    gates = torch.randn(5, 3, generator=generator, requires_grad=True)
    masks = (torch.rand(5, 3, generator=generator) < 0.5).float()
    return run_of(logits, gates, masks), torch.tensor([0, 1, 2, 3, 0])


def test_skipnet_rewards_are_those_of_this_and_all_later_decisions(
    a_run: tuple[ForwardPass, Tensor],
) -> None:
    run, labels = a_run
    ce = nn.functional.cross_entropy(run.logits, labels)
    total, _ = loss("skipnet", network("skipnet_resnet"), reward=0.3).total(ce, run, labels)
    logits, actions = run.gates.logits["gate"], run.gates.masks["gate"]
    policy = 0.0
    for image in range(5):
        terminal = float(run.logits[image].detach().log_softmax(0)[labels[image]])
        for t in range(3):
            p = float(torch.sigmoid(logits[image, t].detach()))
            chosen = p if actions[image, t] else 1 - p
            reward = sum(0.1 * (1 - float(actions[image, s])) for s in range(t, 3)) + terminal
            policy -= math.log(chosen) * reward / 5
    assert total.item() == pytest.approx(float(ce) + 0.01 * policy, rel=1e-5)
    total.backward()
    expected = torch.autograd.grad(nn.functional.cross_entropy(run.logits, labels), run.logits)[0]
    assert torch.allclose(run.logits.grad, expected), "the policy's loss reaches the gates alone"
    assert logits.grad.any()


def test_ofas_rewards_are_equation_6(a_run: tuple[ForwardPass, Tensor]) -> None:
    run, labels = a_run
    ce = nn.functional.cross_entropy(run.logits, labels)
    total, _ = loss("ofas", network("ofas_resnet")).total(ce, run, labels)
    logits, actions = run.gates.logits["gate"], run.gates.masks["gate"]
    expected = 0.0
    for image in range(5):
        accuracy = -float(run.logits[image].detach().log_softmax(0)[labels[image]])
        reward = 0.0
        for i in (2, 1, 0):
            reward = 0.1 / 3 * ((1 - float(actions[image, i])) - 0.3 * accuracy + 0.9 * reward)
            kept = bool(logits[image, i] > 0) == bool(actions[image, i])
            expected -= (0.9 if kept else 0.1) * reward / 5
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_ofas_explores_and_gradients_pass() -> None:
    model = network("ofas_resnet", depth=14).train()
    images = torch.randint(0, 256, (256, 3, 8, 8), dtype=torch.uint8)
    judge = loss("ofas", model)
    with gates_in_mode(model, GATE_MODES["explored"], 0.0), torch.no_grad():
        run = judge.forward(images)
    decided = run.gates.logits["ofas.gate"] >= 0
    inverted = (decided != (run.gates.masks["ofas.gate"] > 0.5)).float().mean()
    assert 0.05 < float(inverted) < 0.15
    with gates_in_mode(model, GATE_MODES["explored"], 0.0):
        judge(images, torch.zeros(256, dtype=torch.long)).loss.backward()
    assert model.ofas.layers[0].weight.grad.any()


def test_skipnet_draws_actions_by_their_probability() -> None:
    model = network("skipnet_resnet").train()
    gate = model.gates[0].gate
    with gates_in_mode(model, GATE_MODES["sampled"], 0.0):
        masks = gate(torch.full((4000, 1), 1.0))
    assert abs(float(masks.mean()) - 0.731) < 0.03
    assert not masks.requires_grad


@pytest.mark.parametrize("measure", ["macs", "energy", "cycles", "open_bits"])
def test_the_resource_loss_adds_alpha_times_the_cost(measure: str) -> None:
    model = network("iadi_resnet").train()
    images, labels = torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8), torch.arange(8) % 4
    results = {
        alpha: loss("resource", model, alpha=alpha, measure=measure)(images, labels)
        for alpha in (0.0, 2.0)
    }
    names = LOSSES["resource"].statistics()
    found = {
        alpha: dict(zip(names, r.statistics.tolist(), strict=True)) for alpha, r in results.items()
    }
    assert found[0.0]["loss"] == pytest.approx(found[0.0]["ce"])
    assert found[2.0]["loss"] == pytest.approx(found[2.0]["ce"] + 2 * found[2.0]["cost"])
    if measure == "macs":
        assert found[2.0]["cost"] == pytest.approx(found[2.0]["macs_ratio"])
    if measure == "open_bits":
        masks = loss("resource", model).forward(images).gates.masks.values()
        opened = float(torch.cat(list(masks), dim=1).detach().mean())
        assert found[2.0]["cost"] == pytest.approx(opened)
    results[2.0].loss.backward()
    assert model.gates[0].fc.bias.grad.any()
    below = loss("resource", model, alpha=2.0, measure=measure, target=1.5)(images, labels)
    found_below = dict(zip(names, below.statistics.tolist(), strict=True))
    # So small a network takes more cycles for its gates' instructions than that.
    above = max(found_below["cost"] - 1.5, 0.0)
    assert (above > 0) == (measure == "cycles")
    assert found_below["loss"] == pytest.approx(found_below["ce"] + 2 * above)


@pytest.mark.parametrize(
    ("arch", "prefixes"),
    [
        ("iadi_resnet", ("gates.", "first_gates.")),
        ("ofas_resnet", ("ofas.",)),
        ("skipnet_resnet", ("gates.",)),
    ],
)
def test_phases_train_gates_or_backbone(arch: str, prefixes: tuple[str, ...]) -> None:
    model = network(arch).train()
    counter = MacCounter(model)
    of_gates = gate_parameters(model, counter)
    named = {name for name, p in model.named_parameters() if p in of_gates}
    assert named == {name for name, _ in model.named_parameters() if name.startswith(prefixes)}
    images = torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8)
    for part, changes in (("gates", True), ("backbone", False)):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        with training_only(model, counter, part):
            loss("cross_entropy", model)(images, torch.arange(8) % 4).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        moved = {
            name for name, value in model.state_dict().items() if (value != before[name]).any()
        }
        assert moved
        assert all(name.startswith(prefixes) == changes for name in moved), moved
        model.train()
        assert all(p.requires_grad for p in model.parameters())


def test_the_learning_rate_drops_where_the_phase_says() -> None:
    phase = PhaseRecipe(name="p", epochs=8, lr=1.0, drops=(0.5, 0.75))
    assert [_learning_rate(phase, done) for done in (0, 3.9, 4, 6, 7.9)] == pytest.approx(
        [1.0, 1.0, 0.1, 0.01, 0.01]
    )


def test_losses_say_which_gates_they_need() -> None:
    with pytest.raises(ValueError, match="loss ofas needs gates: explored, not learned"):
        PhaseRecipe(name="p", epochs=1, gates="learned", loss="ofas")
    with pytest.raises(ValueError, match="loss skipnet needs gates: sampled "):
        PhaseRecipe(name="p", epochs=1, gates="open", loss="skipnet")


def recipe(data: str, arch: str, phases: list[dict[str, Any]], **changes: Any) -> Recipe:
    content = {
        "name": "tiny",
        "arch": arch,
        "model": {"depth": 8, "widths": [4, 4, 4], **changes.pop("model", {})},
        "data": {"name": data, "shift": 1},
        "phases": phases,
        "batch": 32,
    }
    return Recipe.model_validate(content | changes)


PLAIN = {"name": "plain", "epochs": 2, "gates": "open", "trains": "backbone"}
WARM_UP = {"name": "warm-up", "epochs": 4, "gates": "learned", "trains": "gates",
           "loss": "open_gates", "lr": 0.5}  # fmt: skip

SCHEDULES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "iadi": (
        "iadi_resnet",
        [PLAIN, WARM_UP | {"lr": 0.1},
         {"name": "joint", "epochs": 10, "gates": "learned",
          "loss": {"name": "resource", "alpha": 100.0}}],
    ),
    "skipnet": (
        "skipnet_resnet",
        [{"name": "supervised", "epochs": 3, "gates": "learned", "drops": [0.5, 0.75]},
         {"name": "policy", "epochs": 3, "gates": "sampled",
          "loss": {"name": "skipnet", "reward": 5, "weight": 0.1}}],
    ),
    "ofas": (
        "ofas_resnet",
        [{"name": "end-to-end", "epochs": 3, "gates": "learned"},
         {"name": "policy", "epochs": 4, "gates": "explored", "trains": "gates", "lr": 1.0,
          "loss": "ofas"}],
    ),
    "blockdrop": (
        "policy_resnet",
        [PLAIN,
         {"name": "curriculum", "epochs": 4, "gates": "sampled", "trains": "gates", "lr": 0.2,
          "loss": {"name": "blockdrop", "curriculum": 0.5}},
         {"name": "joint", "epochs": 3, "gates": "sampled", "lr": 0.05, "loss": "blockdrop"}],
    ),
    "gaternet": (
        "policy_resnet",
        [{"name": "end-to-end", "epochs": 8, "gates": "hashed", "noise": 1.0,
          "loss": {"name": "resource", "measure": "open_bits"}}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_the_papers_learn_and_skip(name: str, data: str, tmp_path: Path) -> None:
    arch, phases = SCHEDULES[name]
    model = {"grain": "channel", "bottleneck": 4} if name == "gaternet" else {}
    result = train(recipe(data, arch, phases, model=model), out=tmp_path)
    assert result.validation.accuracy > 0.9
    assert result.validation.macs_mean < result.validation.static_macs + result.validation.gate_macs
    loaded = load_checkpoint(result.checkpoint)
    assert loaded.arch == arch


def test_the_warm_up_of_ddi_opens_every_gate(data: str, tmp_path: Path) -> None:
    run = recipe(data, "iadi_resnet", [PLAIN, WARM_UP | {"epochs": 8}])
    result = train(run, out=tmp_path)
    assert result.validation.masks is not None
    assert result.validation.masks.mean_open > 0.99


def test_training_starts_from_the_static_twin(data: str, tmp_path: Path) -> None:
    twin = train(recipe(data, "resnet", [{"name": "plain", "epochs": 2}]), out=tmp_path / "twin")
    phases = [WARM_UP | {"epochs": 1}]
    run = recipe(data, "iadi_resnet", phases, start=str(twin.checkpoint))
    result = train(run, out=tmp_path / "gated")
    states = [load_checkpoint(p).model.state_dict() for p in (twin.checkpoint, result.checkpoint)]
    assert all(torch.equal(states[1][name], value) for name, value in states[0].items()
               if "running" not in name and "batches" not in name)  # fmt: skip
    other = network("resnet", depth=14)
    with pytest.raises(UserError, match="none of its weights"):
        take_weights(nn.Sequential(other), str(twin.checkpoint))


def test_pruning_goes_by_the_weights_of_the_twin(data: str, tmp_path: Path) -> None:
    twin = train(recipe(data, "resnet", [{"name": "plain", "epochs": 2}]), out=tmp_path / "twin")
    phases = [{"name": "retrain", "epochs": 2, "gates": "learned"}]
    run = recipe(data, "pfec_resnet", phases, start=str(twin.checkpoint))
    result = train(run, out=tmp_path / "pruned")
    assert result.validation.accuracy > 0.9
    assert result.validation.macs_min == result.validation.macs_max
    assert result.validation.macs_mean < 0.7 * result.validation.static_macs
    before, after = (load_checkpoint(p).model for p in (twin.checkpoint, result.checkpoint))
    norms = before.layer2[0].conv1.weight.abs().sum((1, 2, 3))
    kept = after.masks[1].logits > 0
    assert 0 < int(kept.sum()) < len(kept)
    assert norms[kept].min() >= norms[~kept].max()
    with pytest.raises(UserError, match="is pruned by the weights of a trained network"):
        train(recipe(data, "pfec_resnet", phases), out=tmp_path)


def test_branches_train_together(data: str, tmp_path: Path) -> None:
    phases = [{"name": "all", "epochs": 6, "loss": {"name": "branches", "weights": "equal"}}]
    result = train(recipe(data, "radi_resnet", phases), out=tmp_path)
    assert result.validation.accuracy > 0.9
    metrics = [json.loads(line) for line in result.metrics.read_text().splitlines()]
    assert metrics[-1]["branches_ce"] < 0.7 * metrics[0]["branches_ce"]


@pytest.mark.parametrize("weights", ["equal", "cost"])
def test_branch_losses_are_weighed(weights: str) -> None:
    torch.manual_seed(0)
    entry = ARCHITECTURES["radi_resnet"]
    model = entry.build(entry.config(widths=(2, 3, 4), image_size=8, num_classes=3)).train()
    forward = Forward(model, MacCounter(model), torch.device("cpu"))
    kind = LOSSES["branches"]
    loss = kind(kind.parameters_type.model_validate({"weights": weights}), forward)
    images = torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8)
    labels = torch.arange(8) % 3
    found = loss(images, labels)
    with torch.no_grad():
        every = [F.cross_entropy(logits, labels) for logits in model(images)]
    counts = answer_macs(model, model.example_input(), 7)
    assert len(every) == 7
    assert counts[2] < counts[6]
    factors = [counts[-1] / macs for macs in counts] if weights == "cost" else [1.0] * 7
    wanted = sum(factor * ce for factor, ce in zip(factors, every, strict=True))
    torch.testing.assert_close(found.loss.detach(), wanted)
    found.loss.backward()
    assert all(branch.fc.weight.grad.any() for branch in model.branches)


def test_a_resource_closes_learned_groups() -> None:
    """G-ResNeXt has no gates, and its MACs fall with its groups."""
    architecture = ARCHITECTURES["image_resnet"]
    config = architecture.config.model_validate(
        {"blocks": (1,), "widths": (8,), "inner": (8,), "learned_groups": True, "image_size": 8}
    )
    network = architecture.build(config).train()
    forward = Forward(network, MacCounter(network), torch.device("cpu"))
    loss = LOSSES["resource"](LOSSES["resource"].parameters_type(alpha=1.0), forward)
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    result = loss(images, torch.tensor([0, 1]))
    result.loss.backward()
    gate = network.stages[0][0].conv2.gate
    assert (gate.grad > 0).any()
    before = forward(images).macs
    with torch.no_grad():
        gate.fill_(-1.0)
    assert before - forward(images).macs == 64 * 9 * (64 - 8)
