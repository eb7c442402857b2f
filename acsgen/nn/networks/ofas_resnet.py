"""ResNet whose blocks are all skipped by one decision: once for all skip (Yang et al., OFAS)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.mac_counter import GatedLayer
from acsgen.nn.networks._mixing import MixingConfig, MixingResNet, one_decision
from acsgen.nn.networks.base import architecture


class OfasResNetConfig(MixingConfig):
    """Shape of a ResNet with an OFAS module.

    Attributes:
        form: ``I`` has one hidden layer of 2 C, ``II`` two of C and 3 C, with C the channels of the
            stem (OFAS, Table II).
        hidden: widths of the hidden layers in place of the form's: the public code has (32, 32) and
            (48, 32) for form II at 16 channels.
    """

    form: Literal["I", "II"] = "I"
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] | None = Field(
        default=None, max_length=4
    )

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        if self.hidden is not None:
            return self.hidden
        width = self.widths[0]
        return (2 * width,) if self.form == "I" else (width, 3 * width)


class OfasGate(nn.Module):
    """Average, linear layers without an activation between them, one bit for each block.

    A block runs where ``sigmoid(logit) >= threshold`` (OFAS, equation 1).

    Args:
        channels: of the input [N, channels, H, W].
        hidden: widths of the hidden layers.
        blocks: bits of the mask [N, blocks, 1, 1].
        threshold: T.
    """

    def __init__(
        self, channels: int, hidden: tuple[int, ...], blocks: int, threshold: float
    ) -> None:
        super().__init__()
        widths = (channels, *hidden, blocks)
        layers = [nn.Linear(*pair) for pair in pairwise(widths)]
        nn.init.constant_(layers[-1].bias, AcsGate.INITIAL_LOGIT)
        self.layers = nn.Sequential(*layers)
        self.gate = ChannelGate(threshold, inclusive=True)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] to a mask [N, blocks, 1, 1]."""
        mask: Tensor = self.gate(self.layers(x.mean((2, 3))))
        return mask


@architecture("ofas_resnet", OfasResNetConfig)
class OfasResNet(MixingResNet):
    """``G_i * B(x_i) + (1 - G_i) * x_i`` (OFAS, equation 4), all G_i of one decision."""

    def __init__(self, config: OfasResNetConfig) -> None:
        super().__init__(config)
        self.ofas = OfasGate(
            config.widths[0], config.hidden_widths, config.blocks, config.threshold
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, C, H, W] to logits [N, num_classes]."""
        x = self.stem(x)
        masks = self.ofas(x)
        for index, (_, block) in enumerate(self.blocks()):
            x = self.mixed(block, x, masks[:, index : index + 1])
        return self.classify(x)

    def gated_layers(self) -> list[GatedLayer]:
        """The layers of the blocks, each by its bit of the decision."""
        return [
            layer
            for index, (name, _) in enumerate(self.blocks())
            for layer in one_decision(name, "ofas.gate", index)
        ]
