"""Networks as users write them: gates of several kinds, in every place that a mask can have."""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn import Normalize
from tests.nets.modules import (
    ConvBn,
    ConvGate,
    MaxPoolGate,
    MlpGate,
    Net,
    PooledGate,
    Shape,
)

#: Channels of the map that a body reads.
WIDTH = 9


class MaskAfterRelu(nn.Module):
    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 13), ConvBn(13, 11)
        self.gate = PooledGate(width, 13)
        self.outs = 11

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.gate(x)))


class MaskBeforeBn(nn.Module):
    """Masked channels become the value that the batch norm makes of zero."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.next = ConvBn(12, 5, 3, 2)
        self.gate = ConvGate(width, 12)
        self.outs = 5

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.next(F.relu(self.norm(self.conv(x) * self.gate(x)))))


class MaskBeforeAdd(nn.Module):
    """The mask multiplies a branch, its result is added to the other; inner and outer gate."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 21), ConvBn(21, width)
        self.inner, self.outer = MlpGate(width, 21), MlpGate(21, width, linear=True)
        self.outs = width

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.a(x)) * self.inner(x)
        return F.relu(self.b(h) * self.outer(h) + x)


class MaskAfterAdd(nn.Module):
    """No convolution can take in this mask."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, width), ConvBn(width, 6, 3, 2)
        self.gate = PooledGate(width, width)
        self.outs = 6

    def forward(self, x: Tensor) -> Tensor:
        return self.b((self.a(x) + x) * self.gate(x))


class GateOfEarlierFeatures(nn.Module):
    """A gate far from the layer that it masks, over a stride-2 layer."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b, self.c = ConvBn(width, 10, 3, 2), ConvBn(10, 15, 5), ConvBn(15, 4, 1)
        self.gate = ConvGate(width, 15)
        self.outs = 4

    def forward(self, x: Tensor) -> Tensor:
        mask = self.gate(x)
        x = F.relu(self.b(F.relu(self.a(x)))) * mask
        return F.relu(self.c(x))


class SharedGate(nn.Module):
    """One gate for three convolutions, of masked and of plain inputs."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b, self.c = ConvBn(width, 14), ConvBn(14, 14), ConvBn(14, 14, 3, 2)
        self.gate = PooledGate(width, 14)
        self.outs = 14

    def forward(self, x: Tensor) -> Tensor:
        mask = self.gate(x)
        x = F.relu(self.a(x)) * mask
        x = F.relu(self.b(x)) * mask
        return self.c(x) * mask


class GateOfMaskedMap(nn.Module):
    """Gates that see the channels that other gates left, pooled and scaled."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 8), ConvBn(8, 10)
        self.first, self.second = PooledGate(width, 8), PooledGate(8, 10)
        self.scale = nn.Linear(8, 8)
        self.outs = 10

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(x)) * self.first(x)
        x = F.max_pool2d(x, 3, 2, 1)
        x = x * torch.sigmoid(self.scale(x.mean((2, 3))))[:, :, None, None]
        return F.relu(self.b(x)) * self.second(x)


class BlockGate(nn.Module):
    """A gate with a single bit for a whole residual branch, as in SkipNet."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, width), ConvBn(width, width)
        self.gate = PooledGate(width, 1)
        self.outs = width

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x))) * self.gate(x) + x)


class Separable(nn.Module):
    """Depthwise and pointwise convolutions with a gate on each."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.depth, self.point = ConvBn(width, width, 3, 2, groups=width), ConvBn(width, 18, 1)
        self.grouped = ConvBn(18, 12, 3, groups=3)
        self.gates = nn.ModuleList([PooledGate(width, n) for n in (width, 18, 12)])
        self.outs = 12

    def forward(self, x: Tensor) -> Tensor:
        depth, point, grouped = (gate(x) for gate in self.gates)
        x = F.relu(self.depth(x)) * depth
        x = F.relu(self.point(x)) * point
        return F.relu(self.grouped(x)) * grouped


class MaskedTwice(nn.Module):
    """Two masks on one map."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 16), ConvBn(16, 8)
        self.first, self.second = PooledGate(width, 16), ConvGate(width, 16)
        self.outs = 8

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.first(x) * self.second(x)))


class MaskedInput(nn.Module):
    """The mask is on a map that others read unmasked."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, width), ConvBn(width, width, 1)
        self.gate = PooledGate(width, width)
        self.outs = width

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.a(x * self.gate(x)) + self.b(x))


class GateOfFlattenedMap(nn.Module):
    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 10), ConvBn(10, 8, 3, 2)
        self.gate = MaxPoolGate(width, 10, 12, 12)
        self.outs = 8

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.b(F.relu(self.a(x)) * self.gate(x)))


#: Bodies between a stem and a classifier; each has its channels as ``outs``.
class Rewritten(nn.Module):
    """Forms that the front end rewrites: all of them between gated layers."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = ConvBn(width, 13), ConvBn(13, 18)
        self.gate = PooledGate(width, 13)
        self.same = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(width, 13, 3, stride=2))
        self.wide = nn.Conv2d(18, 8, (1, 7), padding=(0, 3))
        self.high = nn.Conv2d(8, 6, (3, 1), padding=(2, 0), dilation=(2, 1))
        self.pool = nn.AvgPool2d(4, 4, 1)
        self.outs = 6

    def forward(self, x: Tensor) -> Tensor:
        shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 5))
        y = F.relu6(self.same(x)) * self.gate(x)
        y = F.hardtanh(self.b(y) + shortcut, -1.0, 2.0)
        y = F.leaky_relu(self.wide(y), 0.2)
        return self.pool(self.high(y))


BODIES = (
    MaskAfterRelu,
    MaskBeforeBn,
    MaskBeforeAdd,
    MaskAfterAdd,
    GateOfEarlierFeatures,
    SharedGate,
    GateOfMaskedMap,
    BlockGate,
    Separable,
    MaskedTwice,
    MaskedInput,
    GateOfFlattenedMap,
    Rewritten,
)


def gated(body: nn.Module) -> Net:
    """A network around one of :data:`BODIES`."""
    return Net(body, WIDTH, body.outs, classes=7)


class SmoothHead(nn.Module):
    """Hidden vectors behind tanh and sigmoid, as LeNet has them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = ConvBn(3, 6)
        self.a, self.b, self.c = nn.Linear(6, 9), nn.Linear(9, 11), nn.Linear(11, 4)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv(image.float() / 255)).mean((2, 3))
        return self.c(torch.sigmoid(self.b(torch.tanh(self.a(x)))))


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
        self.normalize = Normalize((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
        self.stem = ConvBn(3, 16, 7, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.a, self.b = ConvBn(16, 24, 3, 2), ConvBn(16, 24, 1, 2)
        self.gate = PooledGate(16, 24)
        self.classifier = nn.Linear(24, 5)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pool(F.relu(self.stem(self.normalize(image))))
        x = F.relu(self.a(x) * self.gate(x) + self.b(x))
        return self.classifier(x.mean((2, 3)))
