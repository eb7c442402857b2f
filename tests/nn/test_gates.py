"""The gate operator, DGConv's grouping and the export of gated networks."""

from __future__ import annotations

import pytest
import torch

from acsgen.nn import AcsConfig, AcsGate, ChannelGate, DGConv2d, ResNet, ResNetConfig
from acsgen.nn.macs import MacCounter, record_gates

GATE_CONFIGS = [
    AcsConfig(),
    AcsConfig(granularity="conv"),
    AcsConfig(mask_target="both", mask_before_bn=True),
    AcsConfig(mask_target="output", grouping=False, se=False, bottleneck_norm=False),
]


def test_mask_is_sigmoid_above_threshold_and_gradient_passes_through() -> None:
    logits = torch.tensor([[-3.0, -0.1, 0.0, 0.1, 3.0]], requires_grad=True)
    mask = ChannelGate(0.5)(logits)
    assert mask.flatten().tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
    mask.sum().backward()
    p = torch.sigmoid(logits.detach())
    assert torch.equal(logits.grad, p * (1 - p))


@pytest.mark.parametrize(("threshold", "value"), [(0.0, 1.0), (1.0, 0.0)])
def test_extreme_thresholds_open_and_close_everything(threshold: float, value: float) -> None:
    mask = ChannelGate(threshold)(torch.tensor([[-1e30, 0.0, 1e30, -torch.inf]]))
    assert mask.unique().tolist() == [value]


def test_threshold_outside_the_unit_interval_is_refused() -> None:
    with pytest.raises(ValueError, match=r"within \[0, 1\]"):
        ChannelGate(1.5)


@pytest.mark.parametrize("bits", [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_dgconv_keeps_a_weight_iff_no_zero_gate_bit_differs(bits: tuple[int, ...]) -> None:
    conv = DGConv2d(8).eval()
    with torch.no_grad():
        conv.gate.copy_(torch.tensor(bits) - 0.5)
    zero_bits = sum((1 - bit) << (2 - i) for i, bit in enumerate(bits))
    expected = [[float((o ^ c) & zero_bits == 0) for c in range(8)] for o in range(8)]
    assert conv.relationship().tolist() == expected
    assert int(conv.surviving_weights()) == 9 * sum(map(sum, expected))


def test_dgconv_and_gate_refuse_widths_that_are_no_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        DGConv2d(12)
    with pytest.raises(ValueError, match="power of two"):
        AcsGate(16, 16, bottleneck=12)


@pytest.mark.parametrize("gate", GATE_CONFIGS)
def test_export_keeps_one_node_for_each_gate_and_the_same_numbers(gate: AcsConfig) -> None:
    torch.manual_seed(0)
    model = ResNet(ResNetConfig(depth=8, widths=(6, 9, 12), gate=gate)).eval()
    program = torch.export.export(model, (model.example_input(),), strict=False)
    nodes = [n for n in program.graph.nodes if n.target is torch.ops.acsgen.channel_gate.default]
    assert len(nodes) == sum(isinstance(m, ChannelGate) for m in model.modules())
    image = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(program.module()(image), model(image))


def test_macs_of_the_papers_networks() -> None:
    """Widths 32/64/128 at depth 38: 332 M MACs (the paper's 667 M counts two per MAC)."""
    narrow = MacCounter(ResNet(ResNetConfig(depth=38)))
    assert narrow.static_macs == 83_280_512
    wide = MacCounter(ResNet(ResNetConfig(depth=38, widths=(32, 64, 128))))
    assert round(wide.static_macs / 1e6) == 332


def test_closed_gates_leave_the_unmasked_layers_only() -> None:
    model = ResNet(ResNetConfig(depth=8, gate=AcsConfig(threshold=1.0))).eval()
    counter = MacCounter(model)
    with torch.no_grad(), record_gates(model) as gates:
        model(model.example_input())
    blocks = [(16, 16, 32), (16, 32, 16), (32, 64, 8)]
    skipped = sum(9 * size**2 * out * (into + out) for into, out, size in blocks)
    expected = counter.static_macs - skipped + counter.gate_macs()
    assert counter.count(gates.masks).item() == pytest.approx(expected, rel=1e-6)
