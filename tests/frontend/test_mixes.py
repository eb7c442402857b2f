"""Blocks that are mixed with their identity, bits of shared decisions, and layers that are dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.frontend import run_layers
from acsgen.ir import layers as ir
from acsgen.ir.kinds.join import Join
from acsgen.ir.masks import one_mask
from acsgen.nn import ChannelGate
from tests.frontend.compiled import compiled, kinds, only
from tests.nets.images import noise
from tests.nets.modules import Body, ConvBn, ConvGate, Net, PooledGate, randomized

WIDTH = 6


class SoftmaxPair(nn.Module):
    """Two logits, of which the second has to be the larger one."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(WIDTH, 2)
        self.gate = ChannelGate()

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.fc(x.mean((2, 3))).split(1, 1)
        mask: Tensor = self.gate(second - first)
        return mask


class Decisions(nn.Module):
    """One vector of decisions behind a stack of linear layers."""

    def __init__(self, bits: int, hidden: int = 12) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(WIDTH, hidden), nn.Linear(hidden, bits))
        self.gate = ChannelGate()

    def forward(self, x: Tensor) -> Tensor:
        mask: Tensor = self.gate(self.layers(x.mean((2, 3))))
        return mask


def mix(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return mask * new + (1 - mask) * old


def network(
    forward: Callable[[Any, Tensor], Tensor], gate: nn.Module, stride: int = 1
) -> nn.Module:
    layers = {"a": ConvBn(WIDTH, 5, 3, stride), "b": ConvBn(5, WIDTH), "gate": gate}
    return randomized(Net(Body(forward, **layers, d=ConvBn(WIDTH, WIDTH, 1, stride))), seed=1)


def masks(graph: ir.LayerGraph) -> dict[str, str | None]:
    """The name of the mask of every convolution and elementwise layer, by the layer's name."""
    able = [layer for layer in graph if isinstance(layer, (ir.Conv, ir.Eltwise))]
    return {layer.name: one_mask(layer.mask) for layer in able}


def branch(s: Any, x: Tensor) -> Tensor:
    result: Tensor = s.b(F.relu(s.a(x)))
    return result


GATES: dict[str, Callable[[], nn.Module]] = {
    "channels": lambda: PooledGate(WIDTH, WIDTH),
    "one-logit": lambda: PooledGate(WIDTH, 1),
    "softmax-pair": SoftmaxPair,
}


@pytest.mark.parametrize("gate", GATES)
def test_a_mix_with_a_map_that_is_not_negative_is_a_masked_branch(gate: str) -> None:
    graph = compiled(
        network(lambda s, x: mix(s.gate(x), F.relu(branch(s, x) + x), x), GATES[gate]())
    )
    layers = "Input Conv GlobalAvg Gate Conv Conv GlobalAvg Logits"
    assert kinds(graph).replace("Conv Gate Conv", "Conv Conv") == layers
    last = only(graph, ir.Conv, "b.0")
    assert (last.residual, last.relu) == ("stem.0", True)
    assert one_mask(last.mask) is not None
    # One decision for the block leaves its first convolution without a reader, too.
    assert bool(only(graph, ir.Conv, "a.0").mask) == (gate != "channels")


@pytest.mark.parametrize("gate", GATES)
def test_order_of_the_terms_makes_no_difference(gate: str) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        mask = s.gate(x)
        return x * (1.0 - mask) + F.relu(x + branch(s, x)) * mask

    graph = compiled(network(forward, GATES[gate]()))
    assert "Eltwise" not in kinds(graph)
    assert kinds(graph).count("Conv") == 3


@pytest.mark.parametrize("gate", GATES)
def test_a_mix_with_the_rectified_shortcut_is_a_masked_branch(gate: str) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        shortcut = s.d(x)
        return mix(s.gate(x), F.relu(branch(s, x) + shortcut), F.relu(shortcut))

    graph = compiled(network(forward, GATES[gate](), stride=2))
    assert kinds(graph).count("Conv") == 4
    assert "Eltwise" not in kinds(graph)


@pytest.mark.parametrize("gate", GATES)
def test_a_mix_with_a_signed_map_keeps_its_negative_values(gate: str) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        shortcut = s.d(x)
        return mix(s.gate(x), F.relu(branch(s, x) + shortcut), shortcut)

    graph = compiled(network(forward, GATES[gate](), stride=2))
    kept = only(graph, ir.Conv, "kept")
    assert kept.residual == kept.x == only(graph, ir.Conv, "d.0").name
    mixed = only(graph, ir.Eltwise)
    assert (mixed.residual, mixed.relu) == (kept.name, False)
    # A channel of the sum that the mask leaves out is not computed.
    found = masks(graph)
    assert found["body.b.0"] == found[mixed.name] == found[kept.name] is not None


@pytest.mark.parametrize("gate", ["channels", "one-logit"])
def test_a_layer_that_is_mixed_with_its_input(gate: str) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        return F.relu(s.d(mix(s.gate(x), F.relu(branch(s, x)), x)))

    graph = compiled(network(forward, GATES[gate]()))
    assert "Eltwise" not in kinds(graph)
    assert only(graph, ir.Conv, "b.0").residual == only(graph, ir.Conv, "kept").name


BITS = {
    "slices": lambda mask: [mask[:, i : i + 1] for i in range(3)],
    "chunks": lambda mask: mask.chunk(3, 1),
    "selected": lambda mask: [mask.flatten(1)[:, i].reshape(-1, 1, 1, 1) for i in range(3)],
    "slices-of-slices": lambda mask: [mask[:, :1], mask[:, 1:][:, :1], mask[:, 1:][:, 1:]],
}


@pytest.mark.parametrize("cut", BITS)
def test_blocks_read_bits_of_one_decision(cut: str) -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        for bit in BITS[cut](s.gate(x)):
            x = mix(bit, F.relu(branch(s, x) + x), x)
        return x

    graph = compiled(network(forward, Decisions(3)))
    # The stack of linear layers is one matrix, of which each block's gate has one row.
    assert kinds(graph).count("Linear") == 0
    first, second = graph.gates[:2]
    assert first.x == second.x == "body.gate.avgpool"
    assert None not in [found for name, found in masks(graph).items() if name != "stem.0"]
    # Every decision is taken right before its first reader: registers are not held from the start.
    order = [layer.name for layer in graph]
    for gate in graph.gates:
        readers = [layer.name for layer in graph if gate.name in layer.inputs]
        assert order.index(readers[0]) - order.index(gate.name) == 1


def test_ranges_of_one_decision_mask_channels() -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        inner, outer = s.gate(x).split([5, 6], 1)
        result: Tensor = F.relu(s.b(F.relu(s.a(x)) * inner)) * outer
        return result

    graph = compiled(network(forward, Decisions(11)))
    assert [gate.shape for gate in graph.gates] == [(5,), (6,)]


def test_a_narrow_layer_between_stays() -> None:
    """Where the stack is a bottleneck, one matrix would be more products."""
    graph = compiled(
        network(lambda s, x: x * s.gate(x)[:, :6], Decisions(9, hidden=2)),
    )
    assert only(graph, ir.Linear, "gate").shape == (2,)


def test_what_only_dead_layers_read_is_dead() -> None:
    """Through pooling and scaling, too; but not what another layer reads."""

    def forward(s: Any, x: Tensor) -> Tensor:
        h = F.max_pool2d(F.relu(s.a(x)), 3, 1, 1)
        h = h * torch.sigmoid(s.fc(h.mean((2, 3))))[:, :, None, None]
        return F.relu(s.b(h) * s.gate(x) + x)

    module = network(forward, PooledGate(WIDTH, 1))
    module.body.fc = nn.Linear(5, 5)
    found = masks(compiled(randomized(module, seed=1)))
    assert found["body.a.0"] is not None

    def shared(s: Any, x: Tensor) -> Tensor:
        h = F.relu(s.a(x))
        return F.relu(s.b(h) * s.gate(x) + s.b(h))

    assert masks(compiled(network(shared, PooledGate(WIDTH, 1))))["body.a.0"] is None


def test_a_mask_of_channels_does_not_kill_what_all_channels_read() -> None:
    graph = compiled(
        network(lambda s, x: F.relu(branch(s, x) * s.gate(x)), PooledGate(WIDTH, WIDTH))
    )
    assert masks(graph)["body.a.0"] is None


def test_a_gate_that_reads_the_branch_leaves_it_alive() -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        h = F.relu(s.d(x))
        return F.relu(branch(s, h) * s.gate(h) + x)

    found = masks(compiled(network(forward, PooledGate(WIDTH, 1))))
    assert found["body.d.0"] is None
    assert found["body.a.0"] is not None


def test_the_logits_of_a_gate_may_be_of_several_vectors() -> None:
    def forward(s: Any, x: Tensor) -> Tensor:
        other = F.relu(s.a(x)).mean((2, 3))[:, :1]
        return x * s.g(s.fc(x.mean((2, 3))) - other)

    module = network(forward, nn.Identity())
    module.body.fc, module.body.g = nn.Linear(WIDTH, 1), ChannelGate()
    graph = compiled(randomized(module))
    (gate,) = graph.gates
    assert isinstance(graph[gate.x], Join)


def test_a_closed_decision_closes_the_channel_gate_of_its_block() -> None:
    """Whatever that gate's own logits are, and with all that only the block reads."""

    def forward(s: Any, x: Tensor) -> Tensor:
        mask = s.runs(x) * s.channels(x)
        return mask * F.relu(s.b(F.relu(s.a(x))) + x) + (1 - mask) * x

    gates = {"runs": PooledGate(WIDTH, 1), "channels": ConvGate(WIDTH, WIDTH)}
    module = network(forward, nn.Identity())
    for name, gate in gates.items():
        setattr(module.body, name, gate)
    graph = compiled(randomized(module))
    assert not any(isinstance(layer, ir.Eltwise) for layer in graph)
    channels = next(gate for gate in graph.gates if "channels" in gate.name)
    decisions = [gate for gate in graph.gates if gate is not channels]
    masked = {layer.name: one_mask(layer.mask) for layer in graph if isinstance(layer, ir.Conv)}
    assert masked["body.b.0"] == channels.name
    dead = [masked["body.a.0"], *(mask for name, mask in masked.items() if "channels" in name)]
    assert len(dead) == 2
    assert set(dead) <= {gate.name for gate in decisions}
    images = torch.from_numpy(noise(graph.input.shape, 8))
    for bit, most in ((1.0, 8 * WIDTH), (0.0, 0)):
        forced = {gate.name: torch.full(gate.shape, bit) for gate in decisions}
        found = run_layers(graph, images, forced)[channels.name]
        assert (found.sum() > 0) == (bit > 0)
        assert found.sum() <= most
