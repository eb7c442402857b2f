"""Both graphs are checked when they are built, and find layers by their names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acsgen.ir.graph import InvalidGraph
from tests.nets.integer_graphs import GraphBuilder, resnet
from tests.nets.layer_graphs import every_kind

pytestmark = pytest.mark.unit

GRAPHS = {"layers": lambda: every_kind(0), "integers": resnet}


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_layers_are_found_by_name(make) -> None:
    graph = make()
    first, *_, last = graph
    assert graph[first.name] is first
    assert graph[last.name] is last
    assert list(graph) == list(graph.layers)
    with pytest.raises(KeyError, match="nothing"):
        graph["nothing"]
    renamed = replace(graph, layers=(*graph.layers[:-1], replace(last, name="z")), outputs=("z",))
    assert renamed["z"] != last
    with pytest.raises(KeyError, match=last.name):
        renamed[last.name]


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_name_is_defined_once_and_before_it_is_read(make) -> None:
    graph = make()
    image, first, *others = graph.layers
    with pytest.raises(InvalidGraph, match=f"{first.name} reads \\['image'\\] before"):
        replace(graph, layers=(first, image, *others))
    with pytest.raises(InvalidGraph, match=f"{first.name} is defined twice"):
        replace(graph, layers=(image, first, first, *others))


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ((), "the graph has no output"),
        (("logits", "logits"), "logits is an output twice"),
        (("nothing",), "the output nothing is not defined"),
        (("image", "logits"), "the output image is a map"),
    ],
)
def test_outputs_are_results_that_leave_the_network(make, outputs, said) -> None:
    with pytest.raises(InvalidGraph) as caught:
        replace(make(), outputs=outputs)
    assert said in caught.value.violations


def test_every_classifier_is_an_output_in_order() -> None:
    b = GraphBuilder(0)
    x = b.gavg(b.conv(b.input(), 4))
    first, second = b.logits(x), b.logits(x, 5)
    graph = b.graph()
    assert graph.outputs == (first, second)
    with pytest.raises(InvalidGraph, match=f"{second} is a wide result, and no output"):
        replace(graph, outputs=(first,))
    with pytest.raises(InvalidGraph, match="computed in another order"):
        replace(graph, outputs=(second, first))


def test_the_image_is_the_first_layer_and_the_only_one() -> None:
    graph = resnet()
    image = graph.input
    with pytest.raises(InvalidGraph, match="begin with the image"):
        replace(graph, layers=(image, replace(image, name="other"), *graph.layers[1:]))
