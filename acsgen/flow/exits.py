"""Early exits of a network, evaluated: other thresholds, and which answer every image gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from acsgen_host.exits import entropy_threshold
from numpy.typing import NDArray

from acsgen.ir.integer import IntEntropy, IntGraph
from acsgen.ir.layers import Entropy, Exit, LayerGraph
from acsgen.support.errors import Problem, UserError

GraphT = TypeVar("GraphT", LayerGraph, IntGraph)


@dataclass(frozen=True)
class ExitEval:
    """One of the answers of a network with exits.  Shares are in [0, 1], of all images.

    Attributes:
        output: name of the answer.
        threshold: entropy in nats below which it is given; None of the last one, and where a budget
            alone ends a run.
        float_share: images that the network in floats answers there.
        int8_share: images that the integer network answers there.
    """

    output: str
    threshold: float | None
    float_share: float
    int8_share: float


def with_entropy(graph: GraphT, entropy: float) -> GraphT:
    """Return a layer graph or an integer graph whose exits all have the threshold ``entropy``.

    Raises:
        UserError: it has no exits by entropy.
    """
    changed: list[Any] = []
    layer: Any  # of either graph
    for layer in graph:
        if isinstance(layer, IntEntropy):
            threshold = entropy_threshold(entropy, float(layer.acc_scale[0]))
            changed.append(replace(layer, threshold=threshold, entropy=entropy))
        elif isinstance(layer, Entropy):
            changed.append(replace(layer, threshold=entropy))
        else:
            changed.append(layer)
    if all(new is old for new, old in zip(changed, graph, strict=True)):
        what = f"{graph.name} has no exit by entropy"
        raise UserError(Problem("--exit-entropy", what, "leave it out"))
    return replace(graph, layers=tuple(changed))


def answers_of(graph: LayerGraph, results: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Which output of the network in floats is its answer to every image, ``[N]``, from 0 on.

    Args:
        graph: the network.
        results: of its exits and outputs, by name.
    """
    images = len(results[graph.outputs[-1]])
    found = np.full(images, len(graph.outputs) - 1, np.int64)
    passed = -1
    open_yet = np.ones(images, bool)
    for layer in graph:
        passed += layer.name in graph.outputs
        if isinstance(layer, Exit):
            leaves = open_yet & (results[layer.name][:, 0] > 0)
            found[leaves] = passed
            open_yet &= ~leaves
    return found


def exit_thresholds(graph: LayerGraph) -> tuple[float | None, ...]:
    """The threshold of every output, in their order; None where no entropy ends a run."""
    found: dict[str, float] = {
        layer.x: layer.threshold for layer in graph if isinstance(layer, Entropy)
    }
    return tuple(found.get(name) for name in graph.outputs)


def exit_figures(
    graph: LayerGraph, floating: NDArray[np.int64], integer: NDArray[np.int64]
) -> tuple[ExitEval, ...]:
    """The figures of every answer, of the answers' numbers ``[N]`` in both networks; none for a
    network without exits."""
    if not any(isinstance(layer, Exit) for layer in graph):
        return ()
    return tuple(
        ExitEval(name, threshold, float(np.mean(floating == i)), float(np.mean(integer == i)))
        for i, (name, threshold) in enumerate(
            zip(graph.outputs, exit_thresholds(graph), strict=True)
        )
    )
