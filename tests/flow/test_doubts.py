"""Inputs that can be built and are probably a mistake."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from acsgen.flow.build.images import BuildImages
from acsgen.flow.doubts import warn_of_doubts
from acsgen.ir.layers import LayerGraph
from tests.nets.images import slopes
from tests.nets.layer_graphs import every_kind

GRAPH = every_kind(0)
CLASSES = GRAPH[GRAPH.outputs[-1]].shape[0]
GOOD = BuildImages("mine", slopes(0, 12), slopes(1, 12), np.arange(12) % CLASSES)


def doubts(images: BuildImages, graph: LayerGraph = GRAPH) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_doubts(graph, images.source, images.calibration, images.test, images.labels)
    return [str(warning.message) for warning in caught]


def test_good_inputs_raise_no_doubt() -> None:
    assert doubts(GOOD) == []
    assert doubts(replace(GOOD, labels=None)) == []


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (replace(GOOD, labels=np.arange(12) + CLASSES - 11), "1 of 12 labels of mine are beyond"),
        (replace(GOOD, labels=np.ones(12, np.int64)), "all images of mine have the label 1"),
        (replace(GOOD, calibration=np.zeros_like(GOOD.calibration)), "calibration images of mine"),
        (replace(GOOD, test=np.full_like(GOOD.test, 255)), "test images of mine are 255"),
    ],
)
def test_each_doubt_is_told(images: BuildImages, said: str) -> None:
    (doubt,) = doubts(images)
    assert said in doubt


def test_weights_that_are_all_zero_and_a_single_class() -> None:
    last = GRAPH[GRAPH.outputs[-1]]
    zero = replace(last, weight=np.zeros_like(last.weight))
    graph = LayerGraph(GRAPH.name, (*GRAPH.layers[:-1], zero), GRAPH.outputs)
    assert doubts(GOOD, graph) == [f"{last.where}: all weights are zero"]
    one = replace(last, shape=(1,), weight=last.weight[:1], bias=last.bias[:1])
    graph = LayerGraph(GRAPH.name, (*GRAPH.layers[:-1], one), GRAPH.outputs)
    assert any("one class" in doubt for doubt in doubts(replace(GOOD, labels=None), graph))
