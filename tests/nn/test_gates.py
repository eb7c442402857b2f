"""The gate operator, DGConv's grouping, and counting MACs under masks."""

from __future__ import annotations

import math

import pytest
import torch
from acsgen_host.thresholds import logit

from acsgen.nn import AcsConfig, AcsGate, ChannelGate, DGConv2d, ResNet, ResNetConfig
from acsgen.nn.gates.gate import default_bottleneck
from acsgen.nn.gates.record import record_gates
from acsgen.nn.mac_counter import MacCounter


@pytest.mark.unit
def test_mask_is_sigmoid_above_threshold() -> None:
    logits = torch.linspace(-4.0, 4.0, 81).reshape(1, -1)
    for threshold in (0.1, 0.5, 0.9):
        mask = ChannelGate(threshold)(logits)
        assert mask.shape == (1, 81, 1, 1)
        expected = torch.sigmoid(logits.double()) > threshold
        assert torch.equal(mask.flatten(1), expected.float())


@pytest.mark.unit
def test_a_logit_on_the_threshold_is_closed() -> None:
    assert ChannelGate(0.5)(torch.zeros(1, 1)).item() == 0.0
    assert ChannelGate(0.5)(torch.full((1, 1), 1e-30)).item() == 1.0


@pytest.mark.unit
def test_gradient_passes_straight_through_as_that_of_the_sigmoid() -> None:
    logits = torch.tensor([[-3.0, 0.0, 0.1, 3.0]], requires_grad=True)
    weight = torch.tensor([[1.0, -2.0, 3.0, 4.0]])
    (ChannelGate(0.3)(logits).flatten(1) * weight).sum().backward()
    p = torch.sigmoid(logits.detach())
    assert torch.equal(logits.grad, weight * p * (1 - p))


@pytest.mark.unit
@pytest.mark.parametrize(("threshold", "value"), [(0.0, 1.0), (1.0, 0.0)])
def test_extreme_thresholds_open_and_close_everything(threshold: float, value: float) -> None:
    mask = ChannelGate(threshold)(torch.tensor([[-1e30, 0.0, 1e30, -math.inf]]))
    assert mask.unique().tolist() == [value]


@pytest.mark.unit
def test_threshold_logit_is_rounded_to_float32_once() -> None:
    assert logit(0.5) == 0.0
    assert logit(0.7) == float(torch.tensor(math.log(0.7 / 0.3), dtype=torch.float32))
    assert (logit(0.0), logit(1.0)) == (-math.inf, math.inf)


@pytest.mark.unit
@pytest.mark.parametrize("threshold", [-0.1, 1.5, math.nan])
def test_threshold_outside_the_unit_interval_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"within \[0, 1\]"):
        ChannelGate(threshold)


@pytest.mark.unit
def test_gates_refuse_maps_and_negative_noise() -> None:
    with pytest.raises(ValueError, match=r"logits \[N, C\], got \[1, 4, 1, 1\]"):
        ChannelGate()(torch.zeros(1, 4, 1, 1))
    with pytest.raises(ValueError, match="noise"):
        ChannelGate(noise=-1.0)


@pytest.mark.unit
def test_hashed_gates_decide_for_half_of_the_images() -> None:
    """The others have the saturating sigmoid, whose gradient both have; in use all are decided."""
    torch.manual_seed(0)
    row = torch.tensor([-9.0, -1.0, -0.1, 0.2, 1.0, 9.0])
    logits = row.repeat(400, 1).requires_grad_()
    gate = ChannelGate(0.6)
    gate.hashed = True
    mask = gate(logits).flatten(1)
    p = torch.sigmoid(row - logit(0.6))
    soft = (1.2 * p - 0.1).clamp(0.0, 1.0)
    hard = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    decided = (mask == hard).all(1)
    assert torch.equal(mask[~decided], soft.expand(int((~decided).sum()), 6))
    assert 0.4 < float(decided.float().mean()) < 0.6
    mask.sum().backward()
    inside = torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    torch.testing.assert_close(logits.grad, (inside * 1.2 * p * (1 - p)).expand(400, 6))
    assert torch.equal(gate.eval()(logits).flatten(1), hard.expand(400, 6))


@pytest.mark.unit
def test_noise_flips_decisions_in_training_only() -> None:
    torch.manual_seed(0)
    gate = ChannelGate(noise=1.0)
    logits = torch.full((1, 1000), 0.1)
    assert 300 < gate.train()(logits).sum() < 700
    assert gate.eval()(logits).sum() == 1000


@pytest.mark.unit
@pytest.mark.parametrize("bits", [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)])
def test_dgconv_keeps_a_weight_iff_no_zero_gate_bit_differs(bits: tuple[int, ...]) -> None:
    conv = DGConv2d(8).eval()
    with torch.no_grad():
        conv.gate.copy_(torch.tensor(bits) - 0.5)
    zero_bits = sum((1 - bit) << (2 - i) for i, bit in enumerate(bits))
    expected = [[float((o ^ c) & zero_bits == 0) for c in range(8)] for o in range(8)]
    assert conv.relationship().tolist() == expected
    assert int(conv.surviving_weights()) == 9 * sum(map(sum, expected))


