"""ResNet and ResNeXt of any number of stages, with torchvision's blocks (He et al. 2016)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.dgconv import DGConv2d, is_power_of_two
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._image import (
    ImageConfig,
    Normalize,
    Width,
    black_image,
    initialize_convolutions,
)
from acsgen.nn.networks.base import architecture


class ImageResNetConfig(ImageConfig):
    """Shape of a ResNet.

    Attributes:
        blocks: residual blocks of each stage; every stage but the first halves the map.
        widths: channels that each stage puts out.
        inner: channels inside of a bottleneck, by stage; None for blocks of two convolutions 3x3.
        groups: of the 3x3 convolution of a bottleneck: 1, or ResNeXt's.
        learned_groups: the 3x3 convolutions of bottlenecks learn their groups (DGConv): G-ResNeXt.
        stem_width: channels of the stem.
        stem: ``7x7`` of stride 2 with max pooling 3x3/2, or ``3x3`` of stride 1.
    """

    blocks: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        default=(1, 1, 1, 1), min_length=1, max_length=8
    )
    widths: tuple[Width, ...] = (16, 32, 64, 128)
    inner: tuple[Width, ...] | None = None
    groups: int = Field(default=1, ge=1, le=256)
    learned_groups: bool = False
    stem_width: Width = 16
    stem: Literal["7x7", "3x3"] = "3x3"

    @model_validator(mode="after")
    def _one_width_a_stage(self) -> ImageResNetConfig:
        for name, values in (("widths", self.widths), ("inner", self.inner)):
            if values is not None and len(values) != len(self.blocks):
                raise ValueError(
                    f"{name} needs one value a stage ({len(self.blocks)}), got {len(values)}"
                )
        if self.inner is None and self.groups > 1:
            raise ValueError("groups need bottlenecks: give inner")
        if self.learned_groups and (self.inner is None or self.groups > 1):
            raise ValueError("learned_groups need bottlenecks, without groups: give inner alone")
        uneven = [width for width in self.inner or () if not is_power_of_two(width)]
        if self.learned_groups and uneven:
            raise ValueError(f"learned_groups need powers of two as inner, got {uneven[0]}")
        wrong = [width for width in self.inner or () if width % self.groups]
        if wrong:
            raise ValueError(f"{self.groups} groups do not divide {wrong[0]} channels")
        return self


class ImageBlock(nn.Module):
    """Two convolutions 3x3, or 1x1, 3x3, 1x1; each with BN, plus the shortcut, ReLU.

    Args:
        in_channels: C of the input.
        inner: channels inside of a bottleneck; None for two convolutions 3x3.
        width: channels of the result.
        stride: of the first 3x3 convolution and of the shortcut.
        groups: of the 3x3 convolution of a bottleneck; None where it learns them.
    """

    def __init__(
        self, in_channels: int, inner: int | None, width: int, stride: int, groups: int | None
    ) -> None:
        super().__init__()
        self.conv2: nn.Module
        self.conv3: nn.Module | None = None
        if inner is None:
            self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
        else:
            self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(inner)
            self.conv2 = (
                DGConv2d(inner, 3, stride)
                if groups is None
                else nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False)
            )
            self.bn2 = nn.BatchNorm2d(inner)
            self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(width)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to [N, width, H / stride, W / stride]."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.conv3 is not None:
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


@architecture("image_resnet", ImageResNetConfig)
class ImageResNet(nn.Module):
    """Image classifier for pixels in 0..255 (uint8 or float)."""

    def __init__(self, config: ImageResNetConfig) -> None:
        super().__init__()
        self.config = config
        large = config.stem == "7x7"
        kernel, stride = (7, 2) if large else (3, 1)
        channels = config.stem_width
        self.normalize = Normalize(config.mean, config.std)
        self.conv1 = nn.Conv2d(
            config.in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self.pools = large
        self.stages = nn.ModuleList()
        groups = None if config.learned_groups else config.groups
        inner = config.inner or (None,) * len(config.blocks)
        for number, blocks in enumerate(config.blocks):
            width, stage = config.widths[number], nn.Sequential()
            for index in range(blocks):
                step = 2 if number and not index else 1
                block = ImageBlock(channels, inner[number], width, step, groups)
                stage.append(block)
                channels = width
            self.stages.append(stage)
        self.fc = nn.Linear(channels, config.num_classes)
        initialize_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = F.relu(self.bn1(self.conv1(self.normalize(x))))
        if self.pools:
            x = F.max_pool2d(x, 3, stride=2, padding=1)
        for stage in self.stages:
            x = stage(x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits

    def example_input(self) -> Tensor:
        """One black image, uint8 [1, C, H, W], for shape tracing and export."""
        return black_image(self.config)

    def gated_layers(self) -> list[GatedLayer]:
        """None: nothing is skipped."""
        return []
