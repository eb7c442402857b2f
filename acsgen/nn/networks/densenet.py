"""DenseNet-BC (Huang et al. 2017), plain or with the channel gates of ACS or IADI."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.calls import call_name
from acsgen.nn.gates.dgconv import is_power_of_two
from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.gates.recurrent import RecurrentGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._image import (
    ImageConfig,
    Normalize,
    Width,
    black_image,
    initialize_convolutions,
)
from acsgen.nn.networks.base import architecture


class DenseGateConfig(BaseModel):
    """The gates of a DenseNet: each reads the maps so far, and decides the next layer's channels.

    Attributes:
        system: ``acs`` for :class:`acsgen.nn.gates.gate.AcsGate`, which has the fields from
            ``grouping`` on; ``iadi`` for :class:`IadiDenseGate`.
        gates: ``channel``; ``layer``: a recurrent gate decides for every layer but the first of a
            block whether it runs, and a layer that does not has a copy of the maps of the one
            before; ``both`` (MGL2S): the layer gate first, and the channel gate where the layer
            runs.
        bottleneck: channels inside of the gate; by default ``growth`` for ACS, which is the public
            code's 32 at growth 32, and ``bn_size * growth / 2`` for IADI.
        threshold: of the gates, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Literal["acs", "iadi"] = "acs"
    gates: Literal["channel", "layer", "both"] = "channel"
    bottleneck: Width | None = None
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)
    grouping: bool = True
    se: bool = True
    reduction: int = Field(default=16, ge=1)
    bottleneck_stride: int = Field(default=1, ge=1, le=2)
    bottleneck_norm: bool = True
    last_norm: bool = True
    last_width: Width | None = None


class DenseNetConfig(ImageConfig):
    """Shape of a DenseNet-BC.

    Attributes:
        growth: channels that a layer adds.
        bn_size: width of a layer's bottleneck, in units of ``growth``.
        blocks: layers of the dense blocks.
        init_features: channels of the stem.
        stem: ``7x7`` of stride 2 with max pooling 3x3/2, or ``3x3`` of stride 1.
        final_transition: halve channels and map behind the last block too, as the public code of
            ACS does.
        gate: gates, or None for the static network.
    """

    growth: Width = 12
    bn_size: int = Field(default=4, ge=1, le=64)
    blocks: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        default=(3, 3, 3), min_length=1, max_length=8
    )
    init_features: Width = 24
    stem: Literal["7x7", "3x3"] = "3x3"
    final_transition: bool = False
    gate: DenseGateConfig | None = None

    @model_validator(mode="after")
    def _gates_fit(self) -> DenseNetConfig:
        gate = self.gate
        if gate is not None and gate.gates != "channel" and gate.system != "iadi":
            raise ValueError(f"gates: {gate.gates} goes with system: iadi")
        if gate is not None and gate.system == "acs" and gate.grouping:
            width = self.growth if gate.bottleneck is None else gate.bottleneck
            if not is_power_of_two(width):
                raise ValueError(
                    f"ACS gates with grouping need a power of two as bottleneck, got {width}"
                )
            if gate.last_width not in (None, width):
                raise ValueError(
                    f"ACS gates with grouping have {width} channels up to the end: leave out "
                    f"last_width, or set grouping: false"
                )
        return self

    @model_validator(mode="after")
    def _maps_are_left(self) -> DenseNetConfig:
        size = self.image_size
        if self.stem == "7x7":  # a convolution and a pool of stride 2, both padded
            size = (size + 3) // 4
        halved = len(self.blocks) - 1 + self.final_transition
        if size >> halved < 1:
            raise ValueError(
                f"images of {self.image_size} pixels leave {size} behind a stem of {self.stem}, "
                f"too few to be halved by {halved} transitions: use larger images, the stem of "
                f"3x3, or fewer blocks"
            )
        return self


class IadiDenseGate(nn.Module):
    """IADI's gate of a DenseNet: 1x1/2, BN, ReLU, 3x3, global average, linear layer, gate.

    Args:
        in_channels: C of the input [N, C, H, W].
        bottleneck: channels behind the first convolution.
        growth: channels behind the second one, and bits of the mask [N, growth, 1, 1].
        threshold: see :class:`acsgen.nn.gates.gate.ChannelGate`.
    """

    def __init__(self, in_channels: int, bottleneck: int, growth: int, threshold: float) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, bottleneck, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(bottleneck)
        self.conv = nn.Conv2d(bottleneck, growth, 3, padding=1, bias=False)
        self.fc = nn.Linear(growth, growth)
        nn.init.constant_(self.fc.bias, AcsGate.INITIAL_LOGIT)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to a mask [N, growth, 1, 1]."""
        x = self.conv(F.relu(self.norm(self.reduce(x))))
        mask: Tensor = self.gate(self.fc(x.mean((2, 3))))
        return mask


class DenseLayer(nn.Module):
    """BN, ReLU, conv1x1, BN, ReLU, conv3x3: the maps so far to ``growth`` new ones."""

    def __init__(self, in_channels: int, growth: int, bn_size: int) -> None:
        super().__init__()
        width = bn_size * growth
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to [N, growth, H, W]."""
        x = self.conv1(F.relu(self.norm1(x)))
        new: Tensor = self.conv2(F.relu(self.norm2(x)))
        return new


