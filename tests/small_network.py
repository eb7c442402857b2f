"""A network and a board of our own that build in seconds, for the tests of the commands."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from acsgen.nn import ChannelGate
from acsgen.support.assets import asset
from tests.differential.engines import CONFIGURATIONS

#: Images that :class:`Small` takes.
SHAPE = (2, 20, 24)


class Small(nn.Module):
    """Two convolutions, the second one gated."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 6, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(6, 9, 3, padding=1)
        self.decide = nn.Linear(6, 9)
        self.gate = ChannelGate()
        self.fc = nn.Linear(9, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(self.conv(x)) * self.gate(self.decide(x.mean((2, 3))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


def export_small(path: Path) -> Path:
    """Write the network to ``path``."""
    torch.manual_seed(3)
    network = Small(SHAPE[0]).eval()
    torch.export.save(torch.export.export(network, (torch.rand(1, *SHAPE),)), path)
    return path


def own_board(path: Path) -> Path:
    """Write a board whose engine the other tests of the RTL compile too."""
    config = CONFIGURATIONS[4]
    board = yaml.safe_load(asset("hw", "boards", "zcu104.yaml").read_text())
    board |= {
        "name": "own-board",
        "lane_groups": config.lane_groups,
        "feature_kib": config.feature_kib,
        "weight_kib": config.weight_kib,
        "vector_bytes": config.vector_bytes,
    }
    path.write_text(yaml.safe_dump(board))
    return path
