"""ResNet with filters pruned once for all images, by their L1 norm (PFEC, Li et al. 2017)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.gate import ChannelGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import BackboneConfig, ResNet, ResNetConfig

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class PfecResNetConfig(BackboneConfig):
    """Shape of a ResNet with pruned filters.

    Attributes:
        keep: share of the filters of each block's first convolution that stay, by stage. Those of
            the second one are added to the shortcut, and all stay (PFEC, section 3.3).
    """

    keep: tuple[Share, Share, Share] = (0.5, 0.5, 0.5)


class ConstantMask(nn.Module):
    """A mask that is the same for all images; at first all channels are open."""

    logits: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.ones(channels))
        self.gate = ChannelGate()

    def forward(self, x: Tensor) -> Tensor:
        """Images [N, ...] to their mask [N, channels, 1, 1]."""
        mask: Tensor = self.gate(self.logits.expand(len(x), -1))
        return mask

    def keep_largest(self, norms: Tensor, share: float) -> None:
        """Keep the channels of the largest norms [channels], one of them at least."""
        count = max(round(share * len(norms)), 1)
        self.logits.fill_(-1.0)
        self.logits[norms.topk(count).indices] = 1.0


@architecture("pfec_resnet", PfecResNetConfig)
class PfecResNet(ResNet):
    """The plain twin, with the names of its weights, and a constant mask inside of every block."""

    def __init__(self, config: PfecResNetConfig) -> None:
        shape = {name: getattr(config, name) for name in BackboneConfig.model_fields}
        super().__init__(ResNetConfig(**shape))
        self.keep = config.keep
        self.masks = nn.ModuleList(
            ConstantMask(block.conv1.out_channels) for _, block in self.blocks()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = self.stem(x)
        for (_, block), mask in zip(self.blocks(), self.masks, strict=True):
            inner = F.relu(block.bn1(block.conv1(x))) * mask(x)
            shortcut = x if block.downsample is None else block.downsample(x)
            x = F.relu(block.bn2(block.conv2(inner)) + shortcut)
        return self.classify(x)

    @torch.no_grad()
    def prune(self) -> None:
        """Keep the filters of the largest L1 norm, as many as the configuration says."""
        in_stage = len(self.masks) // len(self.keep)
        for number, ((_, block), mask) in enumerate(zip(self.blocks(), self.masks, strict=True)):
            assert isinstance(mask, ConstantMask)
            norms = block.conv1.weight.abs().sum((1, 2, 3))
            mask.keep_largest(norms, self.keep[number // in_stage])

    def gated_layers(self) -> list[GatedLayer]:
        """Both convolutions of every block; a pruned channel is zero for the second."""
        layers = []
        for number, (name, _) in enumerate(self.blocks()):
            gate = f"masks.{number}.gate"
            layers.append(GatedLayer(f"{name}.conv1", None, gate))
            layers.append(GatedLayer(f"{name}.conv2", gate, None))
        return layers
