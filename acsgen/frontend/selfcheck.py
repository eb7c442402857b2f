"""Proves on a few images that the layer graph computes what the exported program computes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.export import ExportedProgram

from acsgen.frontend.execute import gate_logits, logit_sizes, result_sizes, run_layer
from acsgen.frontend.passes.fuse import Fused
from acsgen.importers.exported import run_program
from acsgen.importers.loaded import LoadedProgram
from acsgen.ir import layers as ir
from acsgen.nn.ops import threshold_logit
from acsgen.support.errors import CheckFailed

TOLERANCE = 1e-4
"""Largest allowed difference, as a share of the size of what the result is summed up from."""


def check_equivalence(
    fused: Fused, program: LoadedProgram, exported: ExportedProgram, images: int = 2, seed: int = 0
) -> None:
    """Compare every layer's result, and every gate's decisions, on seeded random images.

    The program runs in its own precision, the layers in float64. Each layer reads what the program
    computed, masks included, so that a difference is of one layer alone: rounding does not add up
    over the network, and one decision on the edge does not make the rest differ. How far rounding
    can move a result follows from the size of what is summed, which in a nearly dead layer is far
    larger than what is left of it.

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
    results: dict[str, Tensor] = {}
    for layer in graph:
        computed = run_layer(layer, results, image.unsqueeze(0), torch.float64)
        wanted = expected.get(layer.name)
        if wanted is None:
            results[layer.name] = computed
            continue
        wanted = wanted.to(torch.float64)
        if isinstance(layer, ir.Gate):  # one bit for all channels is one for each of them here
            wanted = wanted.reshape(1, -1).expand_as(computed)
        else:
            wanted = wanted.reshape(computed.shape)
        if isinstance(layer, ir.Gate):
            _compare_gate(layer, results, wanted)
        else:
            sizes = result_sizes(layer, results, image.unsqueeze(0))
            _compare_values(layer, computed, wanted, sizes)
        results[layer.name] = wanted


def _compare_values(layer: ir.Layer, result: Tensor, wanted: Tensor, sizes: Tensor) -> None:
    difference = float((result - wanted).abs().max())
    size = float(sizes.max())
    if not difference <= TOLERANCE * size:
        raise CheckFailed(
            f"internal error: layer {layer.name} ({layer.where}) differs from the network by "
            f"{difference:.3g} where sums of values that reach {size:.3g} are taken; "
            "please report this model"
        )


def _compare_gate(gate: ir.Gate, results: dict[str, Tensor], mask: Tensor) -> None:
    logits = gate_logits(gate, results)
    threshold = threshold_logit(gate.threshold)
    differs = (logits > threshold) != (mask > 0)
    margin = (logits - threshold).abs()[differs]
    limit = TOLERANCE * max(1.0, float(logit_sizes(gate, results).max()))
    if bool((margin > limit).any()):
        raise CheckFailed(
            f"internal error: gate {gate.name} ({gate.where}) decides otherwise than the network; "
            "please report this model"
        )
