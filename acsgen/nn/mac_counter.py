"""How many multiply-accumulates (MACs) a network executes for given channel masks.

The one rule of acsgen: count the MACs of every convolution and linear layer, call by call, those
that work for gates included (:mod:`acsgen.ir.gating`), with all kernel taps (padding counts as
data). A convolution whose output is masked counts its active output channels only; one that reads a
masked, exactly zero feature map counts its active input channels only; where the channels come in
groups, it counts the pairs of active channels that are connected. A DGConv counts its surviving
weights. The count is differentiable through the straight-through masks, so the training loss uses
the same numbers as the reports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from acsgen.nn.calls import Operation, trace_operations
from acsgen.nn.gates.dgconv import DGConv2d
from acsgen.nn.gates.gate import ChannelGate


@dataclass(frozen=True)
class GatedLayer:
    """A layer that skips channels: call names of the layer and of the gates of its two sides.

    A module that is called once goes by its path; :func:`acsgen.nn.calls.call_name` names the
    further calls of a shared one. ``in_gate`` is set only where a masked input channel is exactly
    zero, so that skipping it is exact. ``in_bits`` and ``out_bits`` are the first of the gate's
    bits that masks the layer and how many do, None for all of them; one bit masks every channel.
    ``switch`` is a gate of one decision that switches the whole layer, beside ``out_gate``.
    """

    layer: str
    in_gate: str | None
    out_gate: str | None
    in_bits: tuple[int, int] | None = None
    out_bits: tuple[int, int] | None = None
    switch: str | None = None

    @property
    def gates(self) -> tuple[str, ...]:
        """All the gates that have a say."""
        named = (self.in_gate, self.out_gate, self.switch)
        return tuple(gate for gate in named if gate is not None)


@runtime_checkable
class Skippable(Protocol):
    """The methods of a network whose MACs can be counted."""

    def gated_layers(self) -> list[GatedLayer]:
        """The layers that skip channels."""

    def example_input(self) -> Tensor:
        """One image, to trace the shapes with."""


@dataclass(frozen=True)
class Load:
    """A multiplying call, and the gates of its two sides."""

    op: Operation
    layer: GatedLayer

    def active(self, masks: Mapping[str, Tensor]) -> tuple[Tensor | int, Tensor | int]:
        """Active outputs and active inputs of each image, [N]; a number where no gate has a say."""
        layer = self.layer
        outs = _active(masks, layer.out_gate, layer.out_bits, self.op.outs)
        if layer.switch is not None:
            outs = outs * _active(masks, layer.switch, None, 1)
        return outs, _active(masks, layer.in_gate, layer.in_bits, self.op.ins)


def _active(
    masks: Mapping[str, Tensor], gate: str | None, bits: tuple[int, int] | None, channels: int
) -> Tensor | int:
    if gate is None:
        return channels
    return _View(gate, bits).of(masks).float().mean(1) * channels


class MacCounter:
    """MAC count of one network: its calls are traced once, then any masks can be priced.

    Args:
        model: a network with ``gated_layers`` and ``example_input`` (any acsgen architecture).

    Attributes:
        model: the network.
        static_macs: MACs per image of the ungated twin: every call but those that work for gates.
        gate_names: the calls of the model's gates in the order of execution; ``count`` needs a mask
            for each.
        loads: its multiplying calls in this order, each with the gates of its two sides.

    Raises:
        TypeError: the network lacks one of these methods, or multiplies in a way that cannot be
            counted.
        ValueError: ``gated_layers`` names calls that the network does not make; with all of them.
    """

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, Skippable):
            raise TypeError(f"{type(model).__name__} has no gated_layers() and example_input()")
        self.model = model
        device = next(model.parameters()).device
        operations = trace_operations(model, model.example_input().to(device))
        layers = {layer.layer: layer for layer in model.gated_layers()}
        # A decision outside of a ChannelGate has no mask that record_gates() would collect.
        self.gate_names: list[str] = [
            op.name for op in operations if op.decides and isinstance(op.module, ChannelGate)
        ]
        working = [op.name for op in operations if not op.decides]
        _check_names(type(model).__name__, layers.values(), working, self.gate_names)
        self.loads: tuple[Load, ...] = tuple(
            Load(op, layers.get(op.name, GatedLayer(op.name, None, None)))
            for op in operations
            if not op.decides
        )
        self.static_macs = 0
        self._gate_fixed_macs = 0
        self._groupings: list[tuple[DGConv2d, int, bool]] = []
        self._pairs: list[_MaskedPairs] = []
        plain: list[tuple[int, GatedLayer]] = []
        for load in self.loads:
            op, layer = load.op, load.layer
            self.static_macs += 0 if op.for_gates else op.macs
            if _has_masked_pairs(op, layer):
                self._pairs.append(_MaskedPairs(op, layer, _same_group(op).to(device)))
            elif isinstance(op.module, DGConv2d):
                positions = op.macs // op.module.weight.numel()
                self._groupings.append((op.module, positions, op.for_gates))
            else:
                self._gate_fixed_macs += op.macs if op.for_gates else 0
                plain.append((op.macs, layer))
        # Column 0 stands for no mask.
        self._views: list[_View] = []
        in_columns = [self._column(la.in_gate, la.in_bits) for _, la in plain]
        out_columns = [self._column(la.out_gate, la.out_bits) for _, la in plain]
        switch_columns = [self._column(la.switch, None) for _, la in plain]
        self._coefficients = torch.tensor([float(macs) for macs, _ in plain], device=device)
        identity = torch.eye(len(self._views) + 1, device=device)
        self._select_in = identity[:, in_columns]
        self._select_out = identity[:, out_columns]
        self._select_switch = identity[:, switch_columns]

    def count(self, masks: Mapping[str, Tensor]) -> Tensor:
        """MACs per image, float [N], for the masks [N, C] of one forward pass, by call of a gate.

        Differentiable in the masks and (in training mode) in the DGConv gates. Without gates, masks
        are empty and the result is a scalar: the static count.
        """
        if not self.gate_names:
            return self._coefficients.sum() + self._grouped_macs(self._groupings)
        ones = torch.ones_like(masks[self.gate_names[0]][:, 0], dtype=torch.float32)
        shares = [view.of(masks).float().mean(1) for view in self._views]
        active = torch.stack([ones, *shares], dim=1)
        fractions = (active @ self._select_in) * (active @ self._select_out)
        fractions = fractions * (active @ self._select_switch)
        total = fractions @ self._coefficients + self._grouped_macs(self._groupings)
        for pairs in self._pairs:
            total = total + pairs.count(masks)
        return total

    def _column(self, gate: str | None, bits: tuple[int, int] | None) -> int:
        if gate is None:
            return 0
        view = _View(gate, bits)
        if view not in self._views:
            self._views.append(view)
        return self._views.index(view) + 1

    @property
    def learns_groups(self) -> bool:
        """Whether convolutions outside of gates learn their groups (DGConv)."""
        return any(not for_gates for _, _, for_gates in self._groupings)

    def gate_macs(self) -> float:
        """MACs per image of the calls that work for gates, DGConvs with their present grouping."""
        inside = [grouping for grouping in self._groupings if grouping[2]]
        masked = sum(float(pairs.all().detach()) for pairs in self._pairs if pairs.op.for_gates)
        return self._gate_fixed_macs + float(self._grouped_macs(inside).detach()) + masked

    def _grouped_macs(self, groupings: list[tuple[DGConv2d, int, bool]]) -> Tensor:
        if not groupings:
            return self._coefficients.new_zeros(())
        counts = [conv.surviving_weights() * positions for conv, positions, _ in groupings]
        return torch.stack(counts).sum()


@dataclass(frozen=True)
class _View:
    """Some bits of a gate's mask, or all of them."""

    gate: str
    bits: tuple[int, int] | None

    def of(self, masks: Mapping[str, Tensor]) -> Tensor:
        """The bits, [N, bits]."""
        mask = masks[self.gate]
        if self.bits is None:
            return mask
        first, count = self.bits
        return mask[:, first : first + count]


