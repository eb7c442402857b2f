"""Gates and the factors of a vector: where masks go, and the layers that decide them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.frontend import run_layers
from acsgen.ir import layers as ir
from acsgen.ir.masks import whole
from acsgen.nn import SqueezeExcite
from tests.frontend.compiled import compiled, kinds, net, only
from tests.nets.images import noise
from tests.nets.modules import ConvBn, PooledGate

MASK_ORDERS = {
    "bn-relu-mask": (lambda s, x: F.relu(s.bn(s.c(x))) * s.g(x), True, False),
    "bn-mask-relu": (lambda s, x: F.relu(s.bn(s.c(x)) * s.g(x)), True, False),
    "mask-bn-relu": (lambda s, x: F.relu(s.bn(s.c(x) * s.g(x))), True, True),
    "mask-bn": (lambda s, x: s.bn(s.g(x) * s.c(x)), False, True),
    "bn-mask": (lambda s, x: s.bn(s.c(x)) * s.g(x), False, False),
}


@pytest.mark.parametrize("order", MASK_ORDERS)
def test_mask_sinks_to_its_convolution(order):
    forward, relu, before_bn = MASK_ORDERS[order]
    module = net(forward, c=nn.Conv2d(6, 6, 3, padding=1), bn=nn.BatchNorm2d(6), g=PooledGate(6, 6))
    graph = compiled(module)
    assert sorted(kinds(graph).split()) == sorted(
        ["Input", "Conv", "Conv", "GlobalAvg", "Gate", "GlobalAvg", "Logits"]
    )
    conv = only(graph, ir.Conv, "body")
    assert (conv.mask, conv.relu) == (whole("body.g.gate", 6), relu)
    assert conv.masked_bias.any() == before_bn


def test_mask_before_the_residual():
    module = net(lambda s, x: F.relu(s.c(x) * s.g(x) + x), c=ConvBn(6, 6), g=PooledGate(6, 6))
    conv = only(compiled(module), ir.Conv, "body")
    assert (conv.mask, conv.residual, conv.relu) == (whole("body.g.gate", 6), "stem.0", True)


def test_mask_after_the_residual_is_elementwise():
    module = net(lambda s, x: F.relu(s.c(x) + x) * s.g(x), c=ConvBn(6, 6), g=PooledGate(6, 6))
    graph = compiled(module)
    assert only(graph, ir.Eltwise).mask == whole("body.g.gate", 6)
    # Nothing reads the sum where the mask is closed.
    assert only(graph, ir.Conv, "body").mask == whole("body.g.gate", 6)


def test_two_masks_are_chained():
    module = net(
        lambda s, x: s.c(x) * s.g(x) * s.h(x),
        c=ConvBn(6, 6),
        g=PooledGate(6, 6),
        h=PooledGate(6, 6),
    )
    graph = compiled(module)
    assert only(graph, ir.Conv, "body").mask == whole("body.g.gate", 6)
    assert only(graph, ir.Eltwise).mask == whole("body.h.gate", 6)


def test_product_of_masks_is_chained():
    module = net(
        lambda s, x: s.c(x) * (s.g(x) * s.h(x)),
        c=ConvBn(6, 6),
        g=PooledGate(6, 6),
        h=PooledGate(6, 6),
    )
    graph = compiled(module)
    assert only(graph, ir.Eltwise).mask == whole("body.h.gate", 6)


def test_the_same_mask_twice_is_once():
    module = net(
        lambda s, x: (lambda m: s.c(x) * m * m)(s.g(x)), c=ConvBn(6, 6), g=PooledGate(6, 6)
    )
    assert "Eltwise" not in kinds(compiled(module))


def test_one_bit_gates_every_channel():
    module = net(lambda s, x: s.c(x) * s.g(x), c=ConvBn(6, 6), g=PooledGate(6, 1))
    graph = compiled(module)
    gate = only(graph, ir.Gate)
    assert gate.shape == (6,)
    assert np.ptp(gate.bias) == 0


@pytest.mark.parametrize("threshold", [0.0, 0.2, 1.0])
def test_thresholds(threshold):
    module = net(lambda s, x: s.c(x) * s.g(x), c=ConvBn(6, 6), g=PooledGate(6, 6, threshold))
    graph = compiled(module)
    masks = run_layers(graph, torch.from_numpy(noise((3, 8, 8), 3, seed=1)))["body.g.gate"]
    assert only(graph, ir.Gate).threshold == threshold
    if threshold in (0.0, 1.0):
        assert bool((masks == 1.0 - threshold).all())


def test_expanded_mask():
    module = net(lambda s, x: s.c(x) * s.g(x).expand_as(x), c=ConvBn(6, 6), g=PooledGate(6, 6))
    assert only(compiled(module), ir.Conv, "body").mask == whole("body.g.gate", 6)


def test_gate_with_convolution_on_pooled_map():
    def forward(s, x):
        logits = s.fc(F.adaptive_avg_pool2d(x, 1))
        return s.c(x) * torch.ops.acsgen.channel_gate(logits, 0.5)

    graph = compiled(net(forward, c=ConvBn(6, 6), fc=nn.Conv2d(6, 6, 1)))
    assert only(graph, ir.Gate).weight.shape == (6, 6)
    assert "Linear" not in kinds(graph)


def test_gate_straight_from_the_average_gets_an_identity():
    def forward(s, x):
        return s.c(x) * torch.ops.acsgen.channel_gate(x.mean((2, 3), keepdim=True) - 0.6, 0.5)

    gate = only(compiled(net(forward, c=ConvBn(6, 6))), ir.Gate)
    np.testing.assert_allclose(gate.weight, np.eye(6))
    np.testing.assert_allclose(gate.bias, -0.6, rtol=1e-6)


def test_linear_shared_by_gate_and_scale_is_kept():
    def forward(s, x):
        logits = s.fc(x.mean((2, 3)))
        mask = torch.ops.acsgen.channel_gate(logits, 0.5)
        return s.c(x) * mask[..., None, None] * torch.sigmoid(logits)[..., None, None]

    graph = compiled(net(forward, c=ConvBn(6, 6), fc=nn.Linear(6, 6)))
    assert only(graph, ir.Gate).x == only(graph, ir.Linear, "fc").x


def test_affine_stack_collapses_and_bottleneck_stays():
    def forward(s, x):
        return s.c(x) * torch.ops.acsgen.channel_gate(s.fc(x.mean((2, 3))), 0.5)[..., None, None]

    wide = nn.Sequential(nn.Linear(6, 12), nn.Linear(12, 6))
    graph = compiled(net(forward, c=ConvBn(6, 6), fc=wide))
    assert "Linear" not in kinds(graph)
    assert only(graph, ir.Gate).weight.shape == (6, 6)
    narrow = nn.Sequential(nn.Linear(6, 1), nn.Linear(1, 6))
    assert "Linear" in kinds(compiled(net(forward, c=ConvBn(6, 6), fc=narrow)))


def test_squeeze_and_excitation():
    graph = compiled(net(lambda s, x: s.se(x), se=SqueezeExcite(6)))
    assert kinds(graph) == "Input Conv GlobalAvg Linear Linear Scale GlobalAvg Logits"
    assert only(graph, ir.Linear, "excite").activation == "sigmoid"


def test_a_sigmoid_of_nearly_nothing_passes_the_self_check():
    """Its sums are smaller than a rounding error of its result, which is about 0.5."""
    nearly_nothing = SqueezeExcite(6)
    module = net(lambda s, x: s.se(x), se=nearly_nothing)
    with torch.no_grad():
        nearly_nothing.squeeze.weight.mul_(1e-6)
    assert only(compiled(module), ir.Linear, "excite").activation == "sigmoid"


def test_sigmoid_straight_from_the_average():
    graph = compiled(net(lambda s, x: x * torch.sigmoid(x.mean((2, 3), keepdim=True))))
    np.testing.assert_allclose(only(graph, ir.Linear).weight, np.eye(6))


def test_gate_on_the_gated_map_itself():
    def forward(s, x):
        y = F.relu(s.c(x))
        return y * s.g(y)

    graph = compiled(net(forward, c=ConvBn(6, 6), g=PooledGate(6, 6)))
    assert only(graph, ir.Eltwise).mask == whole("body.g.gate", 6)
