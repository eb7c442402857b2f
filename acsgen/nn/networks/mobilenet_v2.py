"""MobileNetV2 (Sandler et al. 2018): inverted residuals with depthwise convolutions and ReLU6."""

from __future__ import annotations

from typing import Annotated, cast

from pydantic import Field
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

#: Inner channels, channels of the result and stride of one inverted residual.
Residual = tuple[Width, Width, Annotated[int, Field(ge=1, le=2)]]


class MobileNetV2Config(ImageConfig):
    """Shape of a MobileNetV2.

    Attributes:
        stem_width: channels of the stem.
        stem_stride: 2 as in the paper, or 1 for small images.
        residuals: inner channels, channels of the result and stride of every inverted residual. One
            whose inner channels are those of its input has no expanding convolution.
        last_width: channels of the last convolution.
    """

    stem_width: Width = 8
    stem_stride: int = Field(default=1, ge=1, le=2)
    residuals: tuple[Residual, ...] = Field(
        default=((8, 8, 1), (32, 12, 2), (48, 12, 1), (48, 24, 2)), min_length=1, max_length=64
    )
    last_width: Width = 64


class InvertedResidual(nn.Module):
    """1x1, BN, ReLU6, depthwise 3x3, BN, ReLU6, 1x1, BN; plus the input where the shapes agree."""

    def __init__(self, in_channels: int, inner: int, width: int, stride: int) -> None:
        super().__init__()
        self.adds = stride == 1 and in_channels == width
        self.expand = _conv_norm(in_channels, inner, 1) if inner != in_channels else None
        self.depthwise = _conv_norm(inner, inner, 3, stride, inner)
        self.project = _conv_norm(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to [N, width, H / stride, W / stride]."""
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = cast(Tensor, self.project(F.relu6(self.depthwise(y))))
        return x + y if self.adds else y


@architecture("mobilenet_v2", MobileNetV2Config)
class MobileNetV2(nn.Module):
    """Image classifier for pixels in 0..255 (uint8 or float)."""

    def __init__(self, config: MobileNetV2Config) -> None:
        super().__init__()
        self.config = config
        self.normalize = Normalize(config.mean, config.std)
        channels = config.stem_width
        self.stem = _conv_norm(config.in_channels, channels, 3, config.stem_stride)
        self.residuals = nn.ModuleList()
        for inner, width, stride in config.residuals:
            self.residuals.append(InvertedResidual(channels, inner, width, stride))
            channels = width
        self.last = _conv_norm(channels, config.last_width, 1)
        self.fc = nn.Linear(config.last_width, config.num_classes)
        initialize_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = F.relu6(self.stem(self.normalize(x)))
        for residual in self.residuals:
            x = residual(x)
        logits: Tensor = self.fc(F.relu6(self.last(x)).mean((2, 3)))
        return logits

    def example_input(self) -> Tensor:
        """One black image, uint8 [1, C, H, W], for shape tracing and export."""
        return black_image(self.config)

    def gated_layers(self) -> list[GatedLayer]:
        """None: nothing is skipped."""
        return []


def _conv_norm(
    in_channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(
        in_channels, width, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm2d(width))
