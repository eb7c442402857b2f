"""The plain loss of a classifier: what phases without a resource term train with."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class CrossEntropyParameters(LossParameters):
    """It has none."""

    name: Literal["cross_entropy"] = "cross_entropy"


@register
class CrossEntropyLoss(Loss[CrossEntropyParameters]):
    """L = CE, whatever the gates do."""

    parameters_type = CrossEntropyParameters

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """The cross-entropy."""
        return ce, ()
