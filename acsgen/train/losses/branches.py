"""The weighted sum of the branches' losses: RADI, the exit half of DDI (Wang et al. 2020)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from acsgen.train.losses._branch_terms import BranchLosses, BranchWeights
from acsgen.train.losses.base import Forward, ForwardPass, Loss, Terms, register


class BranchesParameters(BranchWeights):
    """Parameters of the weighted sum of branch losses."""

    name: Literal["branches"] = "branches"


@register
class BranchesLoss(Loss[BranchesParameters]):
    """L = CE + sum of w_i CE_i; the plain loss of a network without branches."""

    parameters_type = BranchesParameters
    own_statistics = ("branches_ce",)

    def __init__(self, parameters: BranchesParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        self._branches = BranchLosses(parameters, forward)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """The sum, and the mean of the branches' cross-entropies."""
        weighted, mean = self._branches(run, labels)
        return ce + weighted, (mean,)
