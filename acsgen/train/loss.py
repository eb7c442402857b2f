"""The loss of ACS training: cross-entropy, MAC budget, and what keeps the gates informative."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.record import GateRecord, record_gates
from acsgen.nn.mac_counter import MacCounter
from acsgen.train.recipe import PhaseRecipe

#: Columns of the per-batch statistics tensor, in order.
STATISTICS = ("loss", "ce", "reg", "information", "acc", "macs_ratio")


@dataclass(frozen=True)
class LossResult:
    """``loss`` to differentiate, and the detached values of :data:`STATISTICS` in one tensor."""

    loss: Tensor
    statistics: Tensor


class AcsLoss:
    """L = CE + weight * max(0, r - budget) - information * I(image; gate bit).

    ACS paper, equation 5, with L_reg taken from acsgen's MAC count r (relative to the static
    network); the last term is ours, see :class:`acsgen.train.recipe.CostRecipe`.

    Args:
        model: the network.
        counter: its MAC counter.
        phase: the phase's recipe.
        device: of the budget tensor.
        autocast: run the forward pass in bfloat16 where that is safe.

    Attributes:
        budget: 0-dim tensor; the loop lowers it during the phase.
    """

    def __init__(
        self,
        model: nn.Module,
        counter: MacCounter,
        phase: PhaseRecipe,
        device: torch.device,
        autocast: bool = False,
    ) -> None:
        self._model = model
        self._counter = counter
        self._cost = phase.cost
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=autocast)
        self.budget = torch.ones((), device=device)

    def set_progress(self, progress: float) -> None:
        """Lower the budget for ``progress`` in [0, 1] through the phase."""
        if self._cost is not None:
            done = min(1.0, progress / self._cost.ramp) if self._cost.ramp > 0 else 1.0
            self.budget.fill_(1.0 + (self._cost.target - 1.0) * done)

    def __call__(self, images: Tensor, labels: Tensor) -> LossResult:
        """Loss of one batch: images [N, C, H, W], labels [N]."""
        images = images.contiguous(memory_format=torch.channels_last)
        with record_gates(self._model) as gates, self._autocast:
            output = self._model(images).float()
        ce = F.cross_entropy(output, labels)
        ratio = self._counter.count(gates.masks).mean() / self._counter.static_macs
        zero = torch.zeros_like(ce)
        reg, information, loss = zero, zero, ce
        if self._cost is not None and gates.logits:
            reg = torch.clamp(ratio - self.budget, min=0.0)
            information = gate_information(gates)
            loss = ce + self._cost.weight * reg - self._cost.information * information
        accuracy = (output.argmax(1) == labels).float().mean()
        statistics = torch.stack([loss, ce, reg, information, accuracy, ratio]).detach()
        return LossResult(loss, statistics)


def gate_information(gates: GateRecord) -> Tensor:
    """Mean over gate bits of I(image; bit) = H(E p) - E H(p), in nats, with p = sigmoid(logit).

    Large when a bit is open for about half of the images and sure about each one of them.
    """
    p = torch.sigmoid(torch.cat(list(gates.logits.values()), dim=1).float())
    return (_entropy(p.mean(0)) - _entropy(p).mean(0)).mean()


def _entropy(p: Tensor) -> Tensor:
    p = p.clamp(1e-6, 1.0 - 1e-6)
    return -(p * p.log() + (1.0 - p) * (1.0 - p).log())
