"""Builds for the page of a report: with gates and labels, and every way to have less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.flow.build import BuildRequest, build
from tests.nets.images import noise
from tests.nets.modules import ConvBn, Net, PooledGate, export, export_small, randomized
from tests.own_board import own_board

#: Layers of :class:`Deep` that a mask reaches.
DEEP = 60


class Deep(nn.Module):
    """Many gated convolutions in a row, with names that are long."""

    def __init__(self) -> None:
        super().__init__()
        pairs = DEEP // 2
        self.first_convolution_of_the_pair = nn.ModuleList(ConvBn(6, 6) for _ in range(pairs))
        self.second = nn.ModuleList(ConvBn(6, 6) for _ in range(pairs))
        self.gate = nn.ModuleList(PooledGate(6, 6) for _ in range(pairs))

    def forward(self, x: Tensor) -> Tensor:
        parts = zip(self.first_convolution_of_the_pair, self.second, self.gate, strict=True)
        for first, second, gate in parts:
            y = F.relu(first(x)) * gate(x)
            x = F.relu(second(y) + x)
        return x


class One(nn.Module):
    """A single layer."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3 * 8 * 8, 4)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(x.flatten(1))
        return logits


def labelled(path: Path) -> str:
    """Write a data set of noise with labels, and return its name for ``--dataset``."""
    np.savez(path, images=noise((3, 8, 8), 64), labels=np.arange(64) % 4)
    return f"npz:{path}"


def saved(module: nn.Module, path: Path) -> Path:
    """Export a module with random weights to ``path``."""
    torch.export.save(export(randomized(module), dtype=torch.float32), path)
    return path


def make_build(kind: str, folder: Path) -> Path:
    """Build one of ``gated``, ``plain``, ``one``, ``deep`` and ``rtl`` in a folder."""
    board = str(own_board(folder / "own-board.yaml"))
    out = folder / kind
    if kind in ("gated", "rtl"):
        model = export_small(folder / "small.pt2")
    else:
        module = {"plain": Net(nn.Identity()), "one": One(), "deep": Net(Deep())}[kind]
        model = saved(module, folder / f"{kind}.pt2")
    request = BuildRequest(
        model=model,
        board=board,
        out=out,
        images={"gated": 12, "deep": 6}.get(kind, 1),
        dataset=labelled(folder / "noise.npz") if kind == "deep" else None,
        engine="rtl" if kind == "rtl" else "both",
    )
    return build(request).out
