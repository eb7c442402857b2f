"""Reinforcement learning of BlockDrop: a policy that is compared with its own likeliest decisions.

Wu et al. 2018, section 3: curriculum learning with the backbone fixed, then joint finetuning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from acsgen_host.thresholds import logit
from pydantic import Field
from torch import Tensor, nn

from acsgen.nn.gates.gate import ChannelGate
from acsgen.nn.gates.record import record_gates
from acsgen.train.losses.base import (
    Forward,
    ForwardPass,
    Loss,
    LossParameters,
    LossResult,
    Terms,
    ramped,
    register,
)


class BlockDropParameters(LossParameters):
    """Rewards of BlockDrop's decisions, their probabilities and their curriculum.

    Attributes:
        wrong: gamma: what a wrong answer costs; a right one earns 1 - (share of open bits)^2.
        alpha: a bit is drawn open with alpha * s + (1 - alpha) * (1 - s), where s is the gate's
            own probability: at least 1 - alpha and at most alpha.
        curriculum: fraction of the phase over which the bits begin to be decided, the last one
            first and all of them at its end; the others stay open meanwhile. 0 decides all at once.
        weight: of the policy's loss beside the cross-entropy.
    """

    name: Literal["blockdrop"] = "blockdrop"
    wrong: float = Field(default=1.0, ge=0.0)
    alpha: float = Field(default=0.8, gt=0.5, lt=1.0)
    curriculum: float = Field(default=0.0, ge=0.0, le=1.0)
    weight: float = Field(default=1.0, ge=0.0)


@register
class BlockDropLoss(Loss[BlockDropParameters]):
    """L = CE - weight * mean over images of (R(u) - R(v)) * sum over bits of log pi(u_k).

    u are drawn decisions (gates: sampled), v those that the gates take in use: the baseline, which
    is why a batch runs twice (self-critical). R is 1 - (share of open bits)^2 for a right answer
    and -gamma for a wrong one. Nothing but log pi has a gradient to the gates; where a phase
    trains them alone, the CE has no part in it. Both runs see BatchNorm as the phase has it.

    Attributes:
        decided: [bits], 1.0 where the curriculum has come to a bit, in the order of execution.
        baseline: R(v) of the batch's images, [N].
    """

    parameters_type = BlockDropParameters
    own_statistics = ("reward", "baseline", "open")
    needs_skipping = True
    gate_modes = ("sampled",)

    def __init__(self, parameters: BlockDropParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self.decided = torch.ones(_bits(forward), device=forward.device)
        self.baseline: Tensor | None = None

    def set_progress(self, progress: float) -> None:
        """Decide one bit more, from the last to the first, ``progress`` in [0, 1] in the phase."""
        bits = len(self.decided)
        if not bits:
            return
        last = min(bits, 1 + math.floor(bits * ramped(progress, self.parameters.curriculum)))
        self.decided.fill_(1.0)
        self.decided[: bits - last] = 0.0

    def __call__(self, images: Tensor, labels: Tensor) -> LossResult:
        """Loss of one batch: images [N, C, H, W], labels [N]."""
        with torch.no_grad(), self._decisions(_likeliest):
            self.baseline = self.rewards(self.forward(images), labels)
        with self._decisions(self._drawn):
            return super().__call__(images, labels)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`BlockDropLoss`."""
        if not run.gates.logits:
            return ce, (torch.zeros_like(ce),) * 3
        assert self.baseline is not None
        rewards = self.rewards(run, labels)
        actions = _flat(run.gates.masks).detach()
        p = self.probabilities(_flat(run.gates.logits))
        likelihood = actions * p.log() + (1.0 - actions) * (1.0 - p).log()
        advantage = (rewards - self.baseline).unsqueeze(1)
        policy = -(advantage * likelihood * self.decided).sum(1).mean()
        statistics = (rewards.mean(), self.baseline.mean(), actions.mean())
        return ce + self.parameters.weight * policy, statistics

    def rewards(self, run: ForwardPass, labels: Tensor) -> Tensor:
        """R of every image, [N], without a gradient."""
        right = run.logits.detach().argmax(1) == labels
        if not run.gates.masks:
            return right.float()
        saved = 1.0 - _flat(run.gates.masks).detach().mean(1).square()
        return torch.where(right, saved, torch.full_like(saved, -self.parameters.wrong))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Bounded probabilities that bits are open, from the gates' logits."""
        alpha = self.parameters.alpha
        return (1.0 - alpha) + (2.0 * alpha - 1.0) * torch.sigmoid(logits.float())

    def _drawn(self, gate: ChannelGate, logits: Tensor) -> Tensor:
        return torch.bernoulli(self.probabilities(logits.detach()))

    @contextmanager
    def _decisions(self, decide: Callable[[ChannelGate, Tensor], Tensor]) -> Iterator[None]:
        """While entered, the gates decide by ``decide``, and bits before the curriculum are open.

        A hook takes the place of the gate's own decision, in front of those that record it.
        """
        model, place = self.forward.model, 0

        def restart(*_: Any) -> None:
            nonlocal place
            place = 0

        def hook(gate: nn.Module, arguments: Any, result: Tensor) -> Tensor:
            nonlocal place
            assert isinstance(gate, ChannelGate)
            (logits,) = arguments
            begun = self.decided[place : place + logits.shape[1]] > 0.5
            place += logits.shape[1]
            mask = decide(gate, logits.detach()).to(result.dtype)
            return torch.where(begun, mask, 1.0).to(result.dtype).view_as(result)

        handles = [model.register_forward_pre_hook(restart)]
        gates = [module for module in model.modules() if isinstance(module, ChannelGate)]
        handles += [gate.register_forward_hook(hook) for gate in gates]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _likeliest(gate: ChannelGate, logits: Tensor) -> Tensor:
    """The gate's decisions as in use."""
    return (logits.float() > logit(gate.threshold)).float()


def _flat(by_call: dict[str, Tensor]) -> Tensor:
    """[N, bits] of all calls of gates, in the order of execution."""
    return torch.cat(list(by_call.values()), dim=1).float()


@torch.no_grad()
def _bits(forward: Forward) -> int:
    """Gate bits of an image."""
    model: Any = forward.model
    training = [(module, module.training) for module in model.modules()]
    with record_gates(model) as gates:
        model.eval()(model.example_input().to(forward.device))
    for module, was in training:
        module.training = was
    return sum(mask.shape[1] for mask in gates.masks.values())
