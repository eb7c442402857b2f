"""The same network without its gates: what skipping is measured against."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from acsgen.ir.gating import gate_layers
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph

GraphT = TypeVar("GraphT", IntGraph, LayerGraph)


def without_gates(graph: GraphT) -> GraphT:
    """Return ``graph`` with every mask taken off and the layers that work for gates removed."""
    for_gates = gate_layers(graph)
    layers = tuple(layer.unmasked() for layer in graph if layer.name not in for_gates)
    return replace(graph, layers=layers)
