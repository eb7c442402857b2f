"""The warm-up of DDI: gates of a pretrained network learn to skip nothing."""

from __future__ import annotations

from typing import Literal

import torch
from acsgen_host.thresholds import logit
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class OpenGatesParameters(LossParameters):
    """The first phase of DDI, in which the skipping ratio is brought to 0.

    Attributes:
        weight: of the term that opens gates, beside the cross-entropy.
    """

    name: Literal["open_gates"] = "open_gates"
    weight: float = Field(default=1.0, ge=0.0)


@register
class OpenGatesLoss(Loss[OpenGatesParameters]):
    """L = CE + weight * mean of -log p(open), over the gates' bits.

    DDI (JSTSP 2020, training details): jointly training new gates and a pretrained network loses
    its accuracy, so that the gates alone are first trained to a skipping ratio of 0; the phase says
    ``trains: gates``.
    """

    parameters_type = OpenGatesParameters
    own_statistics = ("closed",)
    needs_skipping = True

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`OpenGatesLoss`."""
        gates = run.gates
        if not gates.logits:
            return ce, (torch.zeros_like(ce),)
        margins = [value - logit(gates.thresholds[name]) for name, value in gates.logits.items()]
        term = F.softplus(-torch.cat(margins, dim=1).float()).mean()
        closed = 1.0 - torch.cat(list(gates.masks.values()), dim=1).float().mean()
        return ce + self.parameters.weight * term, (closed,)
