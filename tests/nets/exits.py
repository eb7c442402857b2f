"""A network with early exits, and the entropies of its answers."""

from __future__ import annotations

import torch
from torch import nn

from acsgen.ir.integer import IntGraph
from acsgen.ir.results import GoldenResult
from acsgen.nn import ChannelGate, EarlyExit, Normalize
from acsgen.program.program import Program


class Branchy(nn.Module):
    """Plain early exits: one by entropy, one by a budget alone, and a gate behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize((0.5,) * 3, (0.25,) * 3)
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.branch = nn.Linear(8, 5)
        self.exit = EarlyExit(0.8)
        self.conv2 = nn.Conv2d(8, 12, 3, padding=1)
        self.second = nn.Linear(12, 5)
        self.by_budget = EarlyExit(0)
        self.decide = nn.Linear(12, 12)
        self.gate = ChannelGate(0.5)
        self.conv3 = nn.Conv2d(12, 12, 3, padding=1)
        self.last = nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = torch.relu(self.conv1(self.normalize(x)))
        first = self.exit(self.branch(x.mean((2, 3))))
        x = torch.relu(self.conv2(x))
        second = self.by_budget(self.second(x.mean((2, 3))))
        x = torch.relu(self.conv3(x)) * self.gate(self.decide(x.mean((2, 3))))
        return first, second, self.last(x.mean((2, 3)))


def entropies(program: Program, graph: IntGraph, golden: GoldenResult) -> list[float]:
    """The entropies of all answers to all images, by their integer logits."""
    found: list[float] = []
    for exit in program.exits:
        scale = graph[exit.output].format.scales(1)[0]
        logits = torch.from_numpy(golden.outputs[exit.output] * scale)
        found += torch.special.entr(torch.softmax(logits, 1)).sum(1).tolist()
    return found
