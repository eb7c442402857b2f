"""The loss of ACS training: cross-entropy, a MAC budget, and a term for informative gates."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from acsgen.nn.gates.record import GateRecord
from acsgen.train.losses.base import Forward, ForwardPass, Loss, LossParameters, Terms, register


class AcsParameters(LossParameters):
    """The resource term of the loss, L = L_ce + weight * L_reg (ACS paper, equation 5).

    L_reg = max(0, r - target) with r the mean MACs of the batch over the static network's, gates
    included: a budget, not a pull towards zero.

    Attributes:
        target: r to reach.
        weight: alpha of equation 5.
        ramp: fraction of the phase over which the budget falls from 1 to ``target``.
        information: weight of the anti-collapse term: minus the mutual information, in nats,
            between the image and a gate bit, averaged over bits. It keeps masks from becoming
            constant and logits away from the threshold (integer decisions then agree with float
            ones).
    """

    name: Literal["acs"] = "acs"
    target: float = Field(gt=0.0, le=1.5)
    weight: float = Field(default=4.0, ge=0.0)
    ramp: float = Field(default=0.4, ge=0.0, le=1.0)
    information: float = Field(default=0.1, ge=0.0)


@register
class AcsLoss(Loss[AcsParameters]):
    """L = CE + weight * max(0, r - budget) - information * I(image; gate bit).

    ACS paper, equation 5, with L_reg taken from acsgen's MAC count r (relative to the static
    network); the last term is ours, see :class:`AcsParameters`. Without gates it is the
    cross-entropy.

    Attributes:
        budget: 0-dim tensor; falls during the phase.
    """

    parameters_type = AcsParameters
    own_statistics = ("reg", "information")
    needs_skipping = True

    def __init__(self, parameters: AcsParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self.budget = torch.ones((), device=forward.device)

    def set_progress(self, progress: float) -> None:
        """Lower the budget for ``progress`` in [0, 1] through the phase."""
        ramp, target = self.parameters.ramp, self.parameters.target
        done = min(1.0, progress / ramp) if ramp > 0 else 1.0
        self.budget.fill_(1.0 + (target - 1.0) * done)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`AcsLoss`."""
        if not run.gates.logits:
            zero = torch.zeros_like(ce)
            return ce, (zero, zero)
        reg = torch.clamp(run.macs_ratio - self.budget, min=0.0)
        information = gate_information(run.gates)
        loss = ce + self.parameters.weight * reg - self.parameters.information * information
        return loss, (reg, information)


def gate_information(gates: GateRecord) -> Tensor:
    """Mean over gate bits of I(image; bit) = H(E p) - E H(p), in nats, with p = sigmoid(logit).

    Large when a bit is open for about half of the images and sure about each one of them.
    """
    p = torch.sigmoid(torch.cat(list(gates.logits.values()), dim=1).float())
    return (_entropy(p.mean(0)) - _entropy(p).mean(0)).mean()


def _entropy(p: Tensor) -> Tensor:
    p = p.clamp(1e-6, 1.0 - 1e-6)
    return -(p * p.log() + (1.0 - p) * (1.0 - p).log())
