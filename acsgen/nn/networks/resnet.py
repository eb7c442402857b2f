"""CIFAR-size ResNet (He et al. 2016), depth 6n+2, with optional ACS gates in every block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.dgconv import is_power_of_two
from acsgen.nn.gates.gate import AcsGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._image import (
    ImageConfig,
    Normalize,
    Width,
    black_image,
    initialize_convolutions,
)
from acsgen.nn.networks.base import architecture


class AcsConfig(BaseModel):
    """The places of the gates of a ResNet, and their structure.

    Attributes:
        granularity: ``block`` puts one gate in each block (the count that matches the published
            overheads), ``conv`` one before each of the block's two convolutions (the paper's text).
        mask_target: for ``block``: which convolutions' outputs the mask multiplies: ``inner`` the
            first's (the second then also skips those inputs), ``output`` the second's before the
            residual add, ``both``. With ``conv`` each convolution has its own mask, so it must be
            left out.
        mask_before_bn: multiply before BatchNorm instead of after BatchNorm (+ ReLU). The default
            keeps a masked channel exactly 0, which lets its consumer skip it as an input.

    The other fields are those of :class:`acsgen.nn.gates.gate.AcsGate`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    granularity: Literal["block", "conv"] = "block"
    mask_target: Literal["inner", "output", "both"] | None = None
    mask_before_bn: bool = False
    bottleneck: Width | None = None
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    grouping: bool = True
    se: bool = True
    reduction: int = Field(default=16, ge=1)
    bottleneck_stride: int = Field(default=1, ge=1, le=2)
    bottleneck_norm: bool = True
    last_norm: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> AcsConfig:
        if self.granularity == "conv" and self.mask_target is not None:
            raise ValueError("mask_target applies to granularity 'block' only; leave it out")
        if self.grouping and self.bottleneck is not None and not is_power_of_two(self.bottleneck):
            raise ValueError("bottleneck must be a power of two when grouping is on")
        return self

    @property
    def masks_inner(self) -> bool:
        """Whether the block's first convolution is masked."""
        return self.granularity == "conv" or self.mask_target in (None, "inner", "both")

    @property
    def masks_output(self) -> bool:
        """Whether the block's second convolution is masked."""
        return self.granularity == "conv" or self.mask_target in ("output", "both")

    def make_gate(self, in_channels: int, out_channels: int) -> AcsGate:
        """A gating network for ``out_channels`` masks from an input of ``in_channels``."""
        return AcsGate(
            in_channels,
            out_channels,
            bottleneck=self.bottleneck,
            threshold=self.threshold,
            grouping=self.grouping,
            se=self.se,
            reduction=self.reduction,
            bottleneck_stride=self.bottleneck_stride,
            bottleneck_norm=self.bottleneck_norm,
            last_norm=self.last_norm,
        )


class BackboneConfig(ImageConfig):
    """Shape of a CIFAR-size ResNet.

    Attributes:
        depth: 6n+2 layers: three stages of n blocks of two convolutions, a stem and a classifier.
        widths: channels of the three stages; (32, 64, 128) is the ACS paper's ResNet.
    """

    depth: int = Field(default=8, ge=8, le=152)
    widths: tuple[Width, Width, Width] = (16, 32, 64)

    @model_validator(mode="after")
    def _whole_stages(self) -> BackboneConfig:
        if self.depth % 6 != 2:
            raise ValueError(f"depth must be 6n+2 (8, 14, 20, 26, 32, 38, ...), got {self.depth}")
        return self

    @property
    def blocks_per_stage(self) -> int:
        """n of 6n+2."""
        return (self.depth - 2) // 6

    @property
    def blocks(self) -> int:
        """Residual blocks of all stages."""
        return 3 * self.blocks_per_stage


class ResNetConfig(BackboneConfig):
    """A ResNet with or without ACS gates.

    Attributes:
        gate: ACS gates, or None for the static network.
    """

    gate: AcsConfig | None = None


