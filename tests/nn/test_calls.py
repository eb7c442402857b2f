"""Calls of layers whose results serve gates: one rule, in PyTorch and in the integer graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.cost.macs import count_macs
from acsgen.frontend import layers_of
from acsgen.importers.network import imported_network
from acsgen.ir.integer import IntGraph
from acsgen.ir.ungate import without_gates
from acsgen.nn import (
    AcsConfig,
    AcsGate,
    ChannelGate,
    DGConv2d,
    GatedLayer,
    MacCounter,
    ResNet,
    ResNetConfig,
    call_name,
    record_gates,
)
from acsgen.nn.calls import trace_operations
from acsgen.nn.ops import channel_gate
from acsgen.quant.quantize import quantize

pytestmark = pytest.mark.usefixtures("no_layer_is_added")

SIZE = 8
CHANNELS = 8
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 3, SIZE, SIZE)).astype(np.uint8)
#: MACs of a 3x3 convolution from 8 to 8 channels on 8x8 pixels, of the stem, of the classifier.
CONV, STEM, CLASSIFIER = 8 * 8 * 9 * 64, 3 * 8 * 9 * 64, 8 * 5


class Network(nn.Module):
    """Pixels in, a stem, ``body`` on 8 channels, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.classify = nn.Linear(CHANNELS, 5)

    def body(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.body(F.relu(self.stem(pixels.float() / 255)))
        logits: Tensor = self.classify(x.mean((2, 3)))
        return logits

    def example_input(self) -> Tensor:
        return torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8)

    def gated_layers(self) -> list[GatedLayer]:
        return []


def conv(**options: int) -> nn.Conv2d:
    return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, **options)


