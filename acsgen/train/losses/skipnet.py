"""Hybrid reinforcement learning of SkipNet: cross-entropy, and a policy gradient for the gates."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class SkipNetParameters(LossParameters):
    """Rewards of the gates' actions, and their weight (SkipNet, section 3.3).

    Attributes:
        reward: alpha: what skipping every block is worth.
        weight: beta: of the policy's loss beside the cross-entropy.
    """

    name: Literal["skipnet"] = "skipnet"
    reward: float = Field(default=0.1, ge=0.0)
    weight: float = Field(default=0.01, ge=0.0)


@register
class SkipNetLoss(Loss[SkipNetParameters]):
    """L = CE - weight * mean over images of the sum over gates of log pi(a_t) * R_t.

    R_t is the reward ``(1 - a_s) * reward / n`` of this and all later ones of the n decisions, and
    at the end minus the image's cross-entropy. Actions are drawn (gates: sampled).
    """

    parameters_type = SkipNetParameters
    own_statistics = ("policy", "skipped")
    needs_skipping = True
    gate_modes = ("sampled",)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`SkipNetLoss`."""
        if not run.gates.logits:
            return ce, (torch.zeros_like(ce), torch.zeros_like(ce))
        logits = torch.cat(list(run.gates.logits.values()), dim=1).float()
        actions = torch.cat(list(run.gates.masks.values()), dim=1).float().detach()
        last = -F.cross_entropy(run.logits.detach(), labels, reduction="none")
        rewards = (1.0 - actions) * (self.parameters.reward / actions.shape[1])
        to_come = rewards.flip(1).cumsum(1).flip(1) + last.unsqueeze(1)
        surprise = F.binary_cross_entropy_with_logits(logits, actions, reduction="none")
        policy = (surprise * to_come).sum(1).mean()
        return ce + self.parameters.weight * policy, (policy, 1.0 - actions.mean())
