"""The recurrent gate that decides block by block whether the next one runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from acsgen.nn.gates.gate import AcsGate, ChannelGate


class RecurrentGate(nn.Module):
    """Average and linear layer of each block, then one LSTM cell and one linear layer for all: the
    gate of SkipNet's recurrent form, and the layer gate of IADI and MGL2S.

    The LSTM is written with linear layers, so that its work is counted (Hochreiter and Schmidhuber
    1997, with forget gates; input, forget, cell and output gate in the order of ``nn.LSTM``). Its
    state is that of one image, and begins at zero.

    Args:
        channels: of the maps that the gate reads, in the order of its calls.
        threshold: see :class:`acsgen.nn.gates.gate.ChannelGate`.
    """

    #: Width of the embeddings and of the state (SkipNet, section 4.1).
    WIDTH = 10

    def __init__(self, channels: Sequence[int], threshold: float) -> None:
        super().__init__()
        width = self.WIDTH
        self.embed = nn.ModuleList(nn.Linear(count, width) for count in channels)
        self.from_input = nn.Linear(width, 4 * width)
        self.from_state = nn.Linear(width, 4 * width)
        self.proj = nn.Linear(width, 1)
        nn.init.constant_(self.proj.bias, AcsGate.INITIAL_LOGIT)
        self.gate = ChannelGate(threshold)

    def forward(
        self, x: Tensor, number: int, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """[N, C, H, W] of the gate's call ``number`` to a mask [N, 1, 1, 1] and the new state."""
        x = self.embed[number](x.mean((2, 3)))
        hidden, cell = (torch.zeros_like(x), torch.zeros_like(x)) if state is None else state
        take, keep, value, give = (self.from_input(x) + self.from_state(hidden)).chunk(4, 1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(value)
        hidden = torch.sigmoid(give) * torch.tanh(cell)
        return self.gate(self.proj(hidden)), (hidden, cell)
