"""Both graphs check their names, and find layers by them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acsgen.ir.integer import IntFlatten, IntGraph
from acsgen.ir.layers import Flatten, LayerGraph

pytestmark = pytest.mark.unit


def floats(name: str, x: str) -> Flatten:
    return Flatten(name, "net", (4,), x)


def integers(name: str, x: str) -> IntFlatten:
    return IntFlatten(name, "net", (4,), Format(1.0, False), x)


@pytest.mark.parametrize(("graph", "layer"), [(LayerGraph, floats), (IntGraph, integers)])
def test_names_are_checked(graph: type, layer: type) -> None:
    with pytest.raises(ValueError, match=r"^b reads \['a'\] before they are defined$"):
        graph("net", (layer("b", "a"),))
    with pytest.raises(ValueError, match=r"^a reads \['a'\] before they are defined$"):
        graph("net", (layer("a", "a"),))
    rootless = type("Rootless", (type(layer("a", "a")),), {"READS": ()})
    first = rootless(**vars(layer("a", "")))
    with pytest.raises(ValueError, match=r"^a is defined twice$"):
        graph("net", (first, layer("a", "a")))


@pytest.mark.parametrize(("graph", "layer"), [(LayerGraph, floats), (IntGraph, integers)])
def test_layers_are_found_by_name(graph: type, layer: type) -> None:
    rootless = type("Rootless", (type(layer("a", "a")),), {"READS": ()})
    first, second = rootless(**vars(layer("a", ""))), layer("b", "a")
    made = graph("net", (first, second))
    assert made["b"] is second
    assert list(made) == [first, second]
    with pytest.raises(KeyError, match="c"):
        made["c"]
    assert replace(made, layers=(first,)).layers == (first,)
    with pytest.raises(KeyError, match="b"):
        replace(made, layers=(first,))["b"]
