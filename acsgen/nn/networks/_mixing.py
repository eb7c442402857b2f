"""Residual networks whose blocks a mask mixes with their own identity: SkipNet, OFAS, IADI."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks.resnet import BackboneConfig, BasicBlock, ResNet, ResNetConfig


class MixingConfig(BackboneConfig):
    """Shape of a ResNet whose blocks are skipped.

    Attributes:
        threshold: of the gates, in [0, 1].
        rectify_shortcut: what a skipped block that changes the shape puts out: True for the ReLU of
            its shortcut, which costs the engine nothing; False for the shortcut itself, negative
            values included, as in the public code. Its readers then get signed maps, and every
            block of that stage takes a pointwise pass more and a 1x1 depthwise convolution.
    """

    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    rectify_shortcut: bool = True


def mix(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """``mask * new + (1 - mask) * old``; the mask [N, C, 1, 1] or [N, 1, 1, 1]."""
    return mask * new + (1 - mask) * old


class MixingResNet(ResNet):
    """The plain twin's layers, and the mix of a block with its identity.

    The state dict has the twin's names, so that a pretrained twin can be loaded.
    """

    def __init__(self, config: MixingConfig) -> None:
        shape = {name: getattr(config, name) for name in BackboneConfig.model_fields}
        super().__init__(ResNetConfig(**shape))
        self.rectify_shortcut = config.rectify_shortcut

    def mixed(self, block: BasicBlock, x: Tensor, mask: Tensor) -> Tensor:
        """A block of two convolutions, mixed with its shortcut."""
        return self.mixed_end(block, x, F.relu(block.bn1(block.conv1(x))), mask)

    def mixed_end(self, block: BasicBlock, x: Tensor, h: Tensor, mask: Tensor) -> Tensor:
        """The second half of a block, from the result ``h`` of its first convolution on."""
        shortcut = x if block.downsample is None else block.downsample(x)
        new = F.relu(block.bn2(block.conv2(h)) + shortcut)
        rectified = block.downsample is not None and self.rectify_shortcut
        return mix(mask, new, F.relu(shortcut) if rectified else shortcut)


def one_decision(block: str, gate: str, bit: int | None = None) -> list[GatedLayer]:
    """The layers of a block that runs or does not run.

    Args:
        block: its name.
        gate: call of the gate.
        bit: which of the gate's bits decides; None where it has one.
    """
    bits = None if bit is None else (bit, 1)
    return [GatedLayer(f"{block}.{conv}", None, gate, out_bits=bits) for conv in ("conv1", "conv2")]
