"""The same network without its gates: what skipping is measured against."""

from __future__ import annotations

from dataclasses import replace

from acsgen.ir.integer import IntConv, IntEltwise, IntGraph, IntLayer


def without_gates(graph: IntGraph) -> IntGraph:
    """Return ``graph`` with every mask taken off and the layers that only served gates removed."""
    layers: list[IntLayer] = []
    needed = {graph.logits.name, graph.input.name}
    for layer in reversed(graph.layers):
        if layer.name not in needed:
            continue
        if isinstance(layer, (IntConv, IntEltwise)):
            layer = replace(layer, mask=None)
        needed.update(layer.inputs)
        layers.append(layer)
    return IntGraph(graph.name, tuple(reversed(layers)))
