"""VGG (Simonyan and Zisserman 2015): convolutions 3x3 and max pools, then linear layers."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._image import (
    ImageConfig,
    Normalize,
    Width,
    black_image,
    initialize_convolutions,
)
from acsgen.nn.networks.base import architecture


class VggConfig(ImageConfig):
    """Shape of a VGG.

    Attributes:
        stages: channels of the convolutions 3x3 of each stage; a max pool 2/2 ends a stage.
        norm: BatchNorm behind every convolution, which have a bias either way, as in torchvision.
        pooled: rows and columns of the map that the linear layers read: 7 in torchvision, 1 in the
            networks for CIFAR. A larger map is averaged down to it.
        hidden: widths of the hidden linear layers, with ReLU.
    """

    stages: tuple[Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)], ...] = Field(
        default=((16,), (32,), (64,)), min_length=1, max_length=8
    )
    norm: bool = True
    pooled: int = Field(default=1, ge=1, le=16)
    hidden: tuple[Annotated[int, Field(ge=1, le=16384)], ...] = Field(default=(), max_length=4)

    @model_validator(mode="after")
    def _pools(self) -> VggConfig:
        size: int = self.image_size >> len(self.stages)
        if size < self.pooled:
            raise ValueError(
                f"images of {self.image_size} pixels leave {size} behind {len(self.stages)} "
                f"max pools, the classifier reads {self.pooled}: use larger images"
            )
        return self


@architecture("vgg", VggConfig)
class Vgg(nn.Module):
    """Image classifier for pixels in 0..255 (uint8 or float)."""

    def __init__(self, config: VggConfig) -> None:
        super().__init__()
        self.config = config
        self.normalize = Normalize(config.mean, config.std)
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        channels = config.in_channels
        for width in (width for stage in config.stages for width in stage):
            self.convs.append(nn.Conv2d(channels, width, 3, padding=1))
            if config.norm:
                self.norms.append(nn.BatchNorm2d(width))
            channels = width
        widths = (channels * config.pooled**2, *config.hidden, config.num_classes)
        self.classifier = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        initialize_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = self.normalize(x)
        index = 0
        for stage in self.config.stages:
            for _ in stage:
                x = self.convs[index](x)
                x = F.relu(self.norms[index](x) if self.config.norm else x)
                index += 1
            x = F.max_pool2d(x, 2)
        if self.config.pooled == 1:
            x = x.mean((2, 3))
        else:
            x = F.adaptive_avg_pool2d(x, self.config.pooled).flatten(1)
        for hidden in self.classifier[:-1]:
            x = F.relu(hidden(x))
        logits: Tensor = self.classifier[-1](x)
        return logits

    def example_input(self) -> Tensor:
        """One black image, uint8 [1, C, H, W], for shape tracing and export."""
        return black_image(self.config)

    def gated_layers(self) -> list[GatedLayer]:
        """None: nothing is skipped."""
        return []
