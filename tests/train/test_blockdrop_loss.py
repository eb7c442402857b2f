"""BlockDrop's reinforcement learning, against its equations written out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn import MacCounter
from acsgen.nn.gates.record import GateRecord
from acsgen.nn.networks import ARCHITECTURES
from acsgen.train.gate_modes import GATE_MODES, gates_in_mode
from acsgen.train.losses import Forward, ForwardPass
from acsgen.train.losses.blockdrop import BlockDropLoss, BlockDropParameters

LABELS = torch.tensor([0, 1, 2, 3, 0])


def network(arch: str = "policy_resnet", **changes: Any) -> nn.Module:
    torch.manual_seed(0)
    entry = ARCHITECTURES[arch]
    return entry.build(entry.config(widths=(4, 6, 8), image_size=8, num_classes=4, **changes))


def judge(model: nn.Module, **parameters: Any) -> BlockDropLoss:
    forward = Forward(model, MacCounter(model), torch.device("cpu"))
    return BlockDropLoss(BlockDropParameters(**parameters), forward)


def images(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, 8, 8), dtype=torch.uint8, generator=generator)


def a_run() -> ForwardPass:
    """Five images of four classes under three gate bits; the answers to the first two are right."""
    answers = F.one_hot(torch.tensor([0, 1, 0, 0, 1]), 4).float().requires_grad_()
    gates = GateRecord()
    gates.logits["gate"] = torch.linspace(-2.0, 2.0, 15).reshape(5, 3).requires_grad_()
    gates.masks["gate"] = torch.tensor(
        [[1.0, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0, 1, 1]]
    )  # fmt: skip
    gates.thresholds["gate"] = 0.5
    return ForwardPass(answers, gates, torch.ones(5), torch.ones(()))


def test_a_right_answer_earns_what_is_saved_and_a_wrong_one_costs() -> None:
    found = judge(network(), wrong=2.5).rewards(a_run(), LABELS)
    torch.testing.assert_close(found, torch.tensor([1 - 4 / 9, 1 - 1 / 9, -2.5, -2.5, -2.5]))


def test_the_policy_gradient_is_that_of_the_advantage() -> None:
    run = a_run()
    ce = F.cross_entropy(run.logits, LABELS)
    loss = judge(network(), wrong=2.5, alpha=0.9, weight=0.5)
    loss.baseline = torch.tensor([0.0, 1.0, -2.5, 0.5, 0.0])
    loss.decided[0] = 0.0
    total, (reward, baseline, opened) = loss.total(ce, run, LABELS)
    logits, masks = run.gates.logits["gate"], run.gates.masks["gate"]
    rewards = [5 / 9, 8 / 9, -2.5, -2.5, -2.5]
    policy = 0.0
    for image in range(5):
        for bit in (1, 2):
            s = float(torch.sigmoid(logits[image, bit].detach()))
            p = 0.9 * s + 0.1 * (1.0 - s)
            chosen = p if masks[image, bit] else 1.0 - p
            policy -= (rewards[image] - float(loss.baseline[image])) * math.log(chosen) / 5
    assert total.item() == pytest.approx(float(ce) + 0.5 * policy, rel=1e-5)
    assert reward.item() == pytest.approx(sum(rewards) / 5)
    assert baseline.item() == pytest.approx(-0.2)
    assert opened.item() == pytest.approx(8 / 15)
    total.backward()
    assert run.logits.grad is not None
    assert logits.grad is not None
    alone = torch.autograd.grad(F.cross_entropy(run.logits, LABELS), run.logits)[0]
    assert torch.equal(run.logits.grad, alone), "the policy's loss reaches the gates alone"
    assert not logits.grad[:, 0].any(), "a bit that is not decided yet learns nothing"
    assert not logits.grad[2].any(), "nor does one that was no better than the baseline"
    # The first image earned more than its baseline, with the second bit closed and the third open.
    assert logits.grad[0, 1] > 0 > logits.grad[0, 2]


def test_probabilities_are_bounded() -> None:
    loss = judge(network(), alpha=0.8)
    logits = torch.tensor([-100.0, 0.0, 100.0])
    torch.testing.assert_close(loss.probabilities(logits), torch.tensor([0.2, 0.5, 0.8]))
    model = loss.forward.model.train()
    nn.init.constant_(model.policy.fc.bias, 100.0)
    with loss._decisions(loss._drawn), torch.no_grad():
        masks = loss.forward(images(600)).gates.masks["gate"]
    assert masks.mean(0).tolist() == pytest.approx([0.8] * 3, abs=0.06)
    assert set(masks.unique().tolist()) == {0.0, 1.0}


def test_the_curriculum_comes_from_the_last_block_to_the_first() -> None:
    loss = judge(network(depth=14), curriculum=0.6)
    found = {}
    for progress in (0.0, 0.09, 0.11, 0.35, 0.51, 0.6, 1.0):
        loss.set_progress(progress)
        found[progress] = loss.decided.tolist()
    last = [[0.0] * (6 - t) + [1.0] * t for t in range(7)]
    assert list(found.values()) == [last[1], last[1], last[2], last[4], last[6], last[6], last[6]]
    at_once = judge(network())
    at_once.set_progress(0.0)
    assert at_once.decided.tolist() == [1.0] * 3


@pytest.mark.parametrize("arch", ["policy_resnet", "skipnet_resnet"])
def test_blocks_before_the_curriculum_run_for_every_image(arch: str) -> None:
    """One call that decides for all blocks, and a call for each."""
    model = network(arch, depth=14).train()
    loss = judge(model, curriculum=1.0)
    loss.set_progress(0.0)
    bits = len(loss.decided)
    assert bits == (6 if arch == "policy_resnet" else 5)
    with gates_in_mode(model, GATE_MODES["sampled"], 0.0), torch.no_grad():
        with loss._decisions(loss._drawn):
            drawn = loss.forward(images(200)).gates
        with loss._decisions(lambda gate, logits: torch.zeros_like(logits)):
            closed = loss.forward(images(200)).gates
    masks = torch.cat(list(drawn.masks.values()), dim=1)
    assert masks[:, :-1].min() == 1.0
    assert 0.1 < float(masks[:, -1].mean()) < 0.9
    masks = torch.cat(list(closed.masks.values()), dim=1)
    assert masks.mean(0).tolist() == [1.0] * (bits - 1) + [0.0]


def test_the_baseline_are_the_decisions_in_use_and_gates_are_their_own_afterwards() -> None:
    model = network().eval()
    loss = judge(model)
    batch, labels = images(50), torch.arange(50) % 4
    hooks = [len(module._forward_hooks) for module in model.modules()]
    wanted = loss.rewards(loss.forward(batch), labels)
    result = loss(batch, labels)
    assert loss.baseline is not None
    assert torch.equal(loss.baseline, wanted)
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
    assert dict(zip(loss.statistics(), result.statistics.tolist(), strict=True))[
        "baseline"
    ] == pytest.approx(float(wanted.mean()))
    result.loss.backward()
    assert model.policy.fc.weight.grad.any()
    assert model.conv1.weight.grad.any()


def test_the_policy_learns_which_block_is_worth_its_price() -> None:
    """All answers are right whatever runs, so that every block is to close."""
    model = network().train()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    nn.init.zeros_(model.fc.weight)
    with torch.no_grad():
        model.fc.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    last = model.policy.fc.requires_grad_(True)
    optimizer = torch.optim.SGD(last.parameters(), lr=1.0)
    loss, batch, labels = judge(model), images(64), torch.zeros(64, dtype=torch.long)
    torch.manual_seed(0)
    before = float(loss(batch, labels).statistics[3])
    for _ in range(40):
        optimizer.zero_grad()
        result = loss(batch, labels)
        result.loss.backward()
        optimizer.step()
    after = float(result.statistics[3])
    assert loss.statistics()[3] == "baseline"
    assert before == pytest.approx(0.0)
    assert after == pytest.approx(1.0)