class Transition(nn.Module):
    """BN, ReLU, conv1x1 to half of the channels, average pool 2/2."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, C / 2, H / 2, W / 2]."""
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


@architecture("densenet", DenseNetConfig)
class DenseNet(nn.Module):
    """Image classifier for pixels in 0..255 (uint8 or float).

    With gates, the maps behind a layer decide which of the next layer's channels are computed; a
    masked channel is a map of zeros in the concatenation. The first layer always runs, and the last
    gate of a block decides on the first layer of the next one (public code of ACS).
    """

    def __init__(self, config: DenseNetConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.init_features
        self.normalize = Normalize(config.mean, config.std)
        large = config.stem == "7x7"
        kernel, stride = (7, 2) if large else (3, 1)
        self.conv = nn.Conv2d(
            config.in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.norm = nn.BatchNorm2d(channels) if large else None
        self.blocks = nn.ModuleList()
        self.gates = nn.ModuleList()
        self.transitions = nn.ModuleList()
        seen: list[int] = []
        for number, layers in enumerate(config.blocks):
            last = number == len(config.blocks) - 1
            block, gates = nn.ModuleList(), nn.ModuleList()
            for index in range(layers):
                block.append(DenseLayer(channels, config.growth, config.bn_size))
                channels += config.growth
                if config.gate is not None and not (last and index == layers - 1):
                    if index < layers - 1:
                        seen.append(channels)
                    if config.gate.gates != "layer":
                        gates.append(_gate(config, config.gate, channels))
            self.blocks.append(block)
            self.gates.append(gates)
            if not last or config.final_transition:
                self.transitions.append(Transition(channels))
                channels //= 2
        layer_gates = config.gate is not None and config.gate.gates != "channel"
        threshold = config.gate.threshold if config.gate is not None else 0.5
        self.control = RecurrentGate(seen, threshold) if layer_gates else None
        self.last_norm = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, config.num_classes)
        initialize_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = self.conv(self.normalize(x))
        if self.norm is not None:
            x = F.max_pool2d(F.relu(self.norm(x)), 3, stride=2, padding=1)
        mask: Tensor | None = None
        runs: Tensor | None = None
        state, calls = None, 0
        for number, block in enumerate(self.blocks):
            gates = cast(nn.ModuleList, self.gates[number])
            before: Tensor | None = None
            for index, layer in enumerate(cast(nn.ModuleList, block)):
                new = layer(x)
                if before is not None and runs is not None:
                    new = (runs if mask is None else mask * runs) * new + (1 - runs) * before
                elif mask is not None:
                    new = mask * new
                before = new
                x = torch.cat([x, new], 1)
                # The layer gate comes first: where it closes a layer, the channel gate is not read.
                if self.control is not None and index < self.config.blocks[number] - 1:
                    runs, state = self.control(x, calls, state)
                    calls += 1
                mask = gates[index](x) if index < len(gates) else None
            if number < len(self.transitions):
                x = self.transitions[number](x)
        logits: Tensor = self.fc(F.relu(self.last_norm(x)).mean((2, 3)))
        return logits

    def example_input(self) -> Tensor:
        """One black image, uint8 [1, C, H, W], for shape tracing and export."""
        return black_image(self.config)

    def gated_layers(self) -> list[GatedLayer]:
        """Every layer but the first, by the gate before it.

        What reads a concatenation reads all of it: an engine has one mask for what it reads.
        """
        if self.config.gate is None:
            return []
        names = [(b, i) for b, layers in enumerate(self.config.blocks) for i in range(layers)]
        by_channel = self.config.gate.gates != "layer"
        found: list[GatedLayer] = []
        calls = 0
        for (gate_b, gate_i), (b, i) in pairwise(names):
            channels = f"gates.{gate_b}.{gate_i}.gate" if by_channel else None
            runs = None
            if self.control is not None and i:
                runs = call_name("control.gate", calls)
                calls += 1
                found.append(GatedLayer(f"blocks.{b}.{i}.conv1", None, runs))
            switch = runs if channels else None
            if channels or runs:
                conv2 = f"blocks.{b}.{i}.conv2"
                found.append(GatedLayer(conv2, None, channels or runs, switch=switch))
            if switch:
                names_of_gate = (f"gates.{gate_b}.{gate_i}.{conv}" for conv in ("reduce", "conv"))
                found += [GatedLayer(name, None, None, switch=switch) for name in names_of_gate]
        return found


def _gate(config: DenseNetConfig, gate: DenseGateConfig, in_channels: int) -> nn.Module:
    if gate.system == "iadi":
        width = config.bn_size * config.growth // 2 if gate.bottleneck is None else gate.bottleneck
        return IadiDenseGate(in_channels, width, config.growth, gate.threshold)
    return AcsGate(
        in_channels,
        config.growth,
        bottleneck=config.growth if gate.bottleneck is None else gate.bottleneck,
        threshold=gate.threshold,
        grouping=gate.grouping,
        se=gate.se,
        reduction=gate.reduction,
        bottleneck_stride=gate.bottleneck_stride,
        bottleneck_norm=gate.bottleneck_norm,
        last_norm=gate.last_norm,
        last_width=gate.last_width,
    )
