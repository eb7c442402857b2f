"""The layer graph: a trained network in floats, batch norms folded and everything fused that the
engine runs as one instruction.

Made by :mod:`acsgen.frontend`, read by :mod:`acsgen.quant`.  Shapes leave the batch out: a *map* is
``(C, H, W)``, a *vector* ``(C,)``, a *mask* ``(C,)`` of 0/1; the mask of a map is made of slices of
these (:mod:`acsgen.ir.masks`).

Every layer has one result, named like the layer.  ``where`` is the module path in the user's
network, for messages.  Arrays are float64 or float32 numpy, in PyTorch's layouts.  The kinds of
layers are files of :mod:`acsgen.ir.kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.graph import Graph
from acsgen.ir.kinds._vectors import FullyConnected
from acsgen.ir.kinds.base import FloatArray, Layer
from acsgen.ir.kinds.concat import Concat
from acsgen.ir.kinds.conv import Conv
from acsgen.ir.kinds.eltwise import Eltwise
from acsgen.ir.kinds.entropy import Entropy
from acsgen.ir.kinds.exit import Exit
from acsgen.ir.kinds.flatten import Flatten
from acsgen.ir.kinds.gate import Gate
from acsgen.ir.kinds.global_avg import GlobalAvg
from acsgen.ir.kinds.input import Input
from acsgen.ir.kinds.linear import Linear
from acsgen.ir.kinds.logits import Logits
from acsgen.ir.kinds.pool import Pool
from acsgen.ir.kinds.scale import Scale

__all__ = [
    "Concat",
    "Conv",
    "Eltwise",
    "Entropy",
    "Exit",
    "Flatten",
    "FloatArray",
    "FullyConnected",
    "Gate",
    "GlobalAvg",
    "Input",
    "Layer",
    "LayerGraph",
    "Linear",
    "Logits",
    "Pool",
    "Scale",
]


@dataclass(frozen=True)
class LayerGraph(Graph[Layer]):
    """Layers in execution order; ``layers[0]`` is the :class:`Input`."""

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates, in execution order."""
        return tuple(layer for layer in self.layers if isinstance(layer, Gate))

    @property
    def input(self) -> Input:
        """The image."""
        first = self.layers[0]
        assert isinstance(first, Input)
        return first
