"""ResNet with the gates of SkipNet (Wang et al. 2018): each block decides whether the next runs."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.calls import call_name
from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.gates.recurrent import RecurrentGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._mixing import MixingConfig, MixingResNet, one_decision
from acsgen.nn.networks.base import architecture


class SkipNetResNetConfig(MixingConfig):
    """Shape of a ResNet with SkipNet gates.

    Attributes:
        form: ``I`` has max pooling and two convolutions, ``II`` one convolution of stride 2;
            ``RNN`` one recurrent network for all blocks, behind a linear layer of each.
    """

    form: Literal["I", "II", "RNN"] = "I"

    @model_validator(mode="after")
    def _pools(self) -> SkipNetResNetConfig:
        if self.form == "I" and self.image_size < 8:
            raise ValueError("a gate of form I pools maps of 2x2 or more: image_size 8 or more")
        return self


class FeedForwardGate(nn.Module):
    """FFGate-I or FFGate-II: convolutions, average, two logits of which the second says: run.

    The block runs where the softmax gives the second logit more than the threshold: where
    ``sigmoid(l1 - l0)`` is above it.

    Args:
        channels: of the input [N, channels, H, W].
        form: ``I``: maxpool 2/2, conv3x3, BN, ReLU, conv3x3/2, BN, ReLU; ``II``: conv3x3/2, BN,
            ReLU.
        threshold: see :class:`acsgen.nn.gates.gate.ChannelGate`.
    """

    def __init__(self, channels: int, form: Literal["I", "II"], threshold: float) -> None:
        super().__init__()
        self.maxpool = nn.MaxPool2d(2) if form == "I" else None
        stride = 1 if form == "I" else 2
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2: nn.Module | None = None
        if form == "I":
            self.conv2 = nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, 2)
        nn.init.constant_(self.fc.bias[1], AcsGate.INITIAL_LOGIT)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] to a mask [N, 1, 1, 1]."""
        if self.maxpool is not None:
            x = self.maxpool(x)
        x = F.relu(self.bn1(self.conv1(x)))
        if self.conv2 is not None:
            x = F.relu(self.bn2(self.conv2(x)))
        pair = self.fc(x.mean((2, 3)))
        mask: Tensor = self.gate(pair[:, 1:] - pair[:, :1])
        return mask


@architecture("skipnet_resnet", SkipNetResNetConfig)
class SkipNetResNet(MixingResNet):
    """The first block always runs; the output of each decides whether the next one does."""

    def __init__(self, config: SkipNetResNetConfig) -> None:
        super().__init__(config)
        outs = [block.conv1.out_channels for _, block in self.blocks()]
        self.gates, self.control = nn.ModuleList(), None
        if config.form == "RNN":
            self.control = RecurrentGate(outs[:-1], config.threshold)
            return
        for channels in outs[:-1]:
            self.gates.append(FeedForwardGate(channels, config.form, config.threshold))

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = self.stem(x)
        state = None
        for index, (_, block) in enumerate(self.blocks()):
            if index == 0:
                x = block(x)
                continue
            if self.control is None:
                mask = self.gates[index - 1](x)
            else:
                mask, state = self.control(x, index - 1, state)
            x = self.mixed(block, x, mask)
        return self.classify(x)

    def gated_layers(self) -> list[GatedLayer]:
        """The layers of every block but the first."""
        return [
            layer
            for index, (name, _) in enumerate(self.blocks())
            if index
            for layer in one_decision(name, self._gate(index - 1))
        ]

    def _gate(self, number: int) -> str:
        """Call of the gate behind a block."""
        if self.control is None:
            return f"gates.{number}.gate"
        return call_name("control.gate", number)
