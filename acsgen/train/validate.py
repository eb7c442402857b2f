"""Test accuracy, executed MACs and how much the masks depend on the image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from acsgen_host.thresholds import logit
from torch import Tensor, nn

from acsgen.ir.mask_statistics import MaskStatistics, mask_statistics
from acsgen.nn.answers import answers
from acsgen.nn.gates.record import record_gates
from acsgen.nn.mac_counter import MacCounter

#: Logits closer to the threshold than this, in standard deviations of their bit, are near-ties.
NEAR_TIE = 0.02


@dataclass(frozen=True, kw_only=True)
class DecisionStatistics(MaskStatistics):
    """Statistics of the float network's masks, and of the logits that they are decided by.

    Attributes:
        always_open: share of bits open for every image.
        always_closed: share of bits closed for every image.
        near_ties: share of decisions within :data:`NEAR_TIE` standard deviations of the threshold.
        difficulty_correlation: Pearson correlation of an image's MACs with its difficulty.
    """

    always_open: float
    always_closed: float
    near_ties: float
    difficulty_correlation: float | None


@dataclass(frozen=True)
class Validation:
    """Result on a data set; MACs are per image, gates included (see :mod:`acsgen.nn.mac_counter`).

    Attributes:
        accuracy: in [0, 1].
        images: number of images.
        static_macs: MACs of the ungated twin.
        macs_mean: mean executed MACs.
        macs_std: standard deviation over images.
        macs_min: least of any image.
        macs_max: most of any image.
        macs_ratio: ``macs_mean / static_macs``.
        gate_macs: MACs of the gating networks with their learned grouping.
        masks: statistics of masks and logits, None for a network without gates.
    """

    accuracy: float
    images: int
    static_macs: int
    macs_mean: float
    macs_std: float
    macs_min: float
    macs_max: float
    macs_ratio: float
    gate_macs: float
    masks: DecisionStatistics | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for metadata and JSON."""
        return asdict(self)


@torch.no_grad()
def validate(
    model: nn.Module,
    counter: MacCounter,
    images: Tensor,
    labels: Tensor,
    difficulty: np.ndarray | None = None,
    batch: int = 1000,
) -> Validation:
    """Run ``model`` in eval mode over images uint8 [N, C, H, W] (on the model's device).

    Args:
        model: the network; its training mode is restored.
        counter: its MAC counter.
        images: test images.
        labels: their classes [N].
        difficulty: per image [N], for the correlation.
        batch: images per forward pass.
    """
    training = model.training
    model.eval()
    correct = torch.zeros((), device=images.device)
    macs, margins, masks = [], [], []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        with record_gates(model) as gates:
            output = answers(model(part))[-1]
        correct += (output.argmax(1) == labels[start : start + batch]).sum()
        macs.append(counter.count(gates.masks).expand(len(part)))
        if gates.masks:
            bounds = {name: logit(alpha) for name, alpha in gates.thresholds.items()}
            margins.append(torch.cat([v - bounds[n] for n, v in gates.logits.items()], dim=1))
            masks.append(torch.cat(list(gates.masks.values()), dim=1))
    per_image = torch.cat(macs).double().cpu().numpy()
    statistics = None
    if masks:
        statistics = _decision_statistics(
            torch.cat(margins), torch.cat(masks), per_image, difficulty
        )
    gate_macs = counter.gate_macs()
    model.train(training)
    return Validation(
        accuracy=float(correct) / len(images),
        images=len(images),
        static_macs=counter.static_macs,
        macs_mean=float(per_image.mean()),
        macs_std=float(per_image.std()),
        macs_min=float(per_image.min()),
        macs_max=float(per_image.max()),
        macs_ratio=float(per_image.mean() / counter.static_macs),
        gate_macs=gate_macs,
        masks=statistics,
    )


def _decision_statistics(
    margins: Tensor, masks: Tensor, macs: np.ndarray, difficulty: np.ndarray | None
) -> DecisionStatistics:
    """Statistics of masks [N, bits], from the logits' margins over their thresholds likewise."""
    margins = margins / margins.std(0, correction=0).clamp(min=1e-9)
    bits = masks.cpu().numpy()
    frequency = bits.mean(axis=0, dtype=np.float64)
    correlation = None
    if difficulty is not None and macs.std() > 0:
        correlation = float(np.corrcoef(macs, difficulty)[0, 1])
    return DecisionStatistics(
        **asdict(mask_statistics(bits)),
        always_open=float((frequency == 1.0).mean()),
        always_closed=float((frequency == 0.0).mean()),
        near_ties=float((margins.abs() < NEAR_TIE).double().mean()),
        difficulty_correlation=correlation,
    )
