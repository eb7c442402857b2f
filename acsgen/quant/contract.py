"""What an integer graph must satisfy so that no executor overflows: the contract, checked.

The golden model refuses a graph that breaks it, and the quantizer never makes one.
"""

from __future__ import annotations

from acsgen.ir.integer import IntGraph
from acsgen.quant.kinds import kind_of
from acsgen.quant.ranges import WEIGHT_MAX

__all__ = ["WEIGHT_MAX", "violations"]


def violations(graph: IntGraph) -> list[str]:
    """Every way in which ``graph`` leaves the ranges of :mod:`acsgen.ir.integer`, in words."""
    sources = {layer.name: layer for layer in graph}
    return [
        f"{layer.name}: {text}"
        for layer in graph
        for text in kind_of(layer).violations(layer, sources)
    ]
