"""The loss of ACS training: cross-entropy, a MAC budget, and a term for informative gates."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from acsgen.train.losses._gate_terms import gate_correlation, gate_information
from acsgen.train.losses.base import (
    Forward,
    ForwardPass,
    Loss,
    LossParameters,
    Terms,
    ramped,
    register,
)


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
        decorrelation: weight of the mean squared correlation between the bits of a gate, over the
            batch. Information looks at each bit alone, and has its maximum where one coin decides
            them all.
    """

    name: Literal["acs"] = "acs"
    target: float = Field(gt=0.0, le=1.5)
    weight: float = Field(default=4.0, ge=0.0)
    ramp: float = Field(default=0.4, ge=0.0, le=1.0)
    information: float = Field(default=0.1, ge=0.0)
    decorrelation: float = Field(default=0.0, ge=0.0)


@register
class AcsLoss(Loss[AcsParameters]):
    """L = CE + weight * max(0, r - budget) - information * I + decorrelation * C.

    ACS paper, equation 5, with L_reg taken from acsgen's MAC count r (relative to the static
    network); the last two terms are ours, :func:`acsgen.train.losses._gate_terms.gate_information`
    and ``gate_correlation``. Without gates it is the cross-entropy.

    Attributes:
        budget: 0-dim tensor; falls during the phase.
    """

    parameters_type = AcsParameters
    own_statistics = ("reg", "information", "correlation")
    needs_skipping = True

    def __init__(self, parameters: AcsParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self.budget = torch.ones((), device=forward.device)

    def set_progress(self, progress: float) -> None:
        """Lower the budget for ``progress`` in [0, 1] through the phase."""
        its = self.parameters
        self.budget.fill_(1.0 + (its.target - 1.0) * ramped(progress, its.ramp))

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`AcsLoss`."""
        if not run.gates.logits:
            zero = torch.zeros_like(ce)
            return ce, (zero, zero, zero)
        reg = torch.clamp(run.macs_ratio - self.budget, min=0.0)
        its = self.parameters
        information, correlation = gate_information(run.gates), gate_correlation(run.gates)
        loss = ce + its.weight * reg - its.information * information
        return loss + its.decorrelation * correlation, (reg, information, correlation)
