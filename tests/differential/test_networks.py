"""A table of networks and engines: each engine computes each network as the golden model does.

Every row runs with the gates as they are, all open, all closed, at random and forced; each image
runs without trace and with it. Logits, masks, layers and counters must be equal in every bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.engines.rtl import Memory
from acsgen.frontend import front_end
from acsgen.ir.integer import IntGraph
from acsgen.nn import AcsConfig, ResNet, ResNetConfig, save_checkpoint
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize, quantize_and_judge
from tests.differential.engines import Engines, check_network
from tests.nets.gated_modules import BODIES, DenseHead, LargeStem, SmoothHead, gated
from tests.nets.images import noise, patches
from tests.nets.integer_graphs import dense_blocks, resnet
from tests.nets.modules import Body, ConvBn, Net, Shape, export, randomized
from tests.nets.quantized import integer_network
from tests.quant.test_finer_averages import depthwise
from tests.quant.test_spread import bound, inverted, residual

#: Makes an integer graph; may write into a folder.
Maker = Callable[[Path], IntGraph]


def quantized(module: Callable[[], nn.Module], shape: Shape) -> Maker:
    return lambda folder: integer_network(module(), shape, folder)


def dense(shape: Shape, pool: nn.Module) -> Maker:
    return quantized(lambda: DenseHead(shape, pool, 3), shape)


def of_resnet(**config: object) -> Maker:
    made = ResNetConfig(**config)
    shape = (made.in_channels, made.image_size, made.image_size)
    return quantized(lambda: ResNet(made), shape)


def of_checkpoint(folder: Path) -> IntGraph:
    config = ResNetConfig(widths=(4, 6, 10), image_size=8, num_classes=3, gate=AcsConfig())
    path = folder / "model.pt"
    save_checkpoint(path, randomized(ResNet(config)), "resnet", config, {})
    graph, _ = front_end(path)
    return quantize(graph, patches((3, 8, 8), 4))


def of_spread(build: Callable[[float, int], nn.Module], folder: Path) -> IntGraph:
    """A network whose channels differ a thousandfold."""
    path = folder / "spread.pt2"
    torch.export.save(export(build(3, 0), (3, 16, 16), torch.float32), path)
    graph, _ = front_end(path)
    integers = quantize(graph, patches((3, 16, 16), 6))
    assert any(layer.format.one_scale is None for layer in integers)
    return integers


def of_finer_averages(folder: Path) -> IntGraph:
    """A network whose averages are stored four times before the classifier."""
    graph, calibration, _ = depthwise(3, 1)
    integers, told = quantize_and_judge(graph, calibration)
    assert told.averages
    return integers


def of_narrow_weights(bits: int, folder: Path) -> IntGraph:
    """A network with gates whose weights have fewer bits than the engines store."""
    config = ResNetConfig(widths=(4, 6, 10), image_size=8, num_classes=3, gate=AcsConfig())
    path = folder / "model.pt"
    save_checkpoint(path, randomized(ResNet(config)), "resnet", config, {})
    graph, _ = front_end(path)
    integers = quantize(graph, patches((3, 8, 8), 4), weight_bits=bits)
    most = max(
        np.abs(layer.weight.astype(int)).max() for layer in integers if hasattr(layer, "weight")
    )
    assert most == 2 ** (bits - 1) - 1
    return integers


PLAIN = {"lenet-28": (1, 28, 28), "five-channels": (5, 16, 16), "oblong": (3, 22, 13)}
POOLS = {
    "max": nn.MaxPool2d(2),
    "average": nn.AvgPool2d(2),
    "overlapping": nn.MaxPool2d(3, 2, 1),
}


def picked(pool: nn.Module, side: int) -> Maker:
    """A network whose pool picks pixels (:mod:`acsgen.frontend.passes.pick_pixels`)."""
    body = Body(lambda s, x: s.k(s.p(x)), p=pool, k=ConvBn(6, 6))
    return quantized(lambda: randomized(Net(body)), (3, side, side))


PICKED = {
    "average-3": picked(nn.AvgPool2d(3), 24),
    "average-6": picked(nn.AvgPool2d(6), 18),
    "average-7": picked(nn.AvgPool2d(7), 21),
    "maximum-5": picked(nn.MaxPool2d(5), 17),
}


class Windows(nn.Module):
    """Windows, steps and activations that the engine does not have, one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4, 1)
        self.stem = nn.Conv2d(3, 8, 11, 2, 4)
        self.fire, self.maxout = ConvBn(8, 8), ConvBn(8, 16)
        self.third = nn.Conv2d(8, 8, 3, 3)
        self.fc = nn.Linear(56, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.float() / 255
        wide = F.relu(self.stem(x))  # 21x21
        fire = F.max_pool2d(F.relu(self.fire(wide)), 2, ceil_mode=True)  # 11x11
        both = torch.maximum(*self.maxout(fire).chunk(2, 1)).clamp(max=1.5)
        pyramid = F.max_pool2d(both, 9, 1, 4)[:, :, 1:-1, 1:-1]  # 9x9
        third = self.third(pyramid).abs()  # 3x3
        averages = F.adaptive_avg_pool2d(F.relu(self.patches(x)), 2).flatten(1)
        largest = third.amax((2, 3)), fire.amax((2, 3)), F.hardswish(wide.mean((2, 3)))
        return self.fc(torch.cat([averages, *largest], 1))


#: The ResNets are those of acsgen.nn, in widths, depths and with gates that no shipped model has.
NETWORKS: dict[str, Maker] = {
    **{body.__name__: quantized(lambda body=body: gated(body()), (3, 12, 12)) for body in BODIES},
    **{
        f"{name}-{pool}": dense(shape, POOLS[pool])
        for name, shape in PLAIN.items()
        for pool in POOLS
    },
    "windows": quantized(lambda: randomized(Windows()), (3, 42, 42)),
    "large-stem": quantized(LargeStem, (3, 40, 64)),
    "integer-resnet": lambda folder: resnet(),
    "integer-dense": lambda folder: dense_blocks(),
    "checkpoint": of_checkpoint,
    "odd-widths": of_resnet(widths=(5, 9, 21), image_size=17, gate=AcsConfig()),
    "paper-widths": of_resnet(
        widths=(32, 64, 128), image_size=8, gate=AcsConfig(mask_target="both")
    ),
    "per-convolution": of_resnet(
        widths=(7, 12, 20), image_size=16, gate=AcsConfig(granularity="conv")
    ),
    "output-mask": of_resnet(
        widths=(8, 16, 33), image_size=12, gate=AcsConfig(mask_target="output", se=False)
    ),
    "before-bn": of_resnet(
        widths=(6, 11, 16),
        image_size=12,
        gate=AcsConfig(mask_target="both", mask_before_bn=True, grouping=False),
    ),
    "public-code": of_resnet(
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
    "greyscale": of_resnet(
        depth=20,
        widths=(4, 8, 12),
        in_channels=1,
        mean=(0.1307,),
        std=(0.3081,),
        image_size=28,
        gate=AcsConfig(bottleneck=16, reduction=2, threshold=0.4),
    ),
    # Scales by channel: in sums, in concatenations, and before and behind depthwise convolutions.
    **{
        f"spread-{kind}": partial(of_spread, build)
        for kind, build in {
            "excited": bound("excited"),
            "joined": bound("joined"),
            "inverted": inverted,
            "residual": residual,
        }.items()
    },
    "finer-averages": of_finer_averages,
    **{f"weights-of-{bits}-bits": partial(of_narrow_weights, bits) for bits in (4, 6)},
    "smooth-head": quantized(SmoothHead, (3, 12, 12)),
    "static": of_resnet(widths=(3, 17, 70), image_size=9),
    **PICKED,
}

#: Networks without any gate; all others have some.
UNGATED = (
    {"static", "smooth-head", "windows", "finer-averages", *PICKED}
    | {f"{name}-{pool}" for name in PLAIN for pool in POOLS}
    | {name for name in NETWORKS if name.startswith("spread-")}
)

MEMORIES = {
    "fast": Memory(latency=0),
    "far": Memory(latency=200),
    "narrow": Memory(bandwidth=40),
    "pauses": Memory(latency=7, seed=5),
}

rtl = partial(pytest.param, marks=pytest.mark.rtl)
TABLE = [
    *(pytest.param(name, 4, None, id=f"{name}-csim4") for name in NETWORKS),
    *(pytest.param("integer-resnet", n, None, id=f"integer-resnet-csim{n}") for n in (1, 3, 6)),
    rtl("integer-dense", 4, Memory(), id="integer-dense-rtl4"),
    rtl("finer-averages", 4, Memory(), id="finer-averages-rtl4"),
    *(
        rtl("integer-resnet", 4, memory, id=f"integer-resnet-rtl4-{name}")
        for name, memory in MEMORIES.items()
    ),
]


@pytest.mark.parametrize(("name", "lane_groups", "memory"), TABLE)
def test_networks(
    engines: Engines, tmp_path: Path, name: str, lane_groups: int, memory: Memory | None
) -> None:
    graph = NETWORKS[name](tmp_path)
    assert bool(graph.gates) == (name not in UNGATED)
    check_network(graph, engines(lane_groups, memory is not None), memory=memory)


def test_the_integer_resnet_skips_some_channels_and_not_all() -> None:
    graph = resnet()
    golden = GoldenModel(graph).run(noise(graph.input.shape, 2))
    masks = np.concatenate([mask.ravel() for mask in golden.masks.values()])
    assert 0.1 < masks.mean() < 0.9


@pytest.mark.slow
def test_depth_110(engines: Engines, tmp_path: Path) -> None:
    gate = AcsConfig(se=False, bottleneck=4, mask_target="both")
    graph = of_resnet(depth=110, widths=(4, 6, 9), image_size=8, gate=gate)(tmp_path)
    assert len(graph.gates) == 54
    check_network(graph, engines(4), images=1)
