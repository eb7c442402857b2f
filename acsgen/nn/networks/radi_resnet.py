"""ResNet with the branch classifiers of RADI, the exit half of DDI (Wang et al. 2020)."""

from __future__ import annotations

from typing import cast

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.early_exit import EarlyExit
from acsgen.nn.networks._image import initialize_convolutions
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import BackboneConfig, BasicBlock, ResNet, ResNetConfig


class RadiResNetConfig(BackboneConfig):
    """Shape of a ResNet with six branch classifiers, two in each stage.

    Attributes:
        exit_entropy: threshold of all exits, in nats; 0 where a budget alone takes them.
    """

    exit_entropy: float = Field(0.5, ge=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _pools(self) -> RadiResNetConfig:
        if self.image_size < 8:
            raise ValueError("the first branches pool twice: image_size 8 or more")
        return self


class ConvBranch(nn.Module):
    """Classifier of the first stage: maxpool, 5x5, BN, ReLU, maxpool, 3x3, BN, average, linear."""

    #: Channels behind the two convolutions, whatever the network's width (public code).
    WIDTHS = (64, 32)

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        first, second = self.WIDTHS
        self.conv1 = nn.Conv2d(channels, first, 5, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(second)
        self.fc = nn.Linear(second, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to logits [N, classes]."""
        x = F.relu(self.bn1(self.conv1(F.max_pool2d(x, 2))))
        x = self.bn2(self.conv2(F.max_pool2d(x, 2)))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


class BlockBranch(nn.Module):
    """Classifier of the second stage: maxpool, residual block, average, linear."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.block = BasicBlock(channels, channels, 1, None)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to logits [N, classes]."""
        logits: Tensor = self.fc(self.block(F.max_pool2d(x, 2)).mean((2, 3)))
        return logits


class PoolBranch(nn.Module):
    """Classifier of the third stage: average, linear."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to logits [N, classes]."""
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


@architecture("radi_resnet", RadiResNetConfig)
class RadiResNet(ResNet):
    """Branches behind the blocks n/4 and 3n/4 of each stage, each with an early exit; the last
    answer is the network's.

    The state dict has the plain twin's names, so that a pretrained twin can be loaded.
    """

    def __init__(self, config: RadiResNetConfig) -> None:
        super().__init__(ResNetConfig(**config.model_dump(exclude={"exit_entropy"})))
        n = config.blocks_per_stage
        self.taps = (n // 4, 3 * n // 4)
        self.branches = nn.ModuleList(
            kind(width, config.num_classes)
            for kind, width in zip(
                (ConvBranch, BlockBranch, PoolBranch), config.widths, strict=True
            )
            for _ in self.taps
        )
        self.exits = nn.ModuleList(EarlyExit(config.exit_entropy) for _ in self.branches)
        initialize_convolutions(self.branches)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Pixels [N, C, H, W] to logits [N, classes] of every branch, then of the network."""
        x = self.stem(x)
        answers: list[Tensor] = []
        for stage in (self.layer1, self.layer2, self.layer3):
            for index, block in enumerate(stage):
                x = cast(Tensor, block(x))
                for tap in self.taps:
                    if tap == index:
                        number = len(answers)
                        answers.append(self.exits[number](self.branches[number](x)))
        return (*answers, self.classify(x))
