"""The part of branch classifiers in a loss, which the losses of RADI and of DDI share."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from acsgen.nn.answers import answer_macs
from acsgen.nn.mac_counter import Skippable
from acsgen.train.losses.base import Forward, ForwardPass, LossParameters


class BranchWeights(LossParameters):
    """Weights of the branches' losses.

    Attributes:
        weights: ``equal`` weighs every branch with 1 (JSTSP 2020), ``cost`` with the MACs of the
            whole network over those of the branch's answer (ICCV 2019, section 3.2).
    """

    weights: Literal["equal", "cost"] = Field(default="equal")


class BranchLosses:
    """Cross-entropies of the branches of a network, and their weights w_i.

    Args:
        parameters: say the weights.
        forward: runs the network.
    """

    def __init__(self, parameters: BranchWeights, forward: Forward) -> None:
        self._parameters = parameters
        self._forward = forward
        self._macs: tuple[int, ...] = ()

    def __call__(self, run: ForwardPass, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of w_i CE_i and the mean of CE_i, scalars; zeros without branches."""
        if not run.branches:
            nothing = run.logits.new_zeros(())
            return nothing, nothing
        losses = torch.stack([F.cross_entropy(logits, labels) for logits in run.branches])
        weights = losses.new_tensor(self._weights(len(run.branches)))
        return (weights * losses).sum(), losses.mean()

    def _weights(self, branches: int) -> list[float]:
        if self._parameters.weights == "equal":
            return [1.0] * branches
        if not self._macs:
            model = self._forward.model
            example = cast(Skippable, model).example_input().to(self._forward.device)
            self._macs = answer_macs(model, example, branches + 1)
        return [self._macs[-1] / macs for macs in self._macs[:-1]]
