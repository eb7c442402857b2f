"""ResNet with the branch classifiers of RADI, the exit half of DDI (Wang et al. 2020)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.networks._branches import Branched, BranchedConfig
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import BasicBlock, ResNetConfig


class RadiResNetConfig(BranchedConfig):
    """Shape of a ResNet with branch classifiers, two in a stage.

    Attributes:
        branch_stages: stages that have branches, of 1 to 3; all of them in the papers. The
            branches of the first are dear in a small network.
    """

    branch_stages: tuple[Literal[1, 2, 3], ...] = Field(default=(1, 2, 3), min_length=1)

    @model_validator(mode="after")
    def _stages_fit(self) -> RadiResNetConfig:
        if list(self.branch_stages) != sorted(set(self.branch_stages)):
            raise ValueError("branch_stages: name each stage once, in their order")
        if self.image_size < 8 and 1 in self.branch_stages:
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


def radi_branches(config: RadiResNetConfig) -> tuple[list[int], list[nn.Module]]:
    """Numbers of the blocks that have a branch behind them, and the branches, in their order."""
    n = config.blocks_per_stage
    kinds = (ConvBranch, BlockBranch, PoolBranch)
    places: list[int] = []
    branches: list[nn.Module] = []
    for stage, (kind, width) in enumerate(zip(kinds, config.widths, strict=True)):
        if stage + 1 in config.branch_stages:
            places += [stage * n + n // 4, stage * n + 3 * n // 4]
            branches += [kind(width, config.num_classes) for _ in range(2)]
    return places, branches


@architecture("radi_resnet", RadiResNetConfig)
class RadiResNet(Branched):
    """Branches behind the blocks n/4 and 3n/4 of each stage."""

    def __init__(self, config: RadiResNetConfig) -> None:
        shape = config.model_dump(exclude={"exit_entropy", "branch_stages"})
        super().__init__(ResNetConfig(**shape))
        self.add_branches(*radi_branches(config), config.exit_entropy)
