"""The integer contract once more, in plain Python integers and loops.

Written from the docstring of ``acsgen.ir.integer`` alone; shares no arithmetic with the package.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from acsgen.ir import integer as ir
from acsgen.ir.kinds.join import IntJoin
from acsgen.ir.masks import ChannelMask


def _bit(mask: ChannelMask, channel: int, results: dict[str, np.ndarray]) -> int:
    """The bit of a channel: of the slice that it is in."""
    for part in mask:
        if channel < part.count:
            return 1 if part.mask is None else int(results[part.mask][part.first + channel])
        channel -= part.count
    raise IndexError(channel)


def _sign(layer: ir.IntLayer, channel: int) -> bool:
    signed = layer.format.signed
    return signed[channel] if isinstance(signed, tuple) else signed


def half_away(value: int, shift: int) -> int:
    magnitude = math.floor(Fraction(abs(value), 2**shift) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


def requantize(value: int, shift: int, signed: bool) -> int:
    low, high = (-128, 127) if signed else (0, 255)
    return min(max(half_away(value, shift), low), high)


def run(graph: ir.IntGraph, image: np.ndarray, thresholds: Any = None) -> dict[str, np.ndarray]:
    """Results of one image ``[C, H, W]`` by layer name, as arrays of Python integers."""
    results = {graph.input.name: image.astype(object)}
    for layer in graph.layers[1:]:
        bounds = (thresholds or {}).get(layer.name)
        results[layer.name] = layer_result(layer, graph.layers[0], results, bounds)
    return results


def layer_result(
    layer: ir.IntLayer, image_layer: ir.IntLayer, results: dict[str, np.ndarray], bounds: Any = None
) -> np.ndarray:
    if isinstance(layer, ir.IntConv):
        return _conv(layer, image_layer, results)
    if isinstance(layer, ir.IntEltwise):
        return _eltwise(layer, results)
    if isinstance(layer, ir.IntConcat):
        return np.concatenate([results[name] for name in layer.maps])
    if isinstance(layer, IntJoin):
        return np.concatenate([results[name] for name in layer.vectors])
    x = results[layer.inputs[0]]
    if isinstance(layer, ir.IntPool):
        return _pool(layer, x)
    if isinstance(layer, ir.IntGlobalAvg):
        sums = [sum(channel.ravel().tolist()) * layer.mult for channel in x]
        return _array([requantize(s, layer.shift, _sign(layer, c)) for c, s in enumerate(sums)])
    if isinstance(layer, ir.IntFlatten):
        return x.reshape(-1)
    if isinstance(layer, ir.IntScale):
        vector = results[layer.vector]
        y = np.empty(x.shape, object)
        for c, i, j in np.ndindex(*x.shape):
            product = x[c, i, j] * vector[c] * layer.mult
            y[c, i, j] = requantize(product, layer.shift, _sign(layer, c))
        return y
    assert isinstance(layer, (ir.IntLinear, ir.IntLogits, ir.IntGate))
    acc = [
        int(layer.bias[o]) + sum(int(w) * v for w, v in zip(layer.weight[o], x, strict=True))
        for o in range(len(layer.bias))
    ]
    assert all(-(2**31) <= a < 2**31 for a in acc)
    if isinstance(layer, ir.IntGate):
        limits = layer.threshold if bounds is None else bounds
        return _array([int(a > int(t)) for a, t in zip(acc, limits, strict=True)])
    scaled = [(a * int(m), int(s)) for a, m, s in zip(acc, layer.mult, layer.shift, strict=True)]
    if isinstance(layer, ir.IntLogits):
        return _array([half_away(v, s) for v, s in scaled])
    if layer.sigmoid:
        arguments = [requantize(v, s, True) for v, s in scaled]
        exact = [256 / (1 + math.exp(-q / 16)) for q in arguments]
        return _array([min(math.floor(e + 0.5), 255) for e in exact])
    return _array([requantize(v, s, _sign(layer, o)) for o, (v, s) in enumerate(scaled)])


def _array(values: list[int]) -> np.ndarray:
    return np.array(values, object)


def _conv(layer: ir.IntConv, image_layer: ir.IntLayer, results: dict) -> np.ndarray:
    x = results[layer.x]
    outs, group_ins, kernel, _ = layer.weight.shape
    group_outs = outs // layer.groups
    reads_image = isinstance(image_layer, ir.IntInput) and image_layer.name == layer.x
    border = image_layer.pad_value if reads_image else [0] * len(x)
    y = np.empty(layer.shape, object)
    for o, i, j in np.ndindex(*layer.shape):
        acc = int(layer.bias[o])
        for k, u, v in np.ndindex(group_ins, kernel, kernel):
            c = (o // group_outs) * group_ins + k
            row, column = i * layer.stride + u - layer.pad, j * layer.stride + v - layer.pad
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                pixel = x[c, row, column]
            else:
                pixel = int(border[c])
            acc += int(layer.weight[o, k, u, v]) * pixel
            assert -(2**31) <= acc < 2**31
        if layer.mask and not _bit(layer.mask, o, results):
            acc = int(layer.masked_bias[o])
        total = acc * int(layer.mult[o])
        if layer.residual is not None:
            total += results[layer.residual][o, i, j] * layer.res_mult << (int(layer.shift[o]) - 14)
        y[o, i, j] = requantize(total, int(layer.shift[o]), _sign(layer, o))
    return y


def _eltwise(layer: ir.IntEltwise, results: dict) -> np.ndarray:
    x = results[layer.x]
    y = np.empty(x.shape, object)
    for c, i, j in np.ndindex(*x.shape):
        active = not layer.mask or _bit(layer.mask, c, results)
        total = x[c, i, j] * layer.mult if active else 0
        if layer.residual is not None:
            total += results[layer.residual][c, i, j] * layer.res_mult << (layer.shift - 14)
        y[c, i, j] = requantize(total, layer.shift, _sign(layer, c))
    return y


def _pool(layer: ir.IntPool, x: np.ndarray) -> np.ndarray:
    y = np.empty(layer.shape, object)
    for c, i, j in np.ndindex(*layer.shape):
        top, left = i * layer.stride - layer.pad, j * layer.stride - layer.pad
        valid = [
            x[c, row, column]
            for row in range(max(top, 0), min(top + layer.kernel, x.shape[1]))
            for column in range(max(left, 0), min(left + layer.kernel, x.shape[2]))
        ]
        if layer.mode == "max":
            y[c, i, j] = max(valid)
        else:
            y[c, i, j] = requantize(sum(valid) * layer.mult, layer.shift, _sign(layer, c))
    return y
