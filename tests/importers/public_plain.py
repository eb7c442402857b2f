"""Plain networks with the names that torchvision gives to their weights, written anew.

Each takes normalized pixels and returns logits and no masks, as :mod:`.public_gated` has it.
"""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.importers.public_gated import Answer, Block, GroupedConv, conv3x3, shortcut_of


class Bottleneck(nn.Module):
    def __init__(self, ins: int, inner: int, outs: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(ins, inner, 1, bias=False), nn.BatchNorm2d(inner)
        middle = nn.Conv2d(inner, inner, 3, stride, 1, groups=groups or 1, bias=False)
        self.conv2: nn.Module = middle if groups else GroupedConv(inner, stride)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, outs, 1, bias=False), nn.BatchNorm2d(outs)
        self.downsample = shortcut_of(ins, outs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(
            self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x))
        )


class ResNet(nn.Module):
    """``groups`` of bottlenecks, DGConv where it is 0; None for blocks of two convolutions."""

    def __init__(
        self, blocks: tuple[int, ...], groups: int | None = None, small: bool = False
    ) -> None:
        super().__init__()
        self.small, width = small, 8
        kernel = (3, 1, 1) if small else (7, 2, 3)
        self.conv1, self.bn1 = nn.Conv2d(3, width, *kernel, bias=False), nn.BatchNorm2d(width)
        ins, self.stages = width, len(blocks)
        for stage, count in enumerate(blocks):
            outs, layers = width << stage, []
            for index in range(count):
                stride = 2 if stage and not index else 1
                if groups is None:
                    layers.append(Block(ins, outs, stride))
                    ins = outs
                else:
                    layers.append(Bottleneck(ins, outs, 2 * outs, stride, groups))
                    ins = 2 * outs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(ins, 5)

    def forward(self, x: Tensor) -> Answer:
        x = F.relu(self.bn1(self.conv1(x)))
        x = x if self.small else F.max_pool2d(x, 3, 2, 1)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return [self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))], []


class Vgg(nn.Module):
    """``plan`` has widths and M for a max pool; ``head`` is imagenet, one or dropouts."""

    def __init__(self, plan: tuple[int | str, ...], norm: bool, head: str) -> None:
        super().__init__()
        layers, ins = [], 3
        for step in plan:
            if isinstance(step, str):
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(ins, step, 3, padding=1))
            layers += [nn.BatchNorm2d(step)] if norm else []
            layers.append(nn.ReLU())
            ins = step
        self.features = nn.Sequential(*layers)
        self.pooled = 7 if head == "imagenet" else 1
        wide = ins * self.pooled**2
        linears = [nn.Linear(wide, 20), nn.Linear(20, 20), nn.Linear(20, 5)]
        between = (nn.ReLU(), nn.Dropout())
        self.classifier: nn.Module = nn.Sequential(
            linears[0], *between, linears[1], *between, linears[2]
        )
        if head == "one":
            self.classifier = nn.Linear(wide, 5)
        if head == "dropouts":
            steps = (nn.Dropout(), linears[0], nn.ReLU(), nn.Dropout(), linears[1], nn.ReLU())
            self.classifier = nn.Sequential(*steps, linears[2])

    def forward(self, x: Tensor) -> Answer:
        x = F.adaptive_avg_pool2d(self.features(x), self.pooled)
        return [self.classifier(x.flatten(1))], []


class DenseLayer(nn.Module):
    def __init__(self, ins: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(ins), nn.Conv2d(ins, 3 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(3 * growth), conv3x3(3 * growth, growth)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))
        return torch.cat([x, y], 1)


class DenseNet(nn.Module):
    def __init__(
        self, blocks: tuple[int, ...], small: bool = False, last_norm: str | None = None
    ) -> None:
        super().__init__()
        channels, growth = 10, 4
        steps: OrderedDict[str, nn.Module] = OrderedDict()
        kernel = (3, 1, 1) if small else (7, 2, 3)
        steps["conv0"] = nn.Conv2d(3, channels, *kernel, bias=False)
        if not small:
            steps["norm0"], steps["relu0"] = nn.BatchNorm2d(channels), nn.ReLU()
            steps["pool0"] = nn.MaxPool2d(3, 2, 1)
        for number, layers in enumerate(blocks, start=1):
            block: OrderedDict[str, nn.Module] = OrderedDict()
            for index in range(1, layers + 1):
                block[f"denselayer{index}"] = DenseLayer(channels, growth)
                channels += growth
            steps[f"denseblock{number}"] = nn.Sequential(block)
            if number < len(blocks):
                steps[f"transition{number}"] = nn.Sequential(
                    OrderedDict(
                        norm=nn.BatchNorm2d(channels),
                        relu=nn.ReLU(),
                        conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
                        pool=nn.AvgPool2d(2, 2),
                    )
                )
                channels //= 2
        steps[last_norm or f"norm{len(blocks) + 1}"] = nn.BatchNorm2d(channels)
        self.features, self.classifier = nn.Sequential(steps), nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Answer:
        x = F.relu(self.features(x))
        return [self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))], []


def conv_norm(ins: int, outs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(ins, outs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outs), nn.ReLU6())


class InvertedResidual(nn.Module):
    def __init__(self, ins: int, outs: int, stride: int, factor: int) -> None:
        super().__init__()
        inner = ins * factor
        steps: list[nn.Module] = [] if factor == 1 else [conv_norm(ins, inner, 1)]
        steps += [conv_norm(inner, inner, 3, stride, inner)]
        steps += [nn.Conv2d(inner, outs, 1, bias=False), nn.BatchNorm2d(outs)]
        self.conv, self.adds = nn.Sequential(*steps), stride == 1 and ins == outs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    #: Factor, width, blocks and stride of the stages; the paper's widths divided by 4.
    STAGES = (
        *((1, 4, 1, 1), (6, 6, 2, 2), (6, 8, 3, 2), (6, 16, 4, 2)),
        *((6, 24, 3, 1), (6, 40, 3, 2), (6, 80, 1, 1)),
    )

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = [conv_norm(3, 8, 3, 2)]
        ins = 8
        for factor, width, blocks, stride in self.STAGES:
            for index in range(blocks):
                step = stride if index == 0 else 1
                steps.append(InvertedResidual(ins, width, step, factor))
                ins = width
        steps.append(conv_norm(ins, 64, 1))
        self.features = nn.Sequential(*steps)
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(64, 5))

    def forward(self, x: Tensor) -> Answer:
        return [self.classifier(self.features(x).mean((2, 3)))], []
