"""Proves on a few images that the layer graph computes what the exported program computes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.export import ExportedProgram

from acsgen.frontend.execute import gate_logits, run_layers
from acsgen.frontend.passes.fuse import Fused
from acsgen.importers.exported import run_program
from acsgen.importers.loaded import LoadedProgram
from acsgen.ir import layers as ir
from acsgen.nn.ops import threshold_logit
from acsgen.support.errors import CheckFailed

TOLERANCE = 1e-3
"""Largest allowed difference, as a share of the largest value of the result compared."""


def check_equivalence(
    fused: Fused, program: LoadedProgram, exported: ExportedProgram, images: int = 2, seed: int = 0
) -> None:
    """Compare every layer's result, and every gate's decisions, on seeded random images.

    The program runs in its own precision, the layers in float64 with the program's masks, so that
    one decision on the edge does not make the rest differ.

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
    masks = {
        gate.name: expected[gate.name].reshape(1, -1).expand(1, *gate.shape) for gate in graph.gates
    }
    results = run_layers(graph, image.unsqueeze(0), masks, torch.float64)
    for layer in graph:
        if isinstance(layer, ir.Gate):
            _compare_gate(layer, gate_logits(layer, results), masks[layer.name])
        elif layer.name in expected:
            _compare_values(layer, results[layer.name], expected[layer.name])


def _compare_values(layer: ir.Layer, result: Tensor, wanted: Tensor) -> None:
    difference = (result.reshape(-1) - wanted.reshape(-1).to(torch.float64)).abs().max()
    span = max(float(wanted.abs().max()), 1e-6)
    if not float(difference) <= TOLERANCE * span:
        raise CheckFailed(
            f"internal error: layer {layer.name} ({layer.where}) differs from the network by "
            f"{float(difference):.3g} where its values reach {span:.3g}; please report this model"
        )


def _compare_gate(gate: ir.Gate, logits: Tensor, mask: Tensor) -> None:
    threshold = threshold_logit(gate.threshold)
    differs = (logits > threshold) != (mask > 0)
    margin = (logits - threshold).abs()[differs]
    limit = TOLERANCE * max(1.0, float(logits.abs().max()))
    if bool((margin > limit).any()):
        raise CheckFailed(
            f"internal error: gate {gate.name} ({gate.where}) decides otherwise than the network; "
            "please report this model"
        )
