"""Every pattern that the fusion knows: the layers it makes, and that the network's results stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.frontend import layers_of, run_layers
from acsgen.ir import layers as ir
from acsgen.ir.masks import UNMASKED
from acsgen.nn import AcsConfig, ResNet, ResNetConfig
from tests.frontend.compiled import compiled, kinds, net, only, program_of
from tests.nets.images import noise
from tests.nets.modules import Body, ConvBn, PooledGate, randomized


def test_conv_bn_relu_is_one_layer():
    graph = compiled(net(lambda s, x: F.relu(s.c(x)), c=ConvBn(6, 6)))
    assert kinds(graph) == "Input Conv Conv GlobalAvg Logits"
    conv = only(graph, ir.Conv, "body")
    assert conv.name == conv.where == "body.c.0"
    assert conv.relu
    assert not conv.masked_bias.any()


def test_normalization_stays_in_the_input():
    graph = compiled(net(lambda s, x: x))
    first = graph.layers[0]
    assert isinstance(first, ir.Input)
    std, mean = np.array([0.2, 0.25, 0.3]), np.array([0.5, 0.4, 0.3])
    np.testing.assert_allclose(first.scale, 1 / 255 / std, rtol=1e-6)
    np.testing.assert_allclose(first.offset, -mean / std, rtol=1e-6)


def test_identity_residual_goes_to_the_convolution():
    module = net(lambda s, x: F.relu(s.b(F.relu(s.a(x))) + x), a=ConvBn(6, 6), b=ConvBn(6, 6))
    graph = compiled(module)
    assert only(graph, ir.Conv, "body.b").residual == "stem.0"
    assert "Eltwise" not in kinds(graph)


@pytest.mark.parametrize("swap", [False, True])
def test_later_convolution_takes_the_sum(swap):
    def forward(s, x):
        first, second = s.a(x), s.down(x)
        return F.relu(second + first if swap else first + second)

    module = net(forward, a=ConvBn(6, 6, stride=2), down=ConvBn(6, 6, 1, stride=2))
    graph = compiled(module)
    assert only(graph, ir.Conv, "body.a").residual is None
    assert only(graph, ir.Conv, "body.down").residual == "body.a.0"


def test_earlier_convolution_takes_the_sum_if_it_must():
    def forward(s, x):
        first = s.a(x)
        return first + F.relu(s.b(x))

    graph = compiled(net(forward, a=ConvBn(6, 6), b=ConvBn(6, 6)))
    assert only(graph, ir.Conv, "body.a").residual == "body.b.0"
    assert [layer.name for layer in graph].index("body.b.0") < [
        layer.name for layer in graph
    ].index("body.a.0")


def test_shared_results_are_not_fused_away():
    def forward(s, x):
        y = s.c(x)
        return F.relu(y) + y * s.g(x)

    graph = compiled(net(forward, c=ConvBn(6, 6), g=PooledGate(6, 6)))
    conv = only(graph, ir.Conv, "body")
    assert (conv.relu, conv.mask, conv.residual) == (False, UNMASKED, None)


def test_add_of_a_map_to_itself_and_scaled_sums():
    module = net(lambda s, x: torch.add(x + x, s.c(x), alpha=-0.5), c=ConvBn(6, 6))
    compiled(module)
    compiled(net(lambda s, x: F.relu(x - s.c(x)), c=ConvBn(6, 6)))


def test_pre_activation_batch_norm_becomes_depthwise():
    module = net(lambda s, x: s.c(F.relu(s.bn(x))) + x, bn=nn.BatchNorm2d(6), c=ConvBn(6, 6))
    conv = only(compiled(module), ir.Conv, "body.bn")
    assert (conv.groups, conv.weight.shape, conv.relu) == (6, (6, 1, 1, 1), True)


def test_in_place_operations():
    def forward(s, x):
        y = s.c(x)
        s.relu(y)
        y += 1.0
        return y.mul_(2.0)

    compiled(net(forward, c=ConvBn(6, 6), relu=nn.ReLU(inplace=True)))


POOLS = {
    "max2": (nn.MaxPool2d(2), "max"),
    "max3-pad": (nn.MaxPool2d(3, 2, 1), "max"),
    "max-indices": (
        Body(lambda s, x: F.max_pool2d(x, 2, return_indices=True)[0]),
        "max",
    ),
    "avg2": (nn.AvgPool2d(2), "avg"),
    "avg3-pad": (nn.AvgPool2d(3, 1, 1), "avg"),
    "adaptive4": (nn.AdaptiveAvgPool2d(4), "avg"),
    "ceil-even": (nn.AvgPool2d(2, ceil_mode=True), "avg"),
}


@pytest.mark.parametrize("pool", POOLS)
def test_pools(pool):
    module, mode = POOLS[pool]
    assert only(compiled(net(lambda s, x: s.p(x), p=module)), ir.Pool).mode == mode


AVERAGES = {
    "adaptive": lambda x: torch.flatten(F.adaptive_avg_pool2d(x, 1), 1),
    "avg-pool": lambda x: F.avg_pool2d(x, 8).view(1, -1),
    "mean-negative": lambda x: x.mean((-1, -2)),
    "mean-keepdim": lambda x: x.mean([2, 3], keepdim=True).squeeze(-1).squeeze(-1),
    "mean-flat": lambda x: x.flatten(2).mean(-1),
    "squeezed": lambda x: x.mean((2, 3)).squeeze().unsqueeze(0),
}


@pytest.mark.parametrize("average", AVERAGES)
def test_global_averages(average):
    module = randomized(
        Body(
            lambda s, x: s.fc(AVERAGES[average](s.c(x.float()))),
            c=ConvBn(3, 5),
            fc=nn.Linear(5, 4),
        )
    )
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


def test_flatten_classifier():
    module = randomized(
        Body(
            lambda s, x: s.fc(F.dropout(s.c(x.float()).flatten(1), 0.5, s.training)),
            c=ConvBn(3, 2, stride=2),
            fc=nn.Linear(32, 4),
        )
    )
    assert kinds(compiled(module)) == "Input Conv Flatten Logits"


def test_hidden_layers_and_batch_norm_of_vectors():
    layers = nn.Sequential(
        nn.Linear(5, 7),
        nn.BatchNorm1d(7),
        nn.ReLU(),
        nn.Dropout(),
        nn.BatchNorm1d(7),
        nn.Linear(7, 4),
    )
    module = randomized(
        Body(lambda s, x: s.head(s.c(x.float()).mean((2, 3))), c=ConvBn(3, 5), head=layers)
    )
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Linear Logits"


def test_relu_of_a_vector_without_linear():
    module = randomized(
        Body(
            lambda s, x: s.fc(F.relu(s.c(x.float()).mean((2, 3)))),
            c=ConvBn(3, 5),
            fc=nn.Linear(5, 4),
        )
    )
    assert only(compiled(module), ir.Linear).activation == "relu"


def test_products_with_weight_matrices():
    weight, bias = torch.randn(5, 4), torch.randn(4)

    def forward(s, x):
        return torch.addmm(bias, s.c(x.float()).mean((2, 3)), weight)

    compiled(randomized(Body(forward, c=ConvBn(3, 5))))
    compiled(randomized(Body(lambda s, x: s.c(x.float()).mean((2, 3)) @ weight, c=ConvBn(3, 5))))


def test_image_read_by_other_layers_than_convolutions():
    module = randomized(
        Body(
            lambda s, x: (lambda p: s.fc((s.c(p) + p).mean((2, 3))))(x.float() / 255 - 0.5),
            c=ConvBn(3, 3),
            fc=nn.Linear(3, 4),
        )
    )
    graph = compiled(module)
    assert only(graph, ir.Conv, "c.0").residual == "input.copy"
    assert only(graph, ir.Conv, "copy").groups == 3
    pooled = Body(lambda s, x: s.fc(F.max_pool2d(x.float(), 2).flatten(1)), fc=nn.Linear(48, 4))
    assert kinds(compiled(randomized(pooled))) == "Input Conv Pool Flatten Logits"


def test_two_normalizations_of_the_image():
    def forward(s, x):
        p = x.float() / 255
        return s.fc((s.a(p - 0.5) + s.b(p * 2)).mean((2, 3)))

    compiled(randomized(Body(forward, a=ConvBn(3, 4), b=ConvBn(3, 4), fc=nn.Linear(4, 4))))


@pytest.mark.parametrize(
    ("step", "scale"),
    [
        (lambda x: x, 1 / 255),
        (lambda x: (x - 0.5) / 0.25, 1 / 255),
        (lambda x: x * 2 - 1, 1 / 255),
        (lambda x: x / 255, 1.0),
        (lambda x: (x / 255.0 - 0.45) / 0.2, 1.0),
        (lambda x: x / 127.5 - 1, 1.0),
    ],
)
def test_float_images(step, scale):
    module = randomized(
        Body(lambda s, x: s.fc(s.c(step(x)).mean((2, 3))), c=ConvBn(3, 4), fc=nn.Linear(4, 4))
    )
    compiled(module, dtype=torch.float32, scale=scale)


CONVOLUTIONS = {
    "same": {"kernel_size": 5, "padding": "same"},
    "valid": {"kernel_size": 3, "padding": "valid"},
    "even": {"kernel_size": 2, "stride": 2},
    "grouped": {"kernel_size": 3, "padding": 1, "groups": 3},
    "depthwise": {"kernel_size": 7, "padding": 3, "groups": 6, "stride": 2},
    "no-bias": {"kernel_size": 1, "bias": False},
}


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_convolutions(convolution):
    compiled(net(lambda s, x: s.c(x), c=nn.Conv2d(6, 6, **CONVOLUTIONS[convolution])))


def test_convolutions_of_a_pooled_map_are_linear():
    head = nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(6, 8, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.Conv2d(8, 4, 1),
    )
    module = randomized(
        Body(lambda s, x: s.head(s.c(x.float())).flatten(1), c=ConvBn(3, 6), head=head)
    )
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Linear Logits"


def test_a_module_called_twice_gets_two_names():
    graph = compiled(net(lambda s, x: s.c(F.relu(s.c(x))), c=ConvBn(6, 6)))
    names = [layer.name for layer in graph if isinstance(layer, ir.Conv)]
    assert names == ["stem.0", "body.c.0", "body.c.0@1"]


def test_unused_parts_vanish():
    def forward(s, x):
        torch.softmax(s.unused(x), 1)
        return s.c(x)

    graph = compiled(net(forward, c=ConvBn(6, 6), unused=ConvBn(6, 6)))
    assert not any("unused" in layer.name for layer in graph)


@pytest.mark.parametrize(
    "config",
    [
        None,
        AcsConfig(),
        AcsConfig(mask_target="both", mask_before_bn=True),
        AcsConfig(granularity="conv", last_norm=False, bottleneck_norm=False),
        AcsConfig(mask_target="output", se=False, grouping=False, bottleneck_stride=2),
    ],
)
def test_resnet(config):
    module = randomized(ResNet(ResNetConfig(image_size=16, widths=(8, 12, 17), gate=config)))
    graph = compiled(module, (3, 16, 16))
    assert "Eltwise" not in kinds(graph)
    blocks = sum(1 for layer in graph if isinstance(layer, ir.Conv) and layer.residual is not None)
    assert blocks == 3


def test_dgconv_weights_are_resolved():
    config = ResNetConfig(image_size=8, widths=(8, 8, 8), gate=AcsConfig())
    module = randomized(ResNet(config))
    with torch.no_grad():
        module.layer1[0].gate1.conv1.gate[0] = -1.0
    conv = only(compiled(module, (3, 8, 8)), ir.Conv, "layer1.0.gate1.conv1")
    assert conv.groups == 1
    connected = conv.weight.any(axis=(2, 3))
    assert connected[0, 0]
    assert not connected[0, 4]


def test_names_and_result_are_stable():
    module = randomized(ResNet(ResNetConfig(image_size=8, widths=(4, 4, 4), gate=AcsConfig())))
    first, _ = layers_of(program_of(module, (3, 8, 8)))
    second, _ = layers_of(program_of(module, (3, 8, 8)))
    assert [layer.name for layer in first] == [layer.name for layer in second]
    assert "layer1.0.gate1.gate" in {gate.name for gate in first.gates}


def test_concatenated_maps_are_one_layer_of_their_own():
    def forward(s, x):
        y = F.relu(s.c(x))
        return s.d(torch.cat([x, y, x], 1))

    graph = compiled(net(forward, c=ConvBn(6, 4), d=ConvBn(16, 6)))
    concat = only(graph, ir.Concat)
    assert concat.maps == ("stem.0", only(graph, ir.Conv, "body.c").name, "stem.0")
    assert concat.shape == (16, 8, 8)


def test_a_concatenation_of_one_map_is_that_map():
    graph = compiled(net(lambda s, x: s.c(torch.cat([x], -3)), c=ConvBn(6, 6)))
    assert "Concat" not in kinds(graph)


def test_the_image_itself_may_be_concatenated():
    class Early(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(6, 4, 3), nn.Linear(4, 3)

        def forward(self, x):
            x = x.float() / 255
            return self.fc(self.conv(torch.cat([x, x], 1)).mean((2, 3)))

    graph = compiled(Early().eval())
    assert only(graph, ir.Concat).maps == ("input.copy",) * 2


class Branches(nn.Module):
    """Two classifiers, one on the first half of the network, returned in the given ``order``."""

    def __init__(self, order):
        super().__init__()
        self.order = order
        self.first, self.second = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 8, 3)
        self.early, self.late = nn.Linear(6, 4), nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.first(x.float() / 255))
        logits = {"early": self.early(x.mean((2, 3)))}
        logits["late"] = self.late(F.relu(self.second(x)).mean((2, 3)))
        return tuple(logits[name] for name in self.order)


@pytest.mark.parametrize("order", [("early", "late"), ("late", "early")])
def test_several_classifiers_are_outputs_and_the_last_one_is_the_answer(order):
    module = randomized(Branches(order))
    graph, program = layers_of(program_of(module))
    assert graph.outputs == order
    images = torch.from_numpy(noise((3, 8, 8), 3, seed=1))
    results = run_layers(graph, images, dtype=torch.float64)
    with torch.no_grad():
        wanted = dict(zip(order, module(images), strict=True))
    for name, logits in wanted.items():
        torch.testing.assert_close(results[name].float(), logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(program.logits(images), wanted[order[-1]], rtol=1e-4, atol=1e-4)


def test_a_classifier_that_the_network_goes_on_with_stays_a_vector_too():
    class Chained(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.early, self.late = nn.Conv2d(3, 6, 3), nn.Linear(6, 4), nn.Linear(4, 5)

        def forward(self, x):
            early = self.early(self.conv(x.float() / 255).mean((2, 3)))
            return early, self.late(early)

    graph, _ = layers_of(program_of(randomized(Chained())))
    assert graph.outputs == ("early.logits", "late")
    assert kinds(graph) == "Input Conv GlobalAvg Linear Logits Logits"
