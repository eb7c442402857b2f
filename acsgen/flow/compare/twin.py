"""The ungated twin: a network without its gates, as layers of PyTorch that other tools read.

Gates have no counterpart in other tools.  What is compared is therefore the network that is left
when every gate is open, in acsgen and elsewhere from the same weights, batch norms folded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from acsgen.frontend import run_layers
from acsgen.ir import layers as ir
from acsgen.ir.kinds.join import Join
from acsgen.support.errors import CheckFailed

#: Images that the twin is tried on.
_TRIED = 4


def require_twin(graph: ir.LayerGraph, twin: ir.LayerGraph, images: NDArray[np.uint8]) -> None:
    """Try whether a network computes the same with open gates as its twin without them.

    Raises:
        CheckFailed: it does not.
    """
    pixels = torch.from_numpy(np.array(images[:_TRIED]))
    opened = {gate.name: torch.ones(gate.shape) for gate in graph.gates}
    answer = graph.outputs[-1]
    with_gates = run_layers(graph, pixels, opened, torch.float64)[answer]
    without = run_layers(twin, pixels, None, torch.float64)[answer]
    if not torch.allclose(with_gates, without, rtol=1e-6, atol=1e-9):
        raise CheckFailed(f"{graph.name} without its gates is not what open gates leave of it")


class TorchTwin(nn.Module):
    """A layer graph without gates as modules of PyTorch, for normalized images ``[N, C, H, W]``.

    Args:
        graph: of :func:`acsgen.ir.ungate.without_gates`; its answer is the module's only result.
    """

    def __init__(self, graph: ir.LayerGraph) -> None:
        super().__init__()
        self.steps: list[tuple[str, Callable[[dict[str, Any]], Any]]] = []
        self.source = graph.input.name
        self.answer = graph.outputs[-1]
        for layer in _needed(graph):
            if not isinstance(layer, ir.Input):
                self._add(layer, graph)

    def forward(self, x: Tensor) -> Tensor:
        """Normalized images ``[N, C, H, W]`` to logits ``[N, classes]``."""
        results: dict[str, Any] = {self.source: x}
        for name, step in self.steps:
            results[name] = step(results)
        answer: Tensor = results[self.answer]
        return answer

    def _module(self, layer: ir.Layer, kind: str, module: nn.Module) -> nn.Module:
        """Register a module under the layer's name, as other tools can use it in their sources."""
        name = re.sub(r"\W+", "_", f"{layer.name}_{kind}").strip("_").lower()
        self.add_module(name, module.eval())
        return module

    def _add(self, layer: ir.Layer, graph: ir.LayerGraph) -> None:
        modules = [*self._modules_of(layer, graph)]
        x = layer.inputs[0]
        residual = getattr(layer, "residual", None)
        after = self._activation(layer)

        def step(results: dict[str, Any]) -> Any:
            y = results[x]
            for module in modules:
                y = module(y)
            if isinstance(layer, (ir.Concat, Join)):
                y = torch.cat([results[name] for name in layer.inputs], dim=1)
            if isinstance(layer, ir.Scale):
                y = torch.mul(y, results[layer.vector])
            if residual is not None:
                y = torch.add(y, results[residual])
            return y if after is None else after(y)

        self.steps.append((layer.name, step))

    def _modules_of(self, layer: ir.Layer, graph: ir.LayerGraph) -> Iterator[nn.Module]:
        if isinstance(layer, ir.Conv):
            outs, ins, kernel, _ = layer.weight.shape
            conv = nn.Conv2d(
                ins * layer.groups,
                outs,
                kernel,
                layer.stride,
                layer.pad,
                groups=layer.groups,
            )
            yield self._module(layer, "conv", _with_weights(conv, layer.weight, layer.bias))
        elif isinstance(layer, ir.FullyConnected):
            linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
            yield self._module(layer, "linear", _with_weights(linear, layer.weight, layer.bias))
        elif isinstance(layer, ir.Pool):
            kind = nn.MaxPool2d if layer.mode == "max" else nn.AvgPool2d
            pool = kind(layer.kernel, layer.stride, layer.pad)
            yield self._module(layer, "pool", pool)
        elif isinstance(layer, ir.GlobalAvg):
            height, width = graph[layer.x].shape[1:]
            yield self._module(layer, "mean", nn.AvgPool2d((height, width)))
            yield self._module(layer, "flatten", nn.Flatten())
        elif isinstance(layer, ir.Flatten):
            yield self._module(layer, "flatten", nn.Flatten())

    def _activation(self, layer: ir.Layer) -> nn.Module | None:
        name = getattr(layer, "activation", "relu" if getattr(layer, "relu", False) else "none")
        clip = getattr(layer, "clip", None)
        if name == "sigmoid":
            return self._module(layer, "sigmoid", nn.Sigmoid())
        if clip is not None:
            return self._module(layer, "clip", nn.Hardtanh(0.0, clip))
        return self._module(layer, "relu", nn.ReLU()) if name == "relu" else None


def _needed(graph: ir.LayerGraph) -> list[ir.Layer]:
    """Return the layers that the answer needs."""
    needed = {graph.outputs[-1]}
    for layer in reversed(graph.layers):
        if layer.name in needed:
            needed.update(layer.inputs)
    return [layer for layer in graph if layer.name in needed or isinstance(layer, ir.Input)]


def _with_weights(module: Any, weight: ir.FloatArray, bias: ir.FloatArray) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(np.array(weight, np.float32)))
        module.bias.copy_(torch.from_numpy(np.array(bias, np.float32)))
    found: nn.Module = module
    return found


def normalized(graph: ir.LayerGraph, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images as the twin takes them, float32 ``[N, C, H, W]``."""
    scale, offset = (
        np.asarray(v, np.float64)[:, None, None] for v in (graph.input.scale, graph.input.offset)
    )
    return np.asarray(images * scale + offset, np.float32)
