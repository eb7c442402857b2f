"""The self check finds wrong layers, and lets rounding be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.frontend import layers_of
from acsgen.frontend.lower import lower
from acsgen.frontend.passes.fuse import Fused, fuse
from acsgen.frontend.passes.normalize import normalize_image
from acsgen.frontend.selfcheck import check_equivalence
from acsgen.support.errors import CheckFailed
from tests.frontend.compiled import program_of
from tests.nets.modules import Body, ConvBn, Net, PooledGate, randomized


def test_a_nearly_dead_layer_is_sound() -> None:
    """Pairs of channels cancel: large sums, of which nothing but rounding is left."""
    net = randomized(Net(Body(lambda s, x: F.relu(s.c(x)), c=nn.Conv2d(6, 6, 3, bias=False))))
    with torch.no_grad():
        for values in net.stem.state_dict().values():
            if values.dim() > 0:
                values[3:] = values[:3]
        net.body.c.weight[:, 3:] = -net.body.c.weight[:, :3]
    graph, _ = layers_of(program_of(net))
    assert any(layer.name == "body.c" for layer in graph)


def fused_network() -> tuple[Fused, tuple[object, object]]:
    body = Body(lambda s, x: F.relu(s.c(x)) * s.g(x), c=ConvBn(6, 6), g=PooledGate(6, 6))
    program = program_of(randomized(Net(body)))
    ops, exported, _ = lower(program)
    normalized, _ = normalize_image(ops, takes_floats=False)
    return fuse(normalized), (program, exported)


def changed(fused: Fused, name: str, **constants: np.ndarray) -> Fused:
    layers = tuple(
        replace(layer, **constants) if layer.name == name else layer for layer in fused.graph
    )
    return replace(fused, graph=replace(fused.graph, layers=layers))


def test_what_is_right_passes() -> None:
    fused, rest = fused_network()
    check_equivalence(fused, *rest)


@pytest.mark.parametrize("name", ["stem.0", "body.c.0", "fc"])
@pytest.mark.parametrize("constant", ["weight", "bias"])
def test_constants_that_are_off_by_one_percent_are_found(name: str, constant: str) -> None:
    fused, rest = fused_network()
    values: np.ndarray = getattr(fused.graph[name], constant) * 1.01
    with pytest.raises(CheckFailed, match=f"layer {name} "):
        check_equivalence(changed(fused, name, **{constant: values}), *rest)


def test_a_gate_that_decides_otherwise_is_found() -> None:
    fused, rest = fused_network()
    (gate,) = fused.graph.gates
    with pytest.raises(CheckFailed, match=f"gate {gate.name} "):
        check_equivalence(changed(fused, gate.name, weight=-gate.weight, bias=-gate.bias), *rest)
