"""ResNet with the early exits of BranchyNet (Teerapittayanon et al. 2016)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.networks._branches import Branched, BranchedConfig
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import ResNetConfig


class BranchPlace(BaseModel):
    """A branch classifier.

    Attributes:
        block: number of the block behind which it is, from 0 on.
        convolutions: before its linear layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: int = Field(ge=0)
    convolutions: int = Field(ge=1, le=8)


class BranchyResNetConfig(BranchedConfig):
    """Shape of a ResNet with early exits.

    Attributes:
        branches: in the order of the blocks. Left out, those of the paper's ResNet-110: one of
            three convolutions near the input, one of two at the end of the first stage. The paper
            has the first behind the second convolution, which is inside of the first block; here it
            is behind that block.
    """

    branches: tuple[BranchPlace, ...] | None = Field(default=None, min_length=1)

    @property
    def places(self) -> tuple[BranchPlace, ...]:
        """Those of the network."""
        if self.branches is not None:
            return self.branches
        near = BranchPlace(block=0, convolutions=3)
        return near, BranchPlace(block=self.blocks_per_stage - 1, convolutions=2)

    @model_validator(mode="after")
    def _places_are_blocks(self) -> BranchyResNetConfig:
        blocks = [place.block for place in self.places]
        if blocks != sorted(blocks):
            raise ValueError("branches: name their blocks in the order of execution")
        if blocks[-1] >= self.blocks:
            last = self.blocks - 1
            raise ValueError(f"branches: the last of the {self.blocks} blocks is block {last}")
        return self


class StridedBranch(nn.Module):
    """Classifier of conv3x3 of stride 2, BN, ReLU, so many times, then average and linear.

    The paper gives the number of convolutions, and neither their channels nor how they shrink the
    map: they have the channels of the map that they read, and stride 2.
    """

    def __init__(self, channels: int, convolutions: int, classes: int) -> None:
        super().__init__()
        numbers = range(convolutions)
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False) for _ in numbers
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in numbers)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to logits [N, classes]."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


@architecture("branchy_resnet", BranchyResNetConfig)
class BranchyResNet(Branched):
    """The plain twin with early exits, and nothing else that depends on the image."""

    def __init__(self, config: BranchyResNetConfig) -> None:
        super().__init__(ResNetConfig(**config.model_dump(exclude={"exit_entropy", "branches"})))
        widths = [block.conv2.out_channels for _, block in self.blocks()]
        self.add_branches(
            [place.block for place in config.places],
            [
                StridedBranch(widths[place.block], place.convolutions, config.num_classes)
                for place in config.places
            ],
            config.exit_entropy,
        )