@pytest.mark.unit
def test_dgconv_computes_with_the_surviving_weights_only() -> None:
    torch.manual_seed(0)
    conv = DGConv2d(8, stride=2).eval()
    with torch.no_grad():
        conv.gate.copy_(torch.tensor([1.0, -1.0, -1.0]))
    x = torch.randn(1, 8, 6, 6)
    with torch.no_grad():
        y = conv(x)
        x[:, 1] += 1.0  # channel 1 reaches the outputs that differ from it in the top bit only
        changed = (conv(x) != y).flatten(2).any(2)
    assert y.shape == (1, 8, 3, 3)
    assert changed[0].nonzero().flatten().tolist() == [1, 5]


@pytest.mark.unit
def test_the_dgconv_regularizer_pulls_on_its_gates_in_training() -> None:
    conv = DGConv2d(4, kernel_size=1).train()
    cost = conv.surviving_weights()
    assert cost.item() == 16.0
    cost.backward()
    assert conv.gate.grad.tolist() == pytest.approx([16 * math.log(2)] * 2)


@pytest.mark.unit
def test_dgconv_and_gate_refuse_what_does_not_factor() -> None:
    with pytest.raises(ValueError, match="power of two"):
        DGConv2d(12)
    with pytest.raises(ValueError, match="odd kernel"):
        DGConv2d(8, kernel_size=2)
    with pytest.raises(ValueError, match="power of two"):
        AcsGate(16, 16, bottleneck=12)
    AcsGate(16, 16, bottleneck=12, grouping=False)


@pytest.mark.unit
def test_default_bottleneck_is_a_power_of_two_for_every_width() -> None:
    widths = {channels: default_bottleneck(channels) for channels in range(1, 300)}
    assert all(width & (width - 1) == 0 for width in widths.values())
    assert [widths[c] for c in (1, 16, 17, 31, 32, 63, 64, 128)] == [8, 8, 8, 8, 16, 16, 32, 64]


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


SMALL = {"depth": 8, "widths": (2, 2, 2), "image_size": 4, "in_channels": 1}
SMALL |= {"mean": (0.5,), "std": (0.25,)}
#: By hand: 9 taps x 16 pixels x (1 x 2 stem); stage 1 two convs 2 x 2 on 16 pixels; stages 2 and 3
#: two convs and a 1x1 shortcut on 4 and 1 pixels; the classifier.
SMALL_STATIC = 9 * 16 * 2 + 2 * 9 * 4 * 16 + (2 * 9 + 1) * 4 * 4 + (2 * 9 + 1) * 4 * 1 + 2 * 10


@pytest.mark.unit
@pytest.mark.parametrize(
    ("gate", "conv1", "conv2"),
    [
        (AcsConfig(), 0.5, 0.5),  # masked outputs; their zeros are skipped as inputs
        (AcsConfig(mask_before_bn=True), 0.5, 1.0),  # not zero after BatchNorm
        (AcsConfig(mask_target="output"), 1.0, 0.5),
        (AcsConfig(mask_target="both"), 0.5, 0.25),
        (AcsConfig(granularity="conv"), 0.5, 0.25),
    ],
)
def test_macs_by_hand_with_half_of_the_channels(
    gate: AcsConfig, conv1: float, conv2: float
) -> None:
    model = ResNet(ResNetConfig(**SMALL, gate=gate))
    counter = MacCounter(model)
    assert counter.static_macs == SMALL_STATIC
    half = {name: torch.tensor([[1.0, 0.0]]) for name in counter.gate_names}
    one_conv = 9 * 4 * (16 + 4 + 1)
    expected = SMALL_STATIC - one_conv * (2 - conv1 - conv2) + counter.gate_macs()
    if gate.granularity == "conv":  # the second gate reads the half of the channels too
        expected -= 0.5 * 2 * 8 * (16 + 4 + 1)
    assert counter.count(half).item() == expected


def test_the_mac_count_is_differentiable_in_masks_and_groupings() -> None:
    model = ResNet(ResNetConfig(**SMALL, gate=AcsConfig())).train()
    counter = MacCounter(model)
    masks = {name: torch.tensor([[1.0, 0.0]], requires_grad=True) for name in counter.gate_names}
    counter.count(masks).sum().backward()
    # One more channel of two: half of conv1 and half of conv2, 36 weights each, on 16 pixels.
    assert masks["layer1.0.gate1.gate"].grad.tolist() == [[36 * 16.0, 36 * 16.0]]
    assert (model.layer1[0].gate1.conv1.gate.grad > 0).all()


def test_the_mac_counter_refuses_networks_that_do_not_describe_themselves() -> None:
    with pytest.raises(TypeError, match="gated_layers"):
        MacCounter(torch.nn.Linear(2, 2))