class SharedGate(Network):
    """One gating network, called in three blocks: the masks differ, the weights do not."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(conv() for _ in range(3))
        self.decide = AcsGate(CHANNELS, CHANNELS, bottleneck=4, threshold=0.6)
        nn.init.normal_(self.decide.fc.weight, 0, 1000)

    def body(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = F.relu(block(x)) * self.decide(x)
        return x

    def gated_layers(self) -> list[GatedLayer]:
        before = None
        layers = []
        for i in range(3):
            gate = call_name("decide.gate", i)
            layers.append(GatedLayer(f"blocks.{i}", before, gate))
            layers.append(GatedLayer(call_name("decide.reduce", i), before, None))
            before = gate
        return layers


def work(model: Network) -> tuple[set[str], set[str]]:
    """Names of the calls that work for the outputs, and of those that work for gates."""
    operations = trace_operations(model, model.example_input())
    gates = {op.name for op in operations if op.for_gates}
    return {op.name for op in operations} - gates, gates


def integers(model: Network | ResNet) -> IntGraph:
    with torch.no_grad():
        program = torch.export.export(model.eval(), (model.example_input(),), strict=False)
    layers, _ = layers_of(imported_network(Path("net.pt2"), program, {}, "pt2"))
    return quantize(layers, IMAGES)


def check_both_counters(model: Network | ResNet) -> None:
    """The count in PyTorch equals that of the integer graph: static, gates, and under masks."""
    counter, graph = MacCounter(model), integers(model)
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, 2, (16, gate.shape[0])).astype(np.uint8) for gate in graph.gates]
    by_name = dict(zip((gate.name for gate in graph.gates), drawn, strict=True))
    exact = count_macs(graph, by_name, 16)
    assert counter.static_macs == exact.dense
    assert count_macs(without_gates(graph), {}, 1).executed.tolist() == [exact.dense]
    by_call = {n: torch.tensor(m) for n, m in zip(counter.gate_names, drawn, strict=True)}
    with torch.no_grad():
        assert counter.count(by_call).tolist() == exact.executed.tolist()
    open_masks = {name: np.ones_like(mask) for name, mask in by_name.items()}
    assert count_macs(graph, open_masks, 16).gates.tolist() == [counter.gate_macs()] * 16


@pytest.mark.unit
def test_a_shared_gate_is_recorded_by_call() -> None:
    torch.manual_seed(0)
    model = SharedGate().eval()
    seen: list[tuple[Tensor, Tensor]] = []
    model.decide.gate.register_forward_hook(lambda _, given, mask: seen.append((given[0], mask)))
    with torch.no_grad(), record_gates(model) as gates:
        model(torch.tensor(IMAGES[:3]))
        model(torch.tensor(IMAGES[3:5]))
    names = ["decide.gate", "decide.gate@1", "decide.gate@2"]
    assert list(gates.masks) == list(gates.logits) == list(gates.thresholds) == names
    latest = seen[3:]
    for name, (logits, mask) in zip(names, latest, strict=True):
        assert torch.equal(gates.logits[name], logits)
        assert torch.equal(gates.masks[name], mask.flatten(1))
        assert gates.thresholds[name] == 0.6
    assert not torch.equal(latest[0][1], latest[1][1])
    assert not model._forward_pre_hooks
    assert len(model.decide.gate._forward_hooks) == 1


def test_a_shared_gate_is_counted_and_priced_by_call() -> None:
    torch.manual_seed(0)
    model = SharedGate()
    counter = MacCounter(model)
    assert counter.gate_names == ["decide.gate", "decide.gate@1", "decide.gate@2"]
    assert counter.static_macs == STEM + 3 * CONV + CLASSIFIER
    reduce = 8 * 4 * 64
    once = reduce + 2 * (4 * 4 * 9 * 16) + 2 * (4 * 2) + 4 * 8
    assert counter.gate_macs() == 3 * once
    half = {name: torch.tensor([[1.0] * 4 + [0.0] * 4]) for name in counter.gate_names}
    saved = (0.5 + 0.75 + 0.75) * CONV + (0.5 + 0.5) * reduce
    assert counter.count(half).item() == counter.static_macs + 3 * once - saved
    check_both_counters(model)


def test_what_a_shared_gate_calls_works_for_gates_in_both_graphs() -> None:
    torch.manual_seed(0)
    model = SharedGate()
    backbone, gates = work(model)
    assert backbone == {"stem", "blocks.0", "blocks.1", "blocks.2", "classify"}
    modules = ["reduce", "conv1", "se.squeeze", "se.excite", "conv2", "fc", "gate"]
    assert gates == {call_name(f"decide.{m}", i) for m in modules for i in range(3)}
    graph = integers(model)
    open_masks = {gate.name: np.ones((1, CHANNELS), np.uint8) for gate in graph.gates}
    rows = count_macs(graph, open_masks, 1).rows
    assert {row.name for row in rows if not row.for_gates} == backbone
    # The last linear layer and the decision are one layer of the integer graph.
    assert sum(row.for_gates for row in rows) == 3 * (len(modules) - 1)


def test_calls_are_named_as_torch_export_names_them() -> None:
    model = SharedGate().eval()
    program = torch.export.export(model, (model.example_input(),), strict=False)
    decisions = [
        n for n in program.graph.nodes if n.target is torch.ops.acsgen.channel_gate.default
    ]
    keys = [list(node.meta["nn_module_stack"])[-1] for node in decisions]
    assert [key.removeprefix("L__self__") for key in keys] == MacCounter(model).gate_names


def test_tracing_leaves_the_network_as_it_was() -> None:
    model = SharedGate().train()
    model.decide.norm1.eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    drawn = torch.random.get_rng_state()
    trace_operations(model, model.example_input())
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    "gate",
    [
        AcsConfig(),
        AcsConfig(granularity="conv", se=False),
        AcsConfig(mask_target="both", mask_before_bn=True, grouping=False, bottleneck_stride=2),
    ],
)
def test_both_counters_agree_on_a_resnet(gate: AcsConfig) -> None:
    torch.manual_seed(0)
    model = ResNet(ResNetConfig(widths=(4, 8, 8), image_size=SIZE, gate=gate))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, 0, 0.5)
        if isinstance(module, DGConv2d):
            nn.init.normal_(module.gate)
    check_both_counters(model)


class SharedFeatures(Network):
    """A gating network by its type, but the next layer reads its first convolution's result."""

    def __init__(self) -> None:
        super().__init__()
        self.decide = AcsGate(CHANNELS, CHANNELS, bottleneck=CHANNELS, grouping=False, se=False)
        self.conv = conv()

    def body(self, x: Tensor) -> Tensor:
        gate = self.decide
        seen = F.relu(gate.norm1(gate.conv1(gate.reduce(x))))
        return F.relu(self.conv(seen)) * gate.gate(gate.fc(seen.mean((2, 3))))

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("conv", None, "decide.gate")]


def test_a_layer_is_not_a_gates_because_of_the_module_it_is_in() -> None:
    torch.manual_seed(0)
    backbone, gates = work(SharedFeatures())
    assert backbone == {"stem", "decide.reduce", "decide.conv1", "conv", "classify"}
    assert gates == {"decide.fc", "decide.gate"}
    check_both_counters(SharedFeatures())


class GateOfAGate(Network):
    """A gate whose own features another gate masks; made of plain layers alone."""

    def __init__(self) -> None:
        super().__init__()
        self.look = conv()
        self.first, self.second = nn.Linear(CHANNELS, CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.conv = conv()
        self.gate = ChannelGate()

    def body(self, x: Tensor) -> Tensor:
        first = self.gate(self.first(x.mean((2, 3))))
        seen = F.relu(self.look(x)) * first
        return F.relu(self.conv(x)) * self.gate(self.second(seen.mean((2, 3))))

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("look", None, "gate"), GatedLayer("conv", None, "gate@1")]


def test_a_gate_that_only_another_gate_reads() -> None:
    torch.manual_seed(0)
    backbone, gates = work(GateOfAGate())
    assert backbone == {"stem", "conv", "classify"}
    assert gates == {"first", "gate", "look", "second", "gate@1"}
    counter = MacCounter(GateOfAGate())
    assert counter.gate_names == ["gate", "gate@1"]
    check_both_counters(GateOfAGate())


