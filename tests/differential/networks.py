"""Networks as users write them, against the public gate API, and their road to the engine."""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.compiler import compile_graph
from acsgen.engines.rtl import Memory
from acsgen.frontend import front_end
from acsgen.ir.integer import INT32_MAX, INT32_MIN, IntGraph
from acsgen.nn import ChannelGate, Normalize
from acsgen.program.program import Program
from acsgen.quant.quantize import QuantizationWarning, quantize
from acsgen.quant.thresholds import Thresholds, force_masks
from tests.differential.engines import EngineUnderTest, check_program
from tests.frontend.networks import export, randomized

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_STD = (0.2470, 0.2435, 0.2616)

Shape = tuple[int, int, int]


class ConvBn(nn.Sequential):
    """A convolution and its batch norm."""

    def __init__(self, ins: int, outs: int, kernel: int = 3, stride: int = 1, groups: int = 1):
        conv = nn.Conv2d(ins, outs, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outs))


class PooledGate(nn.Module):
    """Global average, linear layer, gate."""

    def __init__(self, ins: int, outs: int, threshold: float = 0.5) -> None:
        super().__init__()
        self.fc = nn.Linear(ins, outs)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1)))


class ConvGate(nn.Module):
    """conv1x1, batch norm, ReLU, then a pooled gate."""

    def __init__(self, ins: int, outs: int, hidden: int = 6) -> None:
        super().__init__()
        self.reduce = ConvBn(ins, hidden, 1)
        self.decide = PooledGate(hidden, outs)

    def forward(self, x: Tensor) -> Tensor:
        return self.decide(F.relu(self.reduce(x)))


class MlpGate(nn.Module):
    """Two linear layers on the pooled map; without ReLU between them if ``linear``."""

    def __init__(self, ins: int, outs: int, linear: bool = False) -> None:
        super().__init__()
        between = nn.Identity() if linear else nn.ReLU()
        self.layers = nn.Sequential(nn.Linear(ins, 7), between, nn.Linear(7, outs))
        self.gate = ChannelGate(0.4)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.layers(x.mean((2, 3))))


class MaxPoolGate(nn.Module):
    """A gate on a pooled map that is flattened."""

    def __init__(self, ins: int, outs: int, height: int, width: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(ins * (height // 2) * (width // 2), outs)
        self.gate = ChannelGate()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc(torch.flatten(self.pool(x), 1)))


class UserNet(nn.Module):
    """Normalization, a stem, what the subclass does, and a pooled classifier."""

    WIDTH = 9

    def __init__(self, channels: int = 3, classes: int = 7) -> None:
        super().__init__()
        mean, std = (CIFAR_MEAN, CIFAR_STD) if channels == 3 else ((0.5,) * channels,) * 2
        self.normalize = Normalize(mean, std)
        self.stem = ConvBn(channels, self.WIDTH)
        self.classifier = nn.Linear(self.make(self.WIDTH), classes)

    def make(self, width: int) -> int:
        """Create the layers; return the channels of the last."""
        raise NotImplementedError

    def body(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.stem(self.normalize(image)))
        return self.classifier(self.body(x).mean((2, 3)))


class MaskAfterRelu(UserNet):
    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, 13), ConvBn(13, 11)
        self.gate = PooledGate(width, 13)
        return 11

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.gate(x)))


class MaskBeforeBn(UserNet):
    """Masked channels become what the batch norm makes of zero."""

    def make(self, width: int) -> int:
        self.conv, self.norm = nn.Conv2d(width, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.next = ConvBn(12, 5, 3, 2)
        self.gate = ConvGate(width, 12)
        return 5

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.next(F.relu(self.norm(self.conv(x) * self.gate(x)))))


class MaskBeforeAdd(UserNet):
    """The mask multiplies a branch, its result is added to the other; inner and outer gate."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, 21), ConvBn(21, width)
        self.inner, self.outer = MlpGate(width, 21), MlpGate(21, width, linear=True)
        return width

    def body(self, x: Tensor) -> Tensor:
        h = F.relu(self.a(x)) * self.inner(x)
        return F.relu(self.b(h) * self.outer(h) + x)


class MaskAfterAdd(UserNet):
    """No convolution can take in this mask."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, width), ConvBn(width, 6, 3, 2)
        self.gate = PooledGate(width, width)
        return 6

    def body(self, x: Tensor) -> Tensor:
        return self.b((self.a(x) + x) * self.gate(x))


class GateOfEarlierFeatures(UserNet):
    """A gate far from what it masks, over a stride-2 layer."""

    def make(self, width: int) -> int:
        self.a, self.b, self.c = ConvBn(width, 10, 3, 2), ConvBn(10, 15, 5), ConvBn(15, 4, 1)
        self.gate = ConvGate(width, 15)
        return 4

    def body(self, x: Tensor) -> Tensor:
        mask = self.gate(x)
        x = F.relu(self.b(F.relu(self.a(x)))) * mask
        return F.relu(self.c(x))


class SharedGate(UserNet):
    """One gate for three convolutions, of masked and of plain inputs."""

    def make(self, width: int) -> int:
        self.a, self.b, self.c = ConvBn(width, 14), ConvBn(14, 14), ConvBn(14, 14, 3, 2)
        self.gate = PooledGate(width, 14)
        return 14

    def body(self, x: Tensor) -> Tensor:
        mask = self.gate(x)
        x = F.relu(self.a(x)) * mask
        x = F.relu(self.b(x)) * mask
        return self.c(x) * mask


