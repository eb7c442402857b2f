"""Describes a layer graph in plain values, for ``--keep-stages`` and for people."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np

from acsgen.ir.layers import Layer, LayerGraph
from acsgen.ir.masks import MaskSlice


def describe(graph: LayerGraph) -> dict[str, Any]:
    """The graph as values that JSON can hold; arrays are summed up by shape, range and zeros."""
    layers = [_describe_layer(layer) for layer in graph]
    return {"name": graph.name, "layers": layers, "outputs": list(graph.outputs)}


def _describe_layer(layer: Layer) -> dict[str, Any]:
    values = {f.name: _plain(getattr(layer, f.name)) for f in fields(layer)}
    return {"kind": type(layer).__name__, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {
            "shape": list(value.shape),
            "min": float(value.min()),
            "max": float(value.max()),
            "zeros": int(value.size - np.count_nonzero(value)),
        }
    if isinstance(value, MaskSlice):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
