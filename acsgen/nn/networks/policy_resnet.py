"""ResNet with a policy network: a small network that sees the image first, and decides everything.

BlockDrop (Wu et al. 2018) decides which blocks run, GaterNet (Chen et al. 2019) which filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._image import Width
from acsgen.nn.networks._mixing import MixingConfig, MixingResNet, one_decision
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import ResNet, ResNetConfig


class PolicyResNetConfig(MixingConfig):
    """Shape of a ResNet with a policy network.

    Attributes:
        grain: ``block`` decides for every block whether it runs (BlockDrop); ``channel`` for every
            filter of the blocks' first convolutions (GaterNet, which gates the second ones too, to
            which the shortcut is added here).
        policy_depth: layers 6n+2 of the policy network, a ResNet itself: 8 in BlockDrop on CIFAR.
        policy_widths: channels of its stages.
        bottleneck: width of a linear layer with BatchNorm and ReLU before the decisions, as in
            GaterNet; None for none, as in BlockDrop.
    """

    grain: Literal["block", "channel"] = "block"
    policy_depth: int = Field(default=8, ge=8, le=152)
    policy_widths: tuple[Width, Width, Width] = (4, 8, 16)
    bottleneck: Width | None = None

    @property
    def bits(self) -> int:
        """Decisions for an image."""
        n = self.blocks_per_stage
        return self.blocks if self.grain == "block" else n * sum(self.widths)

    @property
    def policy(self) -> ResNetConfig:
        """Shape of the policy network; its classes are the decisions, or the bottleneck."""
        return ResNetConfig(
            depth=self.policy_depth,
            widths=self.policy_widths,
            in_channels=self.in_channels,
            image_size=self.image_size,
            num_classes=max(self.bottleneck or self.bits, 2),
            mean=self.mean,
            std=self.std,
        )

    @model_validator(mode="after")
    def _policy_has_a_shape(self) -> PolicyResNetConfig:
        if self.policy_depth % 6 != 2:
            raise ValueError(f"policy_depth must be 6n+2 (8, 14, ...), got {self.policy_depth}")
        return self


class Policy(ResNet):
    """A ResNet whose logits decide. It takes the normalized image.

    Args:
        config: see :class:`PolicyResNetConfig`.
    """

    def __init__(self, config: PolicyResNetConfig) -> None:
        super().__init__(config.policy)
        self.normalize = nn.Identity()  # type: ignore[assignment]
        last = self.fc
        self.decide: nn.Sequential | None = None
        if config.bottleneck is not None:
            last = nn.Linear(config.bottleneck, config.bits)
            self.decide = nn.Sequential(nn.BatchNorm1d(config.bottleneck), nn.ReLU(), last)
        nn.init.constant_(last.bias, AcsGate.INITIAL_LOGIT)

    def forward(self, x: Tensor) -> Tensor:
        """A normalized image [N, C, H, W] to logits [N, bits]."""
        logits = super().forward(x)
        if self.decide is not None:
            logits = self.decide(logits)
        return logits


@architecture("policy_resnet", PolicyResNetConfig)
class PolicyResNet(MixingResNet):
    """All decisions at once, before the first block; each block reads its part of them.

    A block that does not run is its shortcut, a filter that is off is zero. The state dict has the
    plain twin's names, so that a pretrained twin can be loaded.
    """

    def __init__(self, config: PolicyResNetConfig) -> None:
        super().__init__(config)
        self.grain = config.grain
        self.policy = Policy(config)
        self.gate = ChannelGate(config.threshold)

    def features(self, x: Tensor) -> Iterator[Tensor]:
        """Pixels [N, C, H, W] to the output of every block, in the order of execution."""
        image = self.normalize(x)
        masks = self.gate(self.policy(image))
        x = F.relu(self.bn1(self.conv1(image)))
        first = 0
        for _, block in self.blocks():
            bits = 1 if self.grain == "block" else block.conv1.out_channels
            mask, first = masks[:, first : first + bits], first + bits
            if self.grain == "block":
                x = self.mixed(block, x, mask)
            else:
                h = F.relu(block.bn1(block.conv1(x))) * mask
                shortcut = x if block.downsample is None else block.downsample(x)
                x = F.relu(block.bn2(block.conv2(h)) + shortcut)
            yield x

    def gated_layers(self) -> list[GatedLayer]:
        """The layers of the blocks, each by its part of the decisions."""
        layers: list[GatedLayer] = []
        first = 0
        for index, (name, block) in enumerate(self.blocks()):
            if self.grain == "block":
                layers += one_decision(name, "gate", index)
                continue
            bits = (first, block.conv1.out_channels)
            layers.append(GatedLayer(f"{name}.conv1", None, "gate", out_bits=bits))
            layers.append(GatedLayer(f"{name}.conv2", "gate", None, in_bits=bits))
            first += block.conv1.out_channels
        return layers
