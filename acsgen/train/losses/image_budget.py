"""A budget of MACs for each image, larger the harder the network finds it."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

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


class ImageBudgetParameters(LossParameters):
    """A budget for each image in place of one for the mean of the batch.

    A budget for the mean says nothing of which images are to cost more, and masks need not follow
    difficulty to keep it. Here image i is to cost ``target + spread * (2 * rank - 1)`` of the
    static network's MACs, gates included, with rank its place in the batch by its cross-entropy: 0
    for the least, 1 for the largest. No label of difficulty is needed.

    Attributes:
        target: budget of the middle image.
        spread: what the image of the largest cross-entropy may cost more than the middle one, and
            that of the least must cost less.
        weight: of the mean squared distance from the budgets.
        ramp: fraction of the phase over which every budget falls from 1 to its own.
        information: weight of the anti-collapse term, see the loss ``acs``.
        decorrelation: weight of the mean squared correlation between the bits of a gate: without
            it, one coin for all bits is enough to keep budgets and to be informative.
    """

    name: Literal["image_budget"] = "image_budget"
    target: float = Field(default=0.6, gt=0.0, le=1.5)
    spread: float = Field(default=0.25, ge=0.0, le=1.0)
    weight: float = Field(default=20.0, ge=0.0)
    ramp: float = Field(default=0.0, ge=0.0, le=1.0)
    information: float = Field(default=0.0, ge=0.0)
    decorrelation: float = Field(default=0.0, ge=0.0)


@register
class ImageBudgetLoss(Loss[ImageBudgetParameters]):
    """L = CE + weight * mean of (r_i - t_i)^2 - information * I + decorrelation * C.

    r_i are the MACs of image i over the static network's, t_i its budget; I and C are
    :func:`acsgen.train.losses._gate_terms.gate_information` and ``gate_correlation``. Without gates
    it is the cross-entropy.

    Attributes:
        fallen: 0-dim tensor, how far the budgets have fallen, in [0, 1].
    """

    parameters_type = ImageBudgetParameters
    own_statistics = ("budget_error", "information", "correlation")
    needs_skipping = True

    def __init__(self, parameters: ImageBudgetParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self.fallen = torch.ones((), device=forward.device)

    def set_progress(self, progress: float) -> None:
        """Lower the budgets for ``progress`` in [0, 1] through the phase."""
        self.fallen.fill_(ramped(progress, self.parameters.ramp))

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`ImageBudgetLoss`."""
        if not run.gates.logits:
            zero = torch.zeros_like(ce)
            return ce, (zero, zero, zero)
        its = self.parameters
        error = (run.macs / self.forward.static_macs - self.budgets(run.logits, labels)).square()
        information, correlation = gate_information(run.gates), gate_correlation(run.gates)
        loss = ce + its.weight * error.mean()
        loss = loss - its.information * information + its.decorrelation * correlation
        return loss, (error.mean(), information, correlation)

    def budgets(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Budget of each image, [N], from logits [N, classes] and labels [N]."""
        unlikely = F.cross_entropy(logits.detach(), labels, reduction="none")
        places = unlikely.argsort().argsort().float()
        ranks = places / (len(labels) - 1) if len(labels) > 1 else torch.full_like(places, 0.5)
        own = self.parameters.target + self.parameters.spread * (2.0 * ranks - 1.0)
        return 1.0 + (own - 1.0) * self.fallen
