"""Integer graphs of PyTorch modules, by the whole road of a build."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from acsgen.frontend import front_end
from acsgen.ir.integer import IntGraph
from acsgen.quant.quantize import QuantizationWarning, quantize
from tests.nets.images import patches
from tests.nets.modules import Shape, export, randomized


def integer_network(module: nn.Module, shape: Shape, folder: Path, seed: int = 0) -> IntGraph:
    """Random weights, a .pt2 file, the front end, quantization."""
    path = folder / "network.pt2"
    torch.export.save(export(randomized(module, seed), shape), path)
    graph, _ = front_end(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QuantizationWarning)
        return quantize(graph, patches(shape, 6, seed))
