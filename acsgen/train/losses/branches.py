"""The weighted sum of the branches' losses: RADI, the exit half of DDI (Wang et al. 2020)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from acsgen.nn.answers import answer_macs
from acsgen.nn.mac_counter import Skippable
from acsgen.train.losses.base import ForwardPass, Loss, LossParameters, Terms, register


class BranchesParameters(LossParameters):
    """Parameters of the weighted sum of branch losses.

    Attributes:
        weights: ``equal`` weighs every branch with 1 (JSTSP 2020), ``cost`` with the MACs of the
            whole network over those of the branch's answer (ICCV 2019, section 3.2).
    """

    name: Literal["branches"] = "branches"
    weights: Literal["equal", "cost"] = "equal"


@register
class BranchesLoss(Loss[BranchesParameters]):
    """L = CE + sum of w_i CE_i; the plain loss of a network without branches."""

    parameters_type = BranchesParameters
    own_statistics = ("branches_ce",)
    _macs: tuple[int, ...] = ()

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """The sum, and the mean of the branches' cross-entropies."""
        if not run.branches:
            return ce, (ce.new_zeros(()),)
        losses = torch.stack([F.cross_entropy(logits, labels) for logits in run.branches])
        weights = losses.new_tensor(self._weights(len(run.branches)))
        return ce + (weights * losses).sum(), (losses.mean(),)

    def _weights(self, branches: int) -> list[float]:
        if self.parameters.weights == "equal":
            return [1.0] * branches
        if not self._macs:
            model = self.forward.model
            example = cast(Skippable, model).example_input().to(self.forward.device)
            self._macs = answer_macs(model, example, branches + 1)
        return [self._macs[-1] / macs for macs in self._macs[:-1]]
