"""Runs a layer graph in floating point: for calibration, and to prove that lowering is faithful."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from acsgen.ir import layers as ir
from acsgen.nn.ops import threshold_logit


def run_layers(
    graph: ir.LayerGraph,
    images: Tensor,
    masks: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Run the graph.

    Args:
        graph: what the front end made.
        images: uint8 pixels ``[N, C, H, W]``.
        masks: masks to use in place of the gates' own decisions, by gate name, ``[N, C]`` or
            ``[C]``.
        dtype: of the arithmetic and the results.

    Returns:
        The result of every layer by name: maps ``[N, C, H, W]`` (the input normalized), vectors,
        masks and logits ``[N, C]``.
    """
    results: dict[str, Tensor] = {}
    with torch.no_grad():
        for layer in graph:
            if masks is not None and layer.name in masks:
                mask = masks[layer.name].to(dtype)
                results[layer.name] = mask.expand(images.shape[0], *layer.shape)
            else:
                results[layer.name] = run_layer(layer, results, images, dtype)
    return results


def run_layer(
    layer: ir.Layer, results: Mapping[str, Tensor], images: Tensor, dtype: torch.dtype
) -> Tensor:
    """Run one layer on the results that it reads; an input layer reads ``images``."""
    if isinstance(layer, ir.Input):
        scale, offset = (_tensor(v, dtype)[:, None, None] for v in (layer.scale, layer.offset))
        return images.to(dtype) * scale + offset
    return _RULES[type(layer)](layer, results)


def result_sizes(layer: ir.Layer, results: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """What every sum of a layer would come to if nothing in it cancelled, and no ReLU cut it.

    Floating-point rounding moves a result by a share of this, however small the result itself is.
    """
    absolute = _without_signs(layer)
    sizes = {name: value.abs() for name, value in results.items() if name in layer.inputs}
    size = run_layer(absolute, sizes, images, torch.float64)
    # A sigmoid of nearly nothing is 0.5, and rounded like that.
    sigmoid = isinstance(layer, ir.Linear) and layer.activation == "sigmoid"
    return size.clamp(min=1.0) if sigmoid else size


def logit_sizes(gate: ir.Gate, results: Mapping[str, Tensor]) -> Tensor:
    """:func:`result_sizes` of a gate's logits ``[N, C]``."""
    absolute = _without_signs(gate)
    assert isinstance(absolute, ir.Gate)
    return gate_logits(absolute, {gate.x: results[gate.x].abs()})


def _without_signs(layer: ir.Layer) -> ir.Layer:
    """The layer with the magnitudes of its constants (its scale and bias, for an input)."""
    arrays: dict[str, Any] = {
        field.name: np.abs(value)
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), np.ndarray)
    }
    if isinstance(layer, ir.Linear):
        return replace(layer, **arrays, activation="none")
    return replace(layer, **arrays)


def gate_logits(gate: ir.Gate, results: Mapping[str, Tensor]) -> Tensor:
    """The logits ``[N, C]`` that a gate compares with its threshold."""
    return _affine(gate, results)


def _tensor(array: ir.FloatArray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(array).to(dtype)


def _affine(layer: ir.Linear | ir.Logits | ir.Gate, results: Mapping[str, Tensor]) -> Tensor:
    x = results[layer.x]
    return F.linear(x, _tensor(layer.weight, x.dtype), _tensor(layer.bias, x.dtype))


def _channels(vector: Tensor) -> Tensor:
    return vector[:, :, None, None]


def _finish(y: Tensor, layer: ir.Conv | ir.Eltwise, results: Mapping[str, Tensor]) -> Tensor:
    if layer.residual is not None:
        y = y + results[layer.residual]
    return torch.relu(y) if layer.relu else y


def _conv(layer: ir.Conv, results: Mapping[str, Tensor]) -> Tensor:
    x = results[layer.x]
    y = F.conv2d(
        x,
        _tensor(layer.weight, x.dtype),
        _tensor(layer.bias, x.dtype),
        stride=layer.stride,
        padding=layer.pad,
        groups=layer.groups,
    )
    if layer.mask is not None:
        masked = _tensor(layer.masked_bias, x.dtype)[None, :, None, None]
        y = torch.where(_channels(results[layer.mask]) > 0, y, masked)
    return _finish(y, layer, results)


def _eltwise(layer: ir.Eltwise, results: Mapping[str, Tensor]) -> Tensor:
    y = results[layer.x]
    if layer.mask is not None:
        y = y * _channels(results[layer.mask])
    return _finish(y, layer, results)


def _pool(layer: ir.Pool, results: Mapping[str, Tensor]) -> Tensor:
    x, window = results[layer.x], (layer.kernel, layer.stride, layer.pad)
    return F.max_pool2d(x, *window) if layer.mode == "max" else F.avg_pool2d(x, *window)


def _linear(layer: ir.Linear, results: Mapping[str, Tensor]) -> Tensor:
    y = _affine(layer, results)
    if layer.activation == "relu":
        return torch.relu(y)
    return torch.sigmoid(y) if layer.activation == "sigmoid" else y


def _gate(layer: ir.Gate, results: Mapping[str, Tensor]) -> Tensor:
    logits = gate_logits(layer, results)
    return (logits > threshold_logit(layer.threshold)).to(logits.dtype)


def _scale(layer: ir.Scale, results: Mapping[str, Tensor]) -> Tensor:
    return results[layer.x] * _channels(results[layer.vector])


def _global_avg(layer: ir.GlobalAvg, results: Mapping[str, Tensor]) -> Tensor:
    return results[layer.x].mean((2, 3))


def _flatten(layer: ir.Flatten, results: Mapping[str, Tensor]) -> Tensor:
    return results[layer.x].flatten(1)


_RULES: dict[type[ir.Layer], Callable[[Any, Mapping[str, Tensor]], Tensor]] = {
    ir.Conv: _conv,
    ir.Eltwise: _eltwise,
    ir.Pool: _pool,
    ir.GlobalAvg: _global_avg,
    ir.Flatten: _flatten,
    ir.Linear: _linear,
    ir.Logits: _affine,
    ir.Gate: _gate,
    ir.Scale: _scale,
}
