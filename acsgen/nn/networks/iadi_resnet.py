"""ResNet with the gates of IADI, the input-adaptive half of DDI (Wang et al. 2020): channel gates,
layer gates, or both, which is their MGL2S (multi-grained learning to skip)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.calls import call_name
from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.gates.recurrent import RecurrentGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._mixing import MixingConfig, MixingResNet, mix
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.resnet import BasicBlock


class IadiResNetConfig(MixingConfig):
    """Shape of a ResNet with IADI channel gates.

    Attributes:
        granularity: ``block`` has one gate in each block, whose channels are mixed with the block's
            shortcut: the number that the published overhead of 12.5 % of a block fits. ``conv``
            has one for each convolution (the paper's text): that of the first mixes its channels
            with the block's input, or switches them off where the shape changes.
        gates: ``channel``; ``layer``: a recurrent gate decides for every block but the first
            whether it runs; ``both`` (MGL2S): the layer gate first, and the channel gate where the
            block runs.
        gate_norm: BatchNorm and ReLU behind the gate's convolution, as in the public code. The
            paper names none; without them logits grow with the maps, and saturate.
    """

    granularity: Literal["block", "conv"] = "block"
    gates: Literal["channel", "layer", "both"] = "channel"
    gate_norm: bool = True

    @model_validator(mode="after")
    def _one_gate_a_block(self) -> IadiResNetConfig:
        if self.gates != "channel" and self.granularity == "conv":
            raise ValueError("layer gates go with granularity: block, one channel gate in each")
        return self


class IadiGate(nn.Module):
    """conv3x3 of stride 2, global average, linear layer, gate (DDI in JSTSP 2020, Figure 3).

    Args:
        in_channels: C of the input [N, C, H, W].
        out_channels: bits of the mask [N, bits, 1, 1].
        norm: BatchNorm and ReLU behind the convolution.
        threshold: see :class:`acsgen.nn.gates.gate.ChannelGate`.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: bool, threshold: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, in_channels, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(in_channels) if norm else None
        self.fc = nn.Linear(in_channels, out_channels)
        nn.init.constant_(self.fc.bias, AcsGate.INITIAL_LOGIT)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to a mask [N, out_channels, 1, 1]."""
        x = self.conv(x)
        if self.norm is not None:
            x = F.relu(self.norm(x))
        mask: Tensor = self.gate(self.fc(x.mean((2, 3))))
        return mask


@architecture("iadi_resnet", IadiResNetConfig)
class IadiResNet(MixingResNet):
    """``g * C(F) + (1 - g) * F`` by channel, in every block or in every convolution; with a layer
    gate ``m``, ``m * g`` in the place of ``g``."""

    def __init__(self, config: IadiResNetConfig) -> None:
        super().__init__(config)
        self.per_convolution = config.granularity == "conv"
        self.gates = nn.ModuleList()
        self.first_gates = nn.ModuleList()
        outs = [block.conv1.out_channels for _, block in self.blocks()]
        layer_gates = config.gates != "channel"
        self.control = RecurrentGate(outs[:-1], config.threshold) if layer_gates else None
        for _, block in self.blocks():
            if config.gates == "layer":
                continue
            ins, width = block.conv1.in_channels, block.conv1.out_channels
            if self.per_convolution:
                self.first_gates.append(IadiGate(ins, width, config.gate_norm, config.threshold))
                ins = width
            self.gates.append(IadiGate(ins, width, config.gate_norm, config.threshold))

    def features(self, x: Tensor) -> Iterator[Tensor]:
        """Pixels [N, C, H, W] to the output of every block, in the order of execution."""
        x = self.stem(x)
        state = None
        for index, (_, block) in enumerate(self.blocks()):
            masks = []
            if self.control is not None and index:
                runs, state = self.control(x, index - 1, state)
                masks.append(runs)
            if self.per_convolution:
                x = self._by_convolution(index, block, x)
            elif len(self.gates):
                masks.append(self.gates[index](x))
                x = self.mixed(block, x, masks[0] if len(masks) == 1 else masks[0] * masks[1])
            else:
                x = self.mixed(block, x, masks[0]) if masks else block(x)
            yield x

    def _by_convolution(self, index: int, block: BasicBlock, x: Tensor) -> Tensor:
        """A block with a gate for each of its convolutions."""
        mask = self.first_gates[index](x)
        h = F.relu(block.bn1(block.conv1(x)))
        h = mix(mask, h, x) if block.downsample is None else mask * h
        return self.mixed_end(block, x, h, self.gates[index](h))

    def gated_layers(self) -> list[GatedLayer]:
        """The layers that skip channels, or are skipped."""
        layers = []
        for index, (name, block) in enumerate(self.blocks()):
            runs = call_name("control.gate", index - 1) if self.control and index else None
            gate = f"gates.{index}.gate" if len(self.gates) else None
            first = f"first_gates.{index}.gate" if self.per_convolution else runs
            zeros = first if self.per_convolution and block.downsample is not None else None
            layers.append(GatedLayer(f"{name}.conv1", None, first))
            switch = runs if gate is not None else None
            layers.append(GatedLayer(f"{name}.conv2", zeros, gate or runs, switch=switch))
            if zeros is not None or switch is not None:
                layers.append(GatedLayer(f"gates.{index}.conv", zeros, switch))
        return layers
