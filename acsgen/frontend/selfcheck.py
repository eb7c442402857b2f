"""Proves on a few images that the layer graph computes the same as the exported program."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.export import ExportedProgram

from acsgen.frontend.execute import result_sizes, run_layer
from acsgen.frontend.kinds import kind_of
from acsgen.frontend.passes.fuse import Fused
from acsgen.importers.exported import run_program
from acsgen.importers.network import ImportedNetwork
from acsgen.ir import layers as ir
from acsgen.support.errors import CheckFailed


def check_equivalence(
    fused: Fused,
    program: ImportedNetwork,
    exported: ExportedProgram,
    images: int = 2,
    seed: int = 0,
) -> None:
    """Compare every layer's result, and every gate's decisions, on seeded random images.

    The program runs in its own precision, the layers in float64. Each layer reads the program's
    results, masks included, so that a difference is of one layer alone: rounding does not add up
    over the network, and one decision on the edge does not make the rest differ. How far rounding
    can move a result follows from the size of the terms, which in a nearly dead layer are far
    larger than their sum.

    Raises:
        CheckFailed: naming the first layer that differs.
    """
    generator = torch.Generator().manual_seed(seed)
    size = (images, *program.input_shape)
    pixels = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    for image in pixels:
        values = run_program(exported, program.as_input(image)).values
        expected = {name: _first(values[node]) for name, node in fused.nodes.items()}
        _compare(fused.graph, image, expected)


def _first(value: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The result proper of a node that also returns indices or statistics."""
    return value if isinstance(value, Tensor) else value[0]


def _compare(graph: ir.LayerGraph, image: Tensor, expected: dict[str, Tensor]) -> None:
    images = image.unsqueeze(0)
    results: dict[str, Tensor] = {}
    for layer in graph:
        computed = run_layer(layer, results, images, torch.float64)
        wanted = expected.get(layer.name)
        if wanted is None:
            results[layer.name] = computed
            continue
        wanted = _arranged(wanted.to(torch.float64), computed)
        sizes = result_sizes(layer, results, images)
        difference = kind_of(layer).differs(layer, computed, wanted, results, sizes)
        if difference is not None:
            raise CheckFailed(f"internal error: {difference}; please report this model")
        results[layer.name] = wanted


def _arranged(wanted: Tensor, computed: Tensor) -> Tensor:
    """The network's result in the shape of the layer's.

    A gate with one bit for all channels is a layer with that bit for each of them.
    """
    if wanted.numel() == 1:
        return wanted.reshape(1, -1).expand_as(computed)
    return wanted.reshape(computed.shape)