class BasicBlock(nn.Module):
    """conv3x3, BN, ReLU, conv3x3, BN, plus shortcut, ReLU; with the masks that ``gate`` asks for.

    The shortcut is the identity, or conv1x1 + BN (no ReLU) where the shape changes.
    """

    def __init__(self, in_channels: int, width: int, stride: int, gate: AcsConfig | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )
        self.config = gate
        self.gate1 = gate.make_gate(in_channels, width) if gate else None
        two_gates = gate is not None and gate.granularity == "conv"
        self.gate2 = gate.make_gate(width, width) if gate and two_gates else None

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to [N, width, H / stride, W / stride]."""
        mask1 = self.gate1(x) if self.gate1 is not None else None
        inner = mask1 if self.config and self.config.masks_inner else None
        h = self._norm(self.conv1(x), self.bn1, inner, relu=True)
        mask2 = self.gate2(h) if self.gate2 is not None else mask1
        outer = mask2 if self.config and self.config.masks_output else None
        y = self._norm(self.conv2(h), self.bn2, outer, relu=False)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(y + shortcut)

    def _norm(self, x: Tensor, bn: nn.Module, mask: Tensor | None, relu: bool) -> Tensor:
        before = self.config is not None and self.config.mask_before_bn
        if mask is not None and before:
            x = x * mask
        x = F.relu(bn(x)) if relu else bn(x)
        if mask is not None and not before:
            x = x * mask
        return x

    def gated_layers(self, prefix: str) -> list[GatedLayer]:
        """Which of the block's convolutions skip, by which gate; names start with ``prefix``."""
        if self.config is None:
            return []
        gate1 = f"{prefix}gate1.gate"
        gate2 = f"{prefix}gate2.gate" if self.gate2 is not None else gate1
        inner = gate1 if self.config.masks_inner else None
        outer = gate2 if self.config.masks_output else None
        zero_inputs = inner if not self.config.mask_before_bn else None
        layers = [
            GatedLayer(f"{prefix}conv1", in_gate=None, out_gate=inner),
            GatedLayer(f"{prefix}conv2", in_gate=zero_inputs, out_gate=outer),
        ]
        if self.gate2 is not None:
            layers.append(GatedLayer(f"{prefix}gate2.reduce", in_gate=zero_inputs, out_gate=None))
        return layers


@architecture("resnet", ResNetConfig)
class ResNet(nn.Module):
    """Image classifier for pixels in 0..255 (uint8 or float)."""

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config = config
        w1, w2, w3 = config.widths
        self.normalize = Normalize(config.mean, config.std)
        self.conv1 = nn.Conv2d(config.in_channels, w1, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(w1)
        self.layer1 = self._stage(w1, w1, stride=1)
        self.layer2 = self._stage(w1, w2, stride=2)
        self.layer3 = self._stage(w2, w3, stride=2)
        self.fc = nn.Linear(w3, config.num_classes)
        initialize_convolutions(self)

    def _stage(self, in_channels: int, width: int, stride: int) -> nn.Sequential:
        gate = self.config.gate
        blocks = [BasicBlock(in_channels, width, stride, gate)]
        blocks += [
            BasicBlock(width, width, 1, gate) for _ in range(self.config.blocks_per_stage - 1)
        ]
        return nn.Sequential(*blocks)

    def blocks(self) -> Iterator[tuple[str, BasicBlock]]:
        """The residual blocks and their names, in the order of execution."""
        for stage in ("layer1", "layer2", "layer3"):
            for index, block in enumerate(getattr(self, stage)):
                yield f"{stage}.{index}", cast(BasicBlock, block)

    def stem(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to the first block's input."""
        return F.relu(self.bn1(self.conv1(self.normalize(x))))

    def classify(self, x: Tensor) -> Tensor:
        """The last block's output to logits [N, num_classes]."""
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        *_, x = self.features(x)
        return self.classify(x)

    def features(self, x: Tensor) -> Iterator[Tensor]:
        """Pixels [N, C, H, W] to the output of every block, in the order of execution."""
        x = self.stem(x)
        for _, block in self.blocks():
            x = block(x)
            yield x

    def example_input(self) -> Tensor:
        """One black image, uint8 [1, C, H, W], for shape tracing and export."""
        return black_image(self.config)

    def gated_layers(self) -> list[GatedLayer]:
        """The layers that skip channels (see :class:`acsgen.nn.mac_counter.GatedLayer`)."""
        return [
            layer
            for name, module in self.named_modules()
            if isinstance(module, BasicBlock)
            for layer in module.gated_layers(f"{name}.")
        ]