@dataclass(frozen=True)
class _MaskedPairs:
    """A convolution in channel groups under masks.

    Its work is that of the pairs of an active output and an active input that a group connects.
    """

    op: Operation
    layer: GatedLayer
    same_group: Tensor

    def count(self, masks: Mapping[str, Tensor]) -> Tensor:
        """MACs per image, [N]."""
        connected = self._connected()
        outs, ins = connected.shape
        pairs = connected.expand(1, -1, -1)
        if self.layer.out_gate is not None:
            view = _View(self.layer.out_gate, self.layer.out_bits)
            pairs = pairs * view.of(masks).float().expand(-1, outs).unsqueeze(2)
        if self.layer.in_gate is not None:
            view = _View(self.layer.in_gate, self.layer.in_bits)
            pairs = pairs * view.of(masks).float().expand(-1, ins).unsqueeze(1)
        if self.layer.switch is not None:
            pairs = pairs * masks[self.layer.switch].float().unsqueeze(2)
        return self._macs_of_a_pair * pairs.sum((1, 2))

    def all(self) -> Tensor:
        """MACs per image with nothing skipped, a scalar."""
        return self._macs_of_a_pair * self._connected().sum()

    @property
    def _macs_of_a_pair(self) -> int:
        return self.op.macs * self.op.groups // (self.op.outs * self.op.ins)

    def _connected(self) -> Tensor:
        """[outputs, inputs], 1 where a weight connects them; differentiable in a DGConv's gates."""
        if isinstance(self.op.module, DGConv2d):
            return self.op.module.relationship()
        return self.same_group


def _same_group(op: Operation) -> Tensor:
    """[outputs, inputs], 1 for two channels of the same declared group."""
    out_group = torch.arange(op.outs) // (op.outs // op.groups)
    in_group = torch.arange(op.ins) // (op.ins // op.groups)
    return (out_group.unsqueeze(1) == in_group).float()


def _has_masked_pairs(op: Operation, layer: GatedLayer) -> bool:
    """Whether the share of active channels does not tell the share of the work."""
    if isinstance(op.module, DGConv2d):
        return bool(layer.gates)
    return op.groups > 1 and layer.in_gate is not None and layer.out_gate is not None


def _check_names(
    network: str, layers: Collection[GatedLayer], working: Collection[str], gates: Collection[str]
) -> None:
    """Refuse names of calls that the network does not make."""
    wrong = [f"layer '{la.layer}'" for la in layers if la.layer not in working]
    named = {gate for la in layers for gate in la.gates}
    wrong += [f"gate '{gate}'" for gate in sorted(named.difference(gates))]
    if wrong:
        raise ValueError(
            f"{network}.gated_layers() names calls that the network does not make: "
            f"{', '.join(wrong)} (it calls the layers {', '.join(working)} and the gates "
            f"{', '.join(gates) or 'none'})"
        )
