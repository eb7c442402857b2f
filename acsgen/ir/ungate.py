"""The same network without its gates: what skipping is measured against."""

from __future__ import annotations

from acsgen.ir.gating import gate_layers
from acsgen.ir.integer import IntGraph


def without_gates(graph: IntGraph) -> IntGraph:
    """Return ``graph`` with every mask taken off and the layers that work for gates removed."""
    for_gates = gate_layers(graph)
    layers = (layer.unmasked() for layer in graph if layer.name not in for_gates)
    return IntGraph(graph.name, tuple(layers), graph.outputs)
