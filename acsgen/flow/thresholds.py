"""Thresholds of all gates of a network at once, and the range of them that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from acsgen.cost.macs import count_macs
from acsgen.ir.integer import IntGate, IntGraph
from acsgen.ir.layers import Gate, LayerGraph
from acsgen.quant.golden import GoldenModel
from acsgen.quant.thresholds import integer_threshold
from acsgen.support.errors import Problem, UserError
from acsgen.support.progress import OnStage, ignore_stages

#: Thresholds that :func:`measure_thresholds` tries.
TRIED = tuple(tenths / 10 for tenths in range(1, 10))

#: Accuracy that a usable threshold may cost, against the thresholds that the network was trained
#: with.
USABLE_LOSS = 0.01

_BATCH = 64

GraphT = TypeVar("GraphT", LayerGraph, IntGraph)


@dataclass(frozen=True)
class ThresholdPoint:
    """The integer network with one threshold for all gates.

    Attributes:
        threshold: of every gate, in [0, 1].
        accuracy: in [0, 1].
        macs_mean: executed MACs, mean over images, gating work included.
    """

    threshold: float
    accuracy: float
    macs_mean: float


@dataclass(frozen=True)
class ThresholdRange:
    """Thresholds as a knob: what the integer network does at each, and where it is of use.

    Attributes:
        points: at rising thresholds.
        usable: lowest and highest of the neighbouring points, around the threshold that the gates
            were trained with, whose accuracy is at most :data:`USABLE_LOSS` below that of the
            network as trained; None where not even the nearest point is.
    """

    points: tuple[ThresholdPoint, ...]
    usable: tuple[float, float] | None


def with_alpha(graph: GraphT, alpha: float) -> GraphT:
    """Return a layer graph or an integer graph whose gates all have the threshold ``alpha``.

    Raises:
        UserError: it has no gates.
    """
    changed: list[Any] = []
    layer: Any  # of either graph
    for layer in graph:
        if isinstance(layer, IntGate):
            threshold = integer_threshold(alpha, layer.acc_scale)
            changed.append(replace(layer, threshold=threshold, alpha=alpha))
        elif isinstance(layer, Gate):
            changed.append(replace(layer, threshold=alpha))
        else:
            changed.append(layer)
    require_gates(graph, alpha)
    return replace(graph, layers=tuple(changed))


def require_gates(graph: LayerGraph | IntGraph, alpha: float | None) -> None:
    """Refuse a threshold of a network that has none to set; quantization takes its time.

    Raises:
        UserError: there is a threshold and no gate.
    """
    if alpha is not None and not graph.gates:
        raise UserError(Problem("--alpha", f"{graph.name} has no gates", "leave it out"))


def measure_thresholds(
    integers: IntGraph,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    accuracy: float,
    *,
    on_stage: OnStage = ignore_stages,
) -> ThresholdRange:
    """Run the integer network at every threshold of :data:`TRIED`.

    Args:
        integers: with the thresholds that it was trained with.
        images: uint8 ``[N, C, H, W]``.
        labels: classes ``[N]``.
        accuracy: of ``integers`` on the same images, in [0, 1].
        on_stage: told of the progress.
    """
    trained = float(np.mean([gate.alpha for gate in integers.gates]))
    points = []
    for number, threshold in enumerate(TRIED):
        on_stage("try thresholds", number, len(TRIED))
        points.append(_point(with_alpha(integers, threshold), threshold, images, labels))
    return ThresholdRange(tuple(points), usable_thresholds(points, trained, accuracy))


def usable_thresholds(
    points: Sequence[ThresholdPoint], trained: float, accuracy: float
) -> tuple[float, float] | None:
    """The range around ``trained`` in which the accuracy holds; see :class:`ThresholdRange`."""
    good = [point.accuracy >= accuracy - USABLE_LOSS for point in points]
    first = min(range(len(points)), key=lambda i: abs(points[i].threshold - trained))
    if not good[first]:
        return None
    last = first
    while first > 0 and good[first - 1]:
        first -= 1
    while last + 1 < len(points) and good[last + 1]:
        last += 1
    return points[first].threshold, points[last].threshold


def _point(
    integers: IntGraph, threshold: float, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> ThresholdPoint:
    golden = GoldenModel(integers)
    right: list[NDArray[np.bool_]] = []
    macs: list[NDArray[np.int64]] = []
    for start in range(0, len(images), _BATCH):
        part = slice(start, start + _BATCH)
        run = golden.run(np.array(images[part]), keep="outputs")
        right.append(run.predictions == labels[part])
        macs.append(count_macs(integers, run.masks, len(run), run.ran).executed)
    work = float(np.concatenate(macs).mean())
    return ThresholdPoint(threshold, float(np.concatenate(right).mean()), work)
