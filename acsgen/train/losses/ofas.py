"""Reinforcement learning of OFAS, after its end-to-end training."""

from __future__ import annotations

from typing import Literal

import torch
from acsgen_host.thresholds import logit
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class OfasParameters(LossParameters):
    """Rewards of OFAS (equations 6 and 9).

    Attributes:
        beta: times the number n of blocks, that of equation 6: the paper has 0.1 / n.
        accuracy: gamma_1, of the accuracy's reward.
        later: gamma_2, of the next block's reward.
        kept: p of equation 10, the weight of a decision that was kept; the others have 1 - p.
    """

    name: Literal["ofas"] = "ofas"
    beta: float = Field(default=0.1, gt=0.0)
    accuracy: float = Field(default=0.3, ge=0.0)
    later: float = Field(default=0.9, ge=0.0, le=1.0)
    kept: float = Field(default=0.9, ge=0.0, le=1.0)


@register
class OfasLoss(Loss[OfasParameters]):
    """L = sum over blocks of the batch's mean of -p_i * R_i.

    R_i = beta * ((1 - a_i) - accuracy * R_acc + later * R_{i+1}), with R_acc = -log of the label's
    probability and nothing behind the last block. One decision in ten is inverted (gates:
    explored). Gradients pass straight through the decisions. The public code has the sign of R_acc
    reversed; this is the paper's form.
    """

    parameters_type = OfasParameters
    own_statistics = ("reward", "skipped")
    needs_skipping = True
    gate_modes = ("explored",)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`OfasLoss`."""
        gates, its = run.gates, self.parameters
        if not gates.logits:
            return ce, (torch.zeros_like(ce), torch.zeros_like(ce))
        actions = torch.cat(list(gates.masks.values()), dim=1).float()
        decided = [value > logit(gates.thresholds[name]) for name, value in gates.logits.items()]
        same = torch.cat(decided, dim=1) == (actions.detach() > 0.5)
        weights = torch.where(same, its.kept, 1.0 - its.kept)
        unlikely = F.cross_entropy(run.logits, labels, reduction="none")
        count = actions.shape[1]
        reward = torch.zeros_like(unlikely)
        loss = torch.zeros_like(ce)
        rewards = torch.zeros_like(ce)
        for index in reversed(range(count)):
            gain = (1.0 - actions[:, index]) - its.accuracy * unlikely + its.later * reward
            reward = its.beta / count * gain
            loss = loss - (weights[:, index] * reward).mean()
            rewards = rewards + reward.mean()
        return loss, (rewards, 1.0 - actions.mean())
