"""The ResNets of acsgen.nn, in widths, depths and with gates that no shipped model has."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.frontend import front_end
from acsgen.nn import AcsConfig, ResNet, ResNetConfig, save_checkpoint
from acsgen.quant.quantize import quantize
from tests.differential.engines import EngineUnderTest
from tests.differential.networks import check_network, integer_network, random_pixels
from tests.frontend.networks import randomized

CONFIGURATIONS = {
    "odd-widths": ResNetConfig(widths=(5, 9, 21), image_size=17, gate=AcsConfig()),
    "paper-widths": ResNetConfig(
        widths=(32, 64, 128), image_size=8, gate=AcsConfig(mask_target="both")
    ),
    "per-convolution": ResNetConfig(
        widths=(7, 12, 20), image_size=16, gate=AcsConfig(granularity="conv")
    ),
    "output-mask": ResNetConfig(
        widths=(8, 16, 33), image_size=12, gate=AcsConfig(mask_target="output", se=False)
    ),
    "before-bn": ResNetConfig(
        widths=(6, 11, 16),
        image_size=12,
        gate=AcsConfig(mask_target="both", mask_before_bn=True, grouping=False),
    ),
    "public-code": ResNetConfig(
        widths=(8, 10, 12),
        image_size=16,
        gate=AcsConfig(
            granularity="conv",
            bottleneck_stride=2,
            se=False,
            bottleneck_norm=False,
            last_norm=False,
        ),
    ),
    "greyscale": ResNetConfig(
        depth=20,
        widths=(4, 8, 12),
        in_channels=1,
        mean=(0.1307,),
        std=(0.3081,),
        image_size=28,
        gate=AcsConfig(bottleneck=16, reduction=2, threshold=0.4),
    ),
    "static": ResNetConfig(widths=(3, 17, 70), image_size=9),
}


@pytest.mark.parametrize("config", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_resnets(config: ResNetConfig, engine: EngineUnderTest, tmp_path: Path) -> None:
    size = config.image_size
    graph = integer_network(ResNet(config), (config.in_channels, size, size), tmp_path)
    assert bool(graph.gates) == (config.gate is not None)
    check_network(graph, engine)


def test_checkpoint(engine: EngineUnderTest, tmp_path: Path) -> None:
    config = ResNetConfig(widths=(4, 6, 10), image_size=8, num_classes=3, gate=AcsConfig())
    path = tmp_path / "model.pt"
    save_checkpoint(path, randomized(ResNet(config)), "resnet", config, {})
    graph, _ = front_end(path)
    check_network(quantize(graph, random_pixels((3, 8, 8), 4)), engine)


@pytest.mark.slow
def test_depth_110(engine: EngineUnderTest, tmp_path: Path) -> None:
    config = ResNetConfig(
        depth=110,
        widths=(4, 6, 9),
        image_size=8,
        gate=AcsConfig(se=False, bottleneck=4, mask_target="both"),
    )
    graph = integer_network(ResNet(config), (3, 8, 8), tmp_path)
    assert len(graph.gates) == 54
    check_network(graph, engine, images=1)