class RecurrentGate(Network):
    """The gate of SkipNet: one LSTM cell for all blocks, with a state that lasts for an image."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(conv() for _ in range(2))
        self.cell = nn.LSTMCell(CHANNELS, 10)
        self.decide = nn.Linear(10, 1)
        self.gate = ChannelGate()

    def body(self, x: Tensor) -> Tensor:
        state = None
        for block in self.blocks:
            state = self.cell(x.mean((2, 3)), state)
            x = F.relu(x + block(x) * self.gate(self.decide(state[0])))
        return x


def test_a_recurrent_gate_works_by_call() -> None:
    backbone, gates = work(RecurrentGate())
    assert backbone == {"stem", "blocks.0", "blocks.1", "classify"}
    cells = {"cell", "cell.linear", "cell@1", "cell@1.linear"}
    assert gates == {*cells, "decide", "decide@1", "gate", "gate@1"}
    counter = MacCounter(RecurrentGate())
    assert counter.gate_macs() == 2 * (40 * 8 + 40 * 10 + 10)
    assert counter.static_macs == STEM + 2 * CONV + CLASSIFIER


class Tangled(Network):
    """In-place operators, views and writes into slices, a layer that nothing reads, and a decision
    without a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.unused, self.look = conv(), conv(), conv(), conv()
        self.decide = nn.Linear(CHANNELS, CHANNELS)

    def body(self, x: Tensor) -> Tensor:
        self.unused(x)
        whole = torch.zeros_like(x)
        whole[:, :4] = F.relu_(self.left(x))[:, :4]
        half = whole.chunk(2, dim=1)[1]
        half.add_(self.right(x).narrow(1, 4, 4))
        features = torch.zeros(len(x), CHANNELS)
        features.copy_(self.look(x).mean((2, 3)))
        mask = channel_gate(self.decide(features), 0.5)
        return whole * mask[:, :, None, None]


def test_in_place_operators_and_what_nothing_reads() -> None:
    backbone, gates = work(Tangled())
    assert backbone == {"stem", "left", "right", "classify"}
    assert gates == {"look", "decide", "gate"}
    with torch.inference_mode():
        assert work(Tangled()) == (backbone, gates)


class TwoSides(Network):
    """A convolution in channel groups between two masks."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.outer, self.inner = conv(), inner
        self.decide1, self.decide2 = nn.Linear(CHANNELS, CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.gate = ChannelGate()

    def body(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3))
        x = F.relu(self.outer(x)) * self.gate(self.decide1(means))
        return F.relu(self.inner(x)) * self.gate(self.decide2(means))

    def gated_layers(self) -> list[GatedLayer]:
        return [GatedLayer("outer", None, "gate"), GatedLayer("inner", "gate", "gate@1")]


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_masks_on_both_sides_of_a_grouped_convolution(groups: int) -> None:
    torch.manual_seed(0)
    check_both_counters(TwoSides(conv(groups=groups)))


@pytest.mark.parametrize("closed", [1, 2, 3])
def test_masks_on_both_sides_of_a_dgconv(closed: int) -> None:
    torch.manual_seed(0)
    inner = DGConv2d(CHANNELS)
    with torch.no_grad():
        inner.gate[:closed] = -1.0
    model = TwoSides(inner)
    # The integer graph counts the surviving weights as dense; a DGConv is static at full size.
    counter, graph = MacCounter(model), integers(model)
    rng = np.random.default_rng(2)
    drawn = [rng.integers(0, 2, (16, CHANNELS)).astype(np.uint8) for _ in graph.gates]
    exact = count_macs(graph, dict(zip((g.name for g in graph.gates), drawn, strict=True)), 16)
    by_call = {n: torch.tensor(m) for n, m in zip(counter.gate_names, drawn, strict=True)}
    with torch.no_grad():
        assert counter.count(by_call).tolist() == exact.executed.tolist()
    model.train()
    counter.count({n: m.float() for n, m in by_call.items()}).sum().backward()
    assert inner.gate.grad is not None
    assert inner.gate.grad.all()


def test_a_whole_lstm_is_refused_and_not_counted_as_nothing() -> None:
    class Whole(RecurrentGate):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(CHANNELS, CHANNELS)

        def body(self, x: Tensor) -> Tensor:
            return x * self.lstm(x.mean((2, 3))[None])[0][0][:, :, None, None]

    with pytest.raises(
        TypeError, match=r"lstm: the multiplications of \w*rnn\w* cannot be counted"
    ):
        MacCounter(Whole())


@pytest.mark.unit
def test_names_of_calls_that_are_not_made_are_refused_at_once() -> None:
    class Wrong(SharedGate):
        def gated_layers(self) -> list[GatedLayer]:
            return [
                *super().gated_layers(),
                GatedLayer("blocks.3", "decide.gate", "decide.gate@3"),
                GatedLayer("blocks", "decide", None),
            ]

    with pytest.raises(ValueError, match="calls that the network does not make") as caught:
        MacCounter(Wrong())
    text = str(caught.value)
    assert "layer 'blocks.3', layer 'blocks', gate 'decide', gate 'decide.gate@3' (" in text
    assert "the gates decide.gate, decide.gate@1, decide.gate@2)" in text
