"""Compiles a module by the front end, and compares the result with the module itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acsgen.frontend import layers_of, run_layers
from acsgen.importers.network import ImportedNetwork, imported_network
from acsgen.ir.layers import Layer, LayerGraph
from acsgen.support.errors import Problem, UserError
from tests.nets.images import noise
from tests.nets.modules import SHAPE, Body, Net, export, randomized


def net(
    forward: Callable[[Any, Tensor], Any], outputs: int | None = None, **layers: nn.Module
) -> Any:
    """A network around a forward function over named layers, with random weights."""
    return randomized(Net(Body(forward, **layers), outputs=outputs))


def program_of(
    module: nn.Module, shape: tuple[int, ...] = SHAPE, dtype: torch.dtype = torch.uint8
) -> ImportedNetwork:
    return imported_network(Path("net.pt2"), export(module, shape, dtype), {}, "pt2")


def compiled(
    module: nn.Module,
    shape: tuple[int, ...] = SHAPE,
    dtype: torch.dtype = torch.uint8,
    scale: float = 1.0,
) -> LayerGraph:
    """Compile and compare with the module itself, run by PyTorch on pixels times ``scale``."""
    graph, program = layers_of(program_of(module, shape, dtype))
    images = torch.from_numpy(noise(program.input_shape, 3, seed=1))
    inputs = images.to(dtype) if scale == 1.0 else images.to(dtype) * scale
    with torch.no_grad():
        expected = torch.cat([module(image.unsqueeze(0)).reshape(1, -1) for image in inputs])
    results = run_layers(graph, images, dtype=torch.float64)
    torch.testing.assert_close(results[graph.outputs[-1]].float(), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(program.logits(images), expected, rtol=1e-4, atol=1e-4)
    return graph


def kinds(graph: LayerGraph) -> str:
    """The kinds of layers in order, e.g. ``Input Conv Logits``."""
    return " ".join(type(layer).__name__ for layer in graph)


def only(graph: LayerGraph, kind: type[Layer], name: str = "") -> Any:
    """The one layer of a kind whose name contains ``name``."""
    found = [layer for layer in graph if isinstance(layer, kind) and name in layer.name]
    assert len(found) == 1, found
    return found[0]


def refusals(
    module: nn.Module, shape: tuple[int, ...] = SHAPE, dtype: torch.dtype = torch.uint8
) -> tuple[Problem, ...]:
    """The problems for which a network is refused."""
    program = program_of(module, shape, dtype)
    try:
        layers_of(program)
    except UserError as error:
        return error.problems
    raise AssertionError("the network was accepted")
