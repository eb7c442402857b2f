"""The outline of a network places every buffer where the quantized network's lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from acsgen.compiler import memory_map
from acsgen.data import load_dataset
from acsgen.frontend import front_end
from acsgen.ir.layers import LayerGraph
from acsgen.ir.ranges import WEIGHT_MAX
from acsgen.nn import save_checkpoint
from acsgen.nn.networks import ARCHITECTURES
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.calibrate import calibrate
from acsgen.quant.centre import centred
from acsgen.quant.outline import outline
from acsgen.quant.progress import SIGNED_LEVELS, VECTOR_HEADROOM
from acsgen.quant.quantize import quantize
from acsgen.support.assets import asset
from tests.nets.images import patches
from tests.nets.modules import randomized

ENGINE = EngineConfig(4, feature_kib=1024, weight_kib=32, vector_bytes=65536)

#: Configurations that have something which the architecture's default lacks.
MORE: dict[str, dict[str, Any]] = {
    "resnet": {"gate": {"granularity": "conv"}},
    "densenet": {"gate": {"bottleneck": 8}, "stem": "7x7", "image_size": 32},
    "vgg": {"pooled": 2, "hidden": (9,)},
    "skipnet_resnet": {"form": "II", "rectify_shortcut": False},
    "image_resnet": {"inner": (4, 4, 8, 8), "groups": 4, "stem": "7x7"},
}


def compared(graph: LayerGraph, images: NDArray[np.uint8]) -> None:
    """The outline of a network, with the layers that quantization adds for these images."""
    quantized = quantize(graph, images)
    calibration = calibrate(graph, torch.from_numpy(images), batch=16)
    outlined = outline(centred(graph, calibration, VECTOR_HEADROOM, SIGNED_LEVELS, WEIGHT_MAX))
    for mine, wanted in zip(outlined, quantized, strict=True):
        assert type(mine) is type(wanted)
        assert (mine.name, mine.shape, mine.inputs) == (wanted.name, wanted.shape, wanted.inputs)
        signs = [layer.format.signs(layer.shape[0]) for layer in (mine, wanted)]
        assert np.array_equal(*signs)
    assert outlined.outputs == quantized.outputs
    assert memory_map(outlined, ENGINE) == memory_map(quantized, ENGINE)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str, tmp_path: Path) -> None:
    entry = ARCHITECTURES[name]
    for changes in ({}, MORE.get(name)):
        if changes is None:
            continue
        config = entry.config.model_validate({"image_size": 16} | changes)
        network = randomized(entry.build(config), seed=3)
        save_checkpoint(tmp_path / "m.pt", network, name, config, {})
        graph, _ = front_end(tmp_path / "m.pt")
        compared(graph, patches(graph.input.shape, 3))


def test_a_trained_network_with_groups_lies_at_the_same_addresses() -> None:
    graph, _ = front_end(asset("models", "resnet8-acs-digits32.pt"))
    images = load_dataset("digits32", "train", limit=16).images
    compared(graph, images)
