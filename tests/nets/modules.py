"""PyTorch modules that networks of the tests are made of, their weights and their export."""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn import ChannelGate, Normalize

torch.set_num_threads(1)

Shape = tuple[int, int, int]

#: Images that a :class:`Net` takes, unless a test says otherwise.
SHAPE: Shape = (3, 8, 8)

#: Images that :class:`Small` takes.
SMALL_SHAPE: Shape = (2, 20, 24)


class ConvBn(nn.Sequential):
    """A convolution and its batch norm."""

    def __init__(
        self,
        ins: int,
        outs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        conv = nn.Conv2d(ins, outs, kernel, stride, kernel // 2, groups=groups, bias=bias)
        super().__init__(conv, nn.BatchNorm2d(outs))


class PooledGate(nn.Module):
    """Global average, linear layer, gate."""

    def __init__(self, ins: int, outs: int, threshold: float = 0.5) -> None:
        super().__init__()
        self.fc = nn.Linear(ins, outs)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1)))


class ConvGate(nn.Module):
    """conv1x1, batch norm, ReLU, then a pooled gate."""

    def __init__(self, ins: int, outs: int, hidden: int = 6) -> None:
        super().__init__()
        self.reduce = ConvBn(ins, hidden, 1)
        self.decide = PooledGate(hidden, outs)

    def forward(self, x: Tensor) -> Tensor:
        return self.decide(F.relu(self.reduce(x)))


class MlpGate(nn.Module):
    """Two linear layers on the pooled map; without ReLU between them if ``linear``."""

    def __init__(self, ins: int, outs: int, linear: bool = False) -> None:
        super().__init__()
        between = nn.Identity() if linear else nn.ReLU()
        self.layers = nn.Sequential(nn.Linear(ins, 7), between, nn.Linear(7, outs))
        self.gate = ChannelGate(0.4)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.layers(x.mean((2, 3))))


class MaxPoolGate(nn.Module):
    """A gate on a pooled map that is flattened."""

    def __init__(self, ins: int, outs: int, height: int, width: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(ins * (height // 2) * (width // 2), outs)
        self.gate = ChannelGate()

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.fc(torch.flatten(self.pool(x), 1)))


class Net(nn.Module):
    """Normalization, a stem to ``width`` channels, ``body`` (map to map), a pooled classifier."""

    def __init__(
        self,
        body: nn.Module,
        width: int = 6,
        outputs: int | None = None,
        channels: int = 3,
        classes: int = 4,
    ) -> None:
        super().__init__()
        mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
        self.normalize = Normalize(mean[:channels], std[:channels])
        self.stem = ConvBn(channels, width, bias=True)
        self.body = body
        self.fc = nn.Linear(outputs or width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(F.relu(self.stem(self.normalize(x))))
        return self.fc(x.mean((2, 3)))


class Body(nn.Module):
    """A forward function over named layers."""

    def __init__(self, forward: Callable[[Any, Tensor], Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._forward = forward

    def forward(self, x: Tensor) -> Any:
        return self._forward(self, x)


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


def randomized(module: nn.Module, seed: int = 0) -> nn.Module:
    """``module`` in eval mode with random weights and batch norm statistics."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d)) and part.track_running_stats:
            part.running_mean.normal_(0.0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2.0, generator=generator)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
                nn.init.normal_(part.bias, 0.0, 0.5, generator=generator)
        elif isinstance(part, (nn.Conv2d, nn.Linear)):
            spread = 1.5 / part.weight[0].numel() ** 0.5
            nn.init.normal_(part.weight, 0.0, spread, generator=generator)
            if part.bias is not None:
                nn.init.normal_(part.bias, 0.0, 0.3, generator=generator)
    return module.eval()


def export(
    module: nn.Module,
    shape: tuple[int, ...] = SHAPE,
    dtype: torch.dtype = torch.uint8,
    **options: Any,
) -> torch.export.ExportedProgram:
    example = torch.zeros(1, *shape, dtype=dtype)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return torch.export.export(module, (example,), strict=False, **options)


def export_small(path: Path) -> Path:
    """Write a :class:`Small` to ``path``."""
    torch.manual_seed(3)
    network = Small(SMALL_SHAPE[0]).eval()
    torch.export.save(torch.export.export(network, (torch.rand(1, *SMALL_SHAPE),)), path)
    return path
