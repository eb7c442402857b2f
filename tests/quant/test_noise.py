"""Noise of quantization is measured by layer, and by channel however small its values are."""

from __future__ import annotations

import numpy as np
import torch

from acsgen.frontend import run_layers
from acsgen.ir.noise import blamed
from acsgen.quant.golden import GoldenModel
from acsgen.quant.noise import layer_noise
from acsgen.quant.quantize import quantize
from tests.nets.images import slopes
from tests.nets.layer_graphs import every_kind


def test_the_figure_is_what_the_definition_says() -> None:
    graph = every_kind(0)
    integers, images = quantize(graph, slopes(0, 64)), slopes(1, 20)
    found = {item.layer: item for item in layer_noise(graph, integers, images)}
    gates = {gate.name for gate in integers.gates}
    assert set(found) == {layer.name for layer in integers.layers[1:]} - gates
    golden = GoldenModel(integers).run(images)
    masks = {name: torch.from_numpy(bits) for name, bits in golden.masks.items()}
    floating = run_layers(graph, torch.from_numpy(images), masks)
    for name, item in found.items():
        real = np.moveaxis(floating[name].double().numpy(), 1, 0)
        scales = integers[name].format.scales(len(real))
        shape = (-1, *[1] * (real.ndim - 1))
        stored = np.moveaxis(golden.values[name].astype(float), 1, 0) * scales.reshape(shape)
        noise = ((real - stored) ** 2).sum()
        assert abs(item.snr_db - min(99.0, 10 * np.log10((real**2).sum() / noise))) < 0.02, name
        assert item.channel_snr_db <= 99.0
    assert all(item.snr_db > 15 for item in found.values())
    assert len(blamed(list(found.values()))) >= 1
