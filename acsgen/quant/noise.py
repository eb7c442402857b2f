"""Measures the noise that quantization adds, layer by layer.

The float network takes the integer network's masks here: a gate that decides otherwise is a matter
of agreement, and would hide the noise of the layers behind it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from acsgen.frontend import run_layers
from acsgen.ir.grammar import Stores
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.noise import LayerNoise
from acsgen.quant.golden import GoldenModel

#: Images that the noise is measured on: enough for a mean square.
NOISE_IMAGES = 32

#: Ratios are capped here, in decibels; a result without noise has it.
HIGHEST_DB = 99.0

_BATCH = 16


def layer_noise(
    layers: LayerGraph, integers: IntGraph, images: NDArray[np.uint8]
) -> tuple[LayerNoise, ...]:
    """Measure the noise of every layer that stores numbers, in execution order.

    Args:
        layers: the network in floats.
        integers: its integer form.
        images: uint8 ``[N, C, H, W]``.
    """
    golden = GoldenModel(integers)
    measured = [
        layer
        for layer in integers.layers[1:]
        if layer.stores is not Stores.MASK and layer.name in {item.name for item in layers}
    ]
    signal = {layer.name: np.zeros(layer.shape[0]) for layer in measured}
    noise = {layer.name: np.zeros(layer.shape[0]) for layer in measured}
    for start in range(0, len(images), _BATCH):
        part = np.array(images[start : start + _BATCH])
        result = golden.run(part)
        masks = {name: torch.from_numpy(bits) for name, bits in result.masks.items()}
        floating = run_layers(layers, torch.from_numpy(part), masks)
        for layer in measured:
            channels = layer.shape[0]
            real = floating[layer.name].double().numpy().reshape(len(part), channels, -1)
            scales = layer.format.scales(channels)[:, None]
            exact = np.asarray(result.values[layer.name], np.float64)
            stored = exact.reshape(len(part), channels, -1) * scales
            signal[layer.name] += (real**2).sum(axis=(0, 2))
            noise[layer.name] += ((real - stored) ** 2).sum(axis=(0, 2))
    found: dict[str, LayerNoise] = {}
    for layer in measured:
        power, error = signal[layer.name], noise[layer.name]
        equal = _decibels(1.0, _lost_share(power, error))
        before = min(
            (found[name].channel_snr_db for name in layer.inputs if name in found),
            default=HIGHEST_DB,
        )
        found[layer.name] = LayerNoise(
            layer.name, _decibels(power.sum(), error.sum()), equal, round(before - equal, 2)
        )
    return tuple(found.values())


def _lost_share(power: NDArray[np.float64], error: NDArray[np.float64]) -> float:
    """Noise over signal, mean over the channels; those that are zero in both are left out."""
    there = (power > 0) | (error > 0)
    if not there.any():
        return 0.0
    return float(np.mean(np.minimum(error[there] / np.maximum(power[there], 1e-300), 1.0)))


def _decibels(signal: float, noise: float) -> float:
    if noise == 0 or signal == 0:
        return HIGHEST_DB if noise == 0 else 0.0
    return round(min(HIGHEST_DB, float(10 * np.log10(signal / noise))), 2)