class GateOfMaskedMap(UserNet):
    """Gates that see what other gates left, pooled and scaled."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, 8), ConvBn(8, 10)
        self.first, self.second = PooledGate(width, 8), PooledGate(8, 10)
        self.scale = nn.Linear(8, 8)
        return 10

    def body(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(x)) * self.first(x)
        x = F.max_pool2d(x, 3, 2, 1)
        x = x * torch.sigmoid(self.scale(x.mean((2, 3))))[:, :, None, None]
        return F.relu(self.b(x)) * self.second(x)


class BlockGate(UserNet):
    """A gate with a single bit for a whole residual branch, as in SkipNet."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, width), ConvBn(width, width)
        self.gate = PooledGate(width, 1)
        return width

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x))) * self.gate(x) + x)


class Separable(UserNet):
    """Depthwise and pointwise convolutions with a gate on each."""

    def make(self, width: int) -> int:
        self.depth, self.point = ConvBn(width, width, 3, 2, groups=width), ConvBn(width, 18, 1)
        self.grouped = ConvBn(18, 12, 3, groups=3)
        self.gates = nn.ModuleList([PooledGate(width, n) for n in (width, 18, 12)])
        return 12

    def body(self, x: Tensor) -> Tensor:
        depth, point, grouped = (gate(x) for gate in self.gates)
        x = F.relu(self.depth(x)) * depth
        x = F.relu(self.point(x)) * point
        return F.relu(self.grouped(x)) * grouped


class MaskedTwice(UserNet):
    """Two masks on one map."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, 16), ConvBn(16, 8)
        self.first, self.second = PooledGate(width, 16), ConvGate(width, 16)
        return 8

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.first(x) * self.second(x)))


class MaskedInput(UserNet):
    """The mask is on a map that others read unmasked."""

    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, width), ConvBn(width, width, 1)
        self.gate = PooledGate(width, width)
        return width

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.a(x * self.gate(x)) + self.b(x))


class GateOfFlattenedMap(UserNet):
    def make(self, width: int) -> int:
        self.a, self.b = ConvBn(width, 10), ConvBn(10, 8, 3, 2)
        self.gate = MaxPoolGate(width, 10, 12, 12)
        return 8

    def body(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.gate(x)))


class DenseHead(nn.Module):
    """A convolutional network without gates: pools, flatten, dropout, linear layers."""

    def __init__(self, shape: Shape, pool: nn.Module, kernel: int = 5) -> None:
        super().__init__()
        channels = shape[0]
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, kernel, padding=kernel // 2),
            nn.ReLU(),
            pool,
            nn.Conv2d(6, 16, kernel),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Dropout2d(),
            pool,
        )
        size = self.features.eval()(torch.zeros(1, *shape)).numel()
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size, 40),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(40, 21),
            nn.ReLU(),
            nn.Linear(21, 10),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image.float() / 255))


class LargeStem(nn.Module):
    """7x7 stride 2 and an overlapping maximum, as ImageNet networks begin."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(CIFAR_MEAN, CIFAR_STD)
        self.stem = ConvBn(3, 16, 7, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.a, self.b = ConvBn(16, 24, 3, 2), ConvBn(16, 24, 1, 2)
        self.gate = PooledGate(16, 24)
        self.classifier = nn.Linear(24, 5)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pool(F.relu(self.stem(self.normalize(image))))
        x = F.relu(self.a(x) * self.gate(x) + self.b(x))
        return self.classifier(x.mean((2, 3)))


def random_pixels(shape: tuple[int, ...], count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Images of coarse random patches, so that maps differ in more than their noise."""
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    patches = rng.integers(0, 256, (count, channels, -(-height // 4), -(-width // 4)))
    smooth = patches.repeat(4, axis=2).repeat(4, axis=3)[:, :, :height, :width]
    noisy = smooth + rng.integers(-40, 41, smooth.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def integer_network(module: nn.Module, shape: Shape, folder: Path, seed: int = 0) -> IntGraph:
    """Random weights, a .pt2 file, the front end, quantization."""
    path = folder / "network.pt2"
    torch.export.save(export(randomized(module, seed), shape), path)
    graph, _ = front_end(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QuantizationWarning)
        return quantize(graph, random_pixels(shape, 6, seed))


def check_network(
    graph: IntGraph, engine: EngineUnderTest, images: int = 2, memory: Memory | None = None
) -> Program:
    """Require equality with gates as they are, all open, all closed, at random, and forced.

    Images come in another order each time.
    """
    program = compile_graph(graph, engine.config)
    pixels = random_pixels(graph.input.shape, images, seed=99)
    choices = [{}, *_threshold_choices(graph, pixels)] if graph.gates else [{}]
    for index, chosen in enumerate(choices):
        check_program(program, graph, np.roll(pixels, index, axis=0), engine, chosen, memory)
    return program


def _threshold_choices(graph: IntGraph, pixels: NDArray[np.uint8]) -> list[Thresholds]:
    rng = np.random.default_rng(7)
    everywhere = {gate.name: True for gate in graph.gates}
    forced = {gate.name: rng.random(gate.shape) < 0.5 for gate in graph.gates}
    # Of a map that is zero in all images the scale is tiny, and the threshold beyond int32.
    at_random = {
        gate.name: np.clip(rng.normal(0, 2 / gate.acc_scale), INT32_MIN, INT32_MAX).astype(np.int32)
        for gate in graph.gates
    }
    return [
        force_masks(graph, everywhere),
        force_masks(graph, dict.fromkeys(everywhere, False)),
        at_random,
        force_masks(graph, forced),
    ]
