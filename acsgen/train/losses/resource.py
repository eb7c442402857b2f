"""The loss of the papers: cross-entropy and alpha times a resource, in whatever it is measured."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from acsgen.train.losses.base import Forward, ForwardPass, Loss, LossParameters, Terms, register
from acsgen.train.measures import MEASURES, Energies


class ResourceParameters(LossParameters):
    """The resource term of the loss, L = L_ce + alpha * L_reg.

    L_reg is the mean cost of the batch over that of the static network, gates included (ACS,
    equation 5, with alpha as the paper writes it; DDI in JSTSP 2020, equation 5).

    Attributes:
        alpha: of the equation.
        measure: a key of :data:`acsgen.train.measures.MEASURES`: ``macs``; ``energy``, of DDI's
            equation 6; ``cycles``, of a board's engine for the whole program by its cost model, an
            estimate; ``open_bits``, the share of gate bits that are open (GaterNet).
        target: where given, L_reg is what the cost has above this share of the static network's.
        board: whose engine ``energy`` and ``cycles`` are those of.
        energies: of a multiply-accumulate and of accesses to the three memories.
    """

    name: Literal["resource"] = "resource"
    alpha: float = Field(default=0.5, ge=0.0)
    measure: Annotated[str, AfterValidator(MEASURES.require)] = "macs"
    target: float | None = Field(default=None, gt=0.0, le=1.5)
    board: str = "zedboard"
    energies: Energies = Energies()


@register
class ResourceLoss(Loss[ResourceParameters]):
    """L = CE + alpha * L_reg, see :class:`ResourceParameters`; the CE alone without gates and
    learned groups."""

    parameters_type = ResourceParameters
    own_statistics = ("cost",)
    needs_skipping = True

    def __init__(self, parameters: ResourceParameters, forward: Forward) -> None:
        super().__init__(parameters, forward)
        make = MEASURES[parameters.measure]
        self._measure = make(forward.counter, parameters.board, parameters.energies)

    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """See :class:`ResourceLoss`."""
        if not run.gates.masks and not self.forward.counter.learns_groups:
            return ce, (torch.ones_like(ce),)
        cost = self._measure(run.gates.masks).mean() / self._measure.static
        reg = cost if self.parameters.target is None else (cost - self.parameters.target).relu()
        return ce + self.parameters.alpha * reg, (cost,)
