"""Early exits: classifiers at which a network may end, by entropy or by a budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from acsgen.nn.ops import early_exit


class EarlyExit(nn.Module):
    """Mark the logits of a branch as an answer that the network may end with.

    Put it behind a classifier, and return what it returns, the network's last answer without one::

        return self.exit(self.branch(x)), self.classify(self.rest(x))

    A run of the hardware ends there if the entropy of the softmax is below the threshold, which is
    a run-time value (BranchyNet; RADI at ICCV 2019), or if the rest would overrun the budget of the
    run (RADI in JSTSP 2020). In PyTorch all answers are computed; :func:`first_answers` says which
    one it would have been.

    Args:
        threshold: entropy in nats, from 0 on. With 0 no entropy is computed, and the exit is taken
            by a budget alone.

    Raises:
        ValueError: another threshold.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        if not threshold >= 0.0 or math.isinf(threshold):
            raise ValueError(f"an exit threshold is an entropy in nats, from 0 on: {threshold}")
        self.threshold = float(threshold)

    def forward(self, logits: Tensor) -> Tensor:
        """Logits [N, classes], unchanged."""
        if logits.dim() != 2:
            raise ValueError(f"an exit takes logits [N, classes], got {list(logits.shape)}")
        marked: Tensor = early_exit(logits, self.threshold)
        return marked

    def extra_repr(self) -> str:
        """The module's parameters for ``print(module)``."""
        return f"threshold={self.threshold}"


def entropy(logits: Tensor) -> Tensor:
    """The entropy in nats of the softmax of logits [N, classes], [N]."""
    found: Tensor = torch.special.entr(torch.softmax(logits, 1)).sum(1)
    return found


def first_answers(answers: Sequence[Tensor], thresholds: Sequence[float]) -> Tensor:
    """Which answer a network with exits gives to each image, by the entropies alone.

    Args:
        answers: logits [N, classes] of every classifier, the network's last one behind them.
        thresholds: of the exits, one for every answer but the last.

    Returns:
        [N], numbers from 0 on: of the first answer whose entropy is below its threshold, or the
        last one.

    Raises:
        ValueError: another number of thresholds.
    """
    if len(thresholds) != len(answers) - 1:
        raise ValueError(f"{len(answers)} answers take {len(answers) - 1} thresholds")
    sure = [entropy(found) < limit for found, limit in zip(answers, thresholds, strict=False)]
    sure.append(torch.ones_like(sure[0]) if sure else torch.ones(len(answers[0]), dtype=torch.bool))
    return torch.stack(sure).to(torch.uint8).argmax(0)
