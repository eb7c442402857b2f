"""How many multiply-accumulates (MACs) a network executes for given channel masks.

The one rule of acsgen: count the MACs of every convolution and linear layer, those of the gating
networks included, with all kernel taps (padding counts as data). A convolution whose output is
masked counts its active output channels only; one that reads a masked, exactly zero feature map
counts its active input channels only; a DGConv counts its surviving weights. The count is
differentiable through the straight-through masks, so the training loss uses the same numbers as the
reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from acsgen.nn.gates.dgconv import DGConv2d
from acsgen.nn.gates.gate import AcsGate, ChannelGate


@dataclass(frozen=True)
class GatedLayer:
    """A layer that skips channels: module names of the layer and of the gates of its two sides.

    ``in_gate`` is set only where a masked input channel is exactly zero, so that skipping it is
    exact.
    """

    layer: str
    in_gate: str | None
    out_gate: str | None


@runtime_checkable
class Skippable(Protocol):
    """What a network must offer for its MACs to be counted."""

    def gated_layers(self) -> list[GatedLayer]:
        """The layers that skip channels."""

    def example_input(self) -> Tensor:
        """One image, to trace the shapes with."""


class GateRecord:
    """Logits and masks of one forward pass, by gate name, in the order of execution."""

    def __init__(self) -> None:
        self.logits: dict[str, Tensor] = {}
        self.masks: dict[str, Tensor] = {}


@contextmanager
def record_gates(model: nn.Module) -> Iterator[GateRecord]:
    """Collect logits [N, C] (before training noise) and masks [N, C] of every gate.

    Works through forward hooks, so the traced or exported graph is unaffected::

        with record_gates(model) as gates:
            model(images)
        gates.masks["layer1.0.gate1.gate"]
    """
    record = GateRecord()

    def hook_for(name: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
        def hook(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            record.logits[name] = inputs[0]
            record.masks[name] = output.flatten(1)

        return hook

    handles = [
        module.register_forward_hook(hook_for(name))
        for name, module in model.named_modules()
        if isinstance(module, ChannelGate)
    ]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


class MacCounter:
    """MAC count of one network: its shapes are traced once, then any masks can be priced.

    Args:
        model: a network with ``gated_layers`` and ``example_input`` (any acsgen architecture).

    Attributes:
        static_macs: MACs per image of the ungated twin: every layer except those inside gates.
        gate_names: the model's gates; ``count`` needs a mask for each.
    """

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, Skippable):
            raise TypeError(f"{type(model).__name__} has no gated_layers() and example_input()")
        self._model = model
        positions = _output_positions(model)
        gated = {layer.layer: layer for layer in model.gated_layers()}
        inside_gates = tuple(
            f"{name}." for name, module in model.named_modules() if isinstance(module, AcsGate)
        )
        self.gate_names: list[str] = [
            name for name, module in model.named_modules() if isinstance(module, ChannelGate)
        ]
        self._groupings: list[tuple[DGConv2d, int, bool]] = []
        self.static_macs = 0
        self._gate_fixed_macs = 0
        column = {name: i + 1 for i, name in enumerate(self.gate_names)}
        coefficients: list[float] = []
        in_columns: list[int] = []
        out_columns: list[int] = []
        for name, (module, count) in positions.items():
            macs = _weights(module) * count
            in_gate = name.startswith(inside_gates)
            self.static_macs += 0 if in_gate else macs
            if isinstance(module, DGConv2d):
                self._groupings.append((module, count, in_gate))
                continue
            self._gate_fixed_macs += macs if in_gate else 0
            sides = gated.get(name, GatedLayer(name, None, None))
            coefficients.append(float(macs))
            in_columns.append(column[sides.in_gate] if sides.in_gate else 0)
            out_columns.append(column[sides.out_gate] if sides.out_gate else 0)
        device = next(model.parameters()).device
        self._coefficients = torch.tensor(coefficients, device=device)
        identity = torch.eye(len(column) + 1, device=device)
        self._select_in = identity[:, in_columns]
        self._select_out = identity[:, out_columns]

    def count(self, masks: dict[str, Tensor]) -> Tensor:
        """MACs per image, float [N], for the masks [N, C] of one forward pass.

        Differentiable in the masks and (in training mode) in the DGConv gates. Without gates, masks
        are empty and the result is a scalar: the static count.
        """
        if not self.gate_names:
            return self._coefficients.sum() + self._grouped_macs(self._groupings)
        active = torch.stack([masks[name].float().mean(1) for name in self.gate_names], dim=1)
        active = torch.cat([torch.ones_like(active[:, :1]), active], dim=1)
        fractions = (active @ self._select_in) * (active @ self._select_out)
        return fractions @ self._coefficients + self._grouped_macs(self._groupings)

    def gate_macs(self) -> float:
        """MACs per image of the gating networks, DGConvs with their present grouping."""
        inside = [grouping for grouping in self._groupings if grouping[2]]
        return self._gate_fixed_macs + float(self._grouped_macs(inside).detach())

    def _grouped_macs(self, groupings: list[tuple[DGConv2d, int, bool]]) -> Tensor:
        if not groupings:
            return self._coefficients.new_zeros(())
        counts = [conv.surviving_weights() * positions for conv, positions, _ in groupings]
        return torch.stack(counts).sum()


def _weights(module: nn.Module) -> int:
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight.numel()


def _output_positions(model: nn.Module) -> dict[str, tuple[nn.Module, int]]:
    """Every convolution and linear layer with its number of output positions (H * W, or 1)."""
    positions: dict[str, tuple[nn.Module, int]] = {}

    def hook_for(name: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
        def hook(module: nn.Module, _: tuple[Tensor], output: Tensor) -> None:
            positions[name] = (module, output[0, 0].numel() if output.dim() == 4 else 1)

        return hook

    handles = [
        module.register_forward_hook(hook_for(name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear | DGConv2d)
    ]
    training = model.training
    model.eval()
    try:
        assert isinstance(model, Skippable)
        with torch.no_grad():
            model(model.example_input().to(next(model.parameters()).device))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return positions
