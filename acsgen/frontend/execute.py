"""Runs a layer graph in floating point: for calibration, and to prove that lowering is faithful."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from acsgen.frontend.kinds import kind_of
from acsgen.frontend.kinds.base import Results
from acsgen.frontend.kinds.gate import gate_logits
from acsgen.ir import layers as ir

__all__ = ["gate_logits", "logit_sizes", "result_sizes", "run_layer", "run_layers"]

LayerT = TypeVar("LayerT", bound=ir.Layer)


def run_layers(
    graph: ir.LayerGraph,
    images: Tensor,
    masks: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Run the graph.

    Args:
        graph: the front end's result.
        images: uint8 pixels ``[N, C, H, W]``.
        masks: masks to use in place of the gates' own decisions, by gate name, ``[N, C]`` or
            ``[C]``.
        dtype: of the arithmetic and the results.

    Returns:
        The result of every layer by name: maps ``[N, C, H, W]`` (the input normalized), vectors,
        masks and logits ``[N, C]``.
    """
    images = images.to(dtype)
    results: dict[str, Tensor] = {}
    with torch.no_grad():
        for layer in graph:
            if masks is not None and layer.name in masks:
                mask = masks[layer.name].to(dtype)
                results[layer.name] = mask.expand(images.shape[0], *layer.shape)
            else:
                results[layer.name] = run_layer(layer, results, images, dtype)
    return results


def run_layer(layer: ir.Layer, results: Results, images: Tensor, dtype: torch.dtype) -> Tensor:
    """Run one layer on the results that it reads; an input layer reads ``images``."""
    return kind_of(layer).run(layer, results, images.to(dtype))


def result_sizes(layer: ir.Layer, results: Results, images: Tensor) -> Tensor:
    """The size that every sum of a layer would have if nothing in it cancelled, and no ReLU cut it.

    Floating-point rounding moves a result by a share of this, however small the result itself is.
    For a gate it is :func:`logit_sizes`.
    """
    kind = kind_of(layer)
    size = kind.run if kind.size is None else kind.size
    sizes = {name: value.abs() for name, value in results.items() if name in layer.inputs}
    return size(_without_signs(layer), sizes, images.to(torch.float64))


def logit_sizes(gate: ir.Gate, results: Results) -> Tensor:
    """:func:`result_sizes` of a gate's logits ``[N, C]``."""
    return gate_logits(_without_signs(gate), {gate.x: results[gate.x].abs()})


def _without_signs(layer: LayerT) -> LayerT:
    """The layer with the magnitudes of its constants (its scale and bias, for an input)."""
    arrays: dict[str, Any] = {
        field.name: np.abs(value)
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), np.ndarray)
    }
    return replace(layer, **arrays)
