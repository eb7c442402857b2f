"""Whether a network with gates spends its multiply-accumulates (MACs) on the hard images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DifficultyFigures:
    """MACs of images against how hard the images are.

    Attributes:
        correlation: Pearson's r of an image's MACs with the difficulty that the data set records;
            None where it records none, or all images cost the same.
        macs_by_quartile: mean MACs of the four quarters of the images by difficulty, the easiest
            first; None where the data set records none, or there are fewer than four images.
        auroc: area under the ROC curve of MACs as a detector of the network's own wrong answers:
            the probability that an image with a wrong answer has more MACs than one with a right
            answer, ties counted half; None without labels, or without answers of both kinds.
        auroc_of_twin: the same for the wrong answers of the static twin, where one is given.
    """

    correlation: float | None
    macs_by_quartile: tuple[float, float, float, float] | None
    auroc: float | None
    auroc_of_twin: float | None = None


def difficulty_figures(
    macs: NDArray[np.int64],
    wrong: NDArray[np.bool_] | None,
    difficulty: NDArray[np.floating] | None,
    wrong_of_twin: NDArray[np.bool_] | None = None,
) -> DifficultyFigures:
    """Figures of images with the executed MACs ``macs [N]``.

    Args:
        macs: of each image, gating work included.
        wrong: which images ``[N]`` the network gets wrong, if labels are known.
        difficulty: of each image ``[N]``, larger for harder ones, if known.
        wrong_of_twin: which images its static twin gets wrong, if it was run.
    """
    correlation = quartiles = None
    if difficulty is not None:
        if macs.std() > 0 and difficulty.std() > 0:
            correlation = float(np.corrcoef(macs, difficulty)[0, 1])
        if len(macs) >= 4:
            order = np.argsort(difficulty, kind="stable")
            first, second, third, last = (macs[p].mean() for p in np.array_split(order, 4))
            quartiles = (float(first), float(second), float(third), float(last))
    return DifficultyFigures(
        correlation, quartiles, _auroc(macs, wrong), _auroc(macs, wrong_of_twin)
    )


def _auroc(macs: NDArray[np.int64], wrong: NDArray[np.bool_] | None) -> float | None:
    if wrong is None or wrong.all() or not wrong.any():
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(wrong, macs))
