"""The loss of dual dynamic inference: its two halves in one sum (Wang et al. 2020)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from acsgen.train.losses._branch_terms import BranchLosses, BranchWeights
from acsgen.train.losses.base import Forward, ForwardPass, Loss, Terms, register
from acsgen.train.losses.resource import ResourceLoss, ResourceParameters


class DdiParameters(ResourceParameters, BranchWeights):
    """Parameters of ``resource``, and the weights of the branches' losses."""

    name: Literal["ddi"] = "ddi"  # type: ignore[assignment]


@register
class DdiLoss(Loss[DdiParameters]):
    """L = CE + sum of w_i CE_i + alpha * L_reg: the branches' losses of RADI, and the resource of
    IADI's gates. L_reg counts every branch as executed, as in a run that no exit ends."""

    parameters_type = DdiParameters
    own_statistics = ("branches_ce", "cost")
    needs_skipping = True

    def __init__(self, parameters: DdiParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self._branches = BranchLosses(parameters, forward)
        self._resource = ResourceLoss(parameters, forward)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`DdiLoss`."""
        weighted, mean = self._branches(run, labels)
        loss, (cost,) = self._resource.total(ce + weighted, run, labels)
        return loss, (mean, cost)
