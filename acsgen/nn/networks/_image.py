"""What every network's configuration says about its images, and what every network offers."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from torch import Tensor, nn

#: Channels of a layer. The bounds of the configurations keep a forged model file from claiming all
#: memory before its weights are even looked at.
Width = Annotated[int, Field(ge=1, le=4096)]


class ImageConfig(BaseModel):
    """Images and classes of a network.

    Attributes:
        num_classes: classifier outputs.
        in_channels: image channels.
        image_size: height and width of the images, in pixels.
        mean: per image channel, in units of the full pixel range [0, 1].
        std: likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_classes: int = Field(default=10, ge=2, le=65_536)
    in_channels: int = Field(default=3, ge=1, le=1024)
    image_size: int = Field(default=32, ge=4, le=1024)
    mean: tuple[FiniteFloat, ...] = (0.5, 0.5, 0.5)
    std: tuple[FiniteFloat, ...] = (0.25, 0.25, 0.25)

    @model_validator(mode="after")
    def _one_value_a_channel(self) -> ImageConfig:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.in_channels:
                raise ValueError(
                    f"{name} needs one value per image channel ({self.in_channels}), "
                    f"got {len(values)}"
                )
        if min(self.std) <= 0.0:
            raise ValueError(f"std must be positive, got {self.std}")
        return self


class Normalize(nn.Module):
    """Pixels 0..255 (uint8 or float) to zero mean and unit variance: the model's first layer.

    It is part of the model so that the accelerator takes the camera's bytes, and no program around
    it has to know the constants.

    Args:
        mean: per channel, for pixels scaled to [0, 1].
        std: likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] pixels to float32 of the same shape."""
        return (x.to(torch.float32) / 255.0 - self.mean) / self.std


def black_image(config: ImageConfig) -> Tensor:
    """One black image, uint8 [1, C, H, W], for shape tracing and export."""
    size = config.image_size
    return torch.zeros(1, config.in_channels, size, size, dtype=torch.uint8)


def initialize_convolutions(network: nn.Module) -> None:
    """Kaiming's initialisation by fan-out (He et al. 2015), of every convolution."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
