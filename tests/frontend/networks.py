"""Small networks and helpers for the front end's tests."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.frontend import compile_program, run_layers
from acsgen.importers.loaded import LoadedProgram, loaded_program
from acsgen.ir.layers import Layer, LayerGraph
from acsgen.nn import ChannelGate, Normalize
from acsgen.support.errors import Problem, UserError

torch.set_num_threads(1)

SHAPE = (3, 8, 8)


def conv_bn(inputs: int, outputs: int, kernel: int = 3, **options: Any) -> nn.Sequential:
    """A convolution and a batch norm."""
    options.setdefault("padding", kernel // 2)
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, **options), nn.BatchNorm2d(outputs))


class Gate(nn.Module):
    """Global average, a linear layer and a gate; random weights open about half of the channels."""

    def __init__(self, inputs: int, outputs: int, threshold: float = 0.5) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc(x.mean((2, 3))))


class Net(nn.Module):
    """Normalization, a stem to ``width`` channels, ``body`` (map to map) and a classifier."""

    def __init__(self, body: nn.Module, width: int = 6, outputs: int | None = None) -> None:
        super().__init__()
        self.normalize = Normalize((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
        self.stem = conv_bn(3, width)
        self.body = body
        self.fc = nn.Linear(outputs or width, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(F.relu(self.stem(self.normalize(x))))
        return self.fc(x.mean((2, 3)))


class Body(nn.Module):
    """A forward function over named layers."""

    def __init__(self, forward: Callable[[Any, Tensor], Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._forward = forward

    def forward(self, x: Tensor) -> Any:
        return self._forward(self, x)


def randomized(module: nn.Module, seed: int = 0) -> nn.Module:
    """``module`` in eval mode with random weights and batch norm statistics."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d)) and part.track_running_stats:
            part.running_mean.normal_(0.0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2.0, generator=generator)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
                nn.init.normal_(part.bias, 0.0, 0.5, generator=generator)
        elif isinstance(part, (nn.Conv2d, nn.Linear)):
            spread = 1.5 / part.weight[0].numel() ** 0.5
            nn.init.normal_(part.weight, 0.0, spread, generator=generator)
            if part.bias is not None:
                nn.init.normal_(part.bias, 0.0, 0.3, generator=generator)
    return module.eval()


def export(
    module: nn.Module,
    shape: tuple[int, ...] = SHAPE,
    dtype: torch.dtype = torch.uint8,
    **options: Any,
) -> torch.export.ExportedProgram:
    example = torch.zeros(1, *shape, dtype=dtype)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return torch.export.export(module, (example,), strict=False, **options)


def program_of(
    module: nn.Module, shape: tuple[int, ...] = SHAPE, dtype: torch.dtype = torch.uint8
) -> LoadedProgram:
    return loaded_program(Path("net.pt2"), export(module, shape, dtype), {}, "pt2")


def images_of(shape: tuple[int, ...], count: int = 3, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.uint8)


def compiled(
    module: nn.Module,
    shape: tuple[int, ...] = SHAPE,
    dtype: torch.dtype = torch.uint8,
    scale: float = 1.0,
) -> LayerGraph:
    """Compile and compare with the module itself, run by PyTorch on pixels times ``scale``."""
    graph, program = compile_program(program_of(module, shape, dtype))
    images = images_of(program.input_shape)
    inputs = images.to(dtype) if scale == 1.0 else images.to(dtype) * scale
    with torch.no_grad():
        expected = torch.cat([module(image.unsqueeze(0)).reshape(1, -1) for image in inputs])
    results = run_layers(graph, images, dtype=torch.float64)
    torch.testing.assert_close(
        results[graph.layers[-1].name].float(), expected, rtol=1e-4, atol=1e-4
    )
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
        compile_program(program)
    except UserError as error:
        return error.problems
    raise AssertionError("the network was accepted")
