"""The plain loss of a classifier, for phases without a resource term."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class CrossEntropyParameters(LossParameters):
    """The cross-entropy has no parameters of its own."""

    name: Literal["cross_entropy"] = "cross_entropy"


@register
class CrossEntropyLoss(Loss[CrossEntropyParameters]):
    """L = CE; it does not depend on the gates' decisions."""

    parameters_type = CrossEntropyParameters

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """The cross-entropy."""
        return ce, ()
