"""Windows and steps that the engine does not have: passes make pools and convolutions of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.frontend.ops.windows import adaptive, sliding
from acsgen.ir import layers as ir
from tests.frontend.compiled import compiled, kinds, only, refusals
from tests.nets.modules import Body, ConvBn, Net, randomized


def net(forward, shape=(3, 16, 16), **layers):
    """What compiles of features behind a ReLU, the forward, and a classifier behind the average."""
    return compiled(randomized(Net(Body(forward, **layers))), shape)


def flat(forward, inputs, shape=(3, 16, 16)):
    """What compiles of a convolution, a ReLU, the forward, and a linear layer of all its pixels."""

    def whole(s, x):
        return s.fc(forward(F.relu(s.c(x.float()))).flatten(1))

    return compiled(randomized(Body(whole, c=ConvBn(3, 6), fc=nn.Linear(inputs, 4))), shape)


def pools(graph):
    return [
        (layer.mode, layer.kernel, layer.stride) for layer in graph if isinstance(layer, ir.Pool)
    ]


@pytest.mark.parametrize("size", [*range(1, 12), 20, 33])
@pytest.mark.parametrize("out", [1, 2, 3, 7])
def test_adaptive_windows_are_those_of_torch(size, out):
    x = torch.rand(1, 1, size, dtype=torch.float64)
    expected = F.adaptive_avg_pool1d(x, out)[0, 0]
    np.testing.assert_allclose(adaptive(size, out).means() @ x[0, 0].numpy(), expected)


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("window", [(3, 2, 1), (2, 2, 0), (5, 3, 2), (3, 3, 1)])
def test_sliding_windows_are_those_of_torch(window, counts):
    for size in range(5, 12):
        x = torch.rand(1, 1, size, dtype=torch.float64)
        expected = F.avg_pool1d(x, *window, ceil_mode=True, count_include_pad=counts)[0, 0]
        matrix = sliding(size, len(expected), *window).means(counts)
        np.testing.assert_allclose(matrix @ x[0, 0].numpy(), expected)


LARGE = {
    "average-8": (nn.AvgPool2d(8), [("avg", 2, 2)] * 3),
    "adaptive-2": (nn.AdaptiveAvgPool2d(2), [("avg", 2, 2)] * 3),
    "overlapping-average": (nn.AvgPool2d(8, 4), [("avg", 2, 2), ("avg", 4, 2)]),
    "maximum-8": (nn.MaxPool2d(8), [("max", 2, 2)] * 3),
    "adaptive-maximum": (nn.AdaptiveMaxPool2d(2), [("max", 2, 2)] * 3),
    "pyramid": (nn.MaxPool2d(13, 1, 6), [("max", 7, 1), ("max", 7, 1)]),
    "step-8": (nn.MaxPool2d(3, 8), [("max", 3, 2), ("max", 1, 2), ("max", 1, 2)]),
}


@pytest.mark.parametrize("pool", LARGE)
def test_large_pools_are_several_small_ones(pool):
    """The convolution behind keeps an average from becoming part of another."""
    module, expected = LARGE[pool]
    graph = net(lambda s, x: s.k(s.p(x)), p=module, k=ConvBn(6, 6, 1))
    assert pools(graph) == expected


MAXIMA = {
    "adaptive": nn.AdaptiveMaxPool2d(1),
    "amax": Body(lambda s, x: x.amax((2, 3), keepdim=True)),
    "one-axis-each": Body(lambda s, x: x.max(3)[0].max(2)[0][:, :, None, None]),
    "flattened": Body(lambda s, x: x.flatten(2).max(-1, keepdim=True)[0][..., None]),
}


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 9, 5), (3, 7, 12), (3, 1, 1)])
@pytest.mark.parametrize("maximum", MAXIMA)
def test_the_maximum_over_a_map_is_a_chain_of_pools(maximum, shape):
    graph = compiled(
        randomized(Body(lambda s, x: s.fc(s.m(s.c(x.float())).flatten(1)), c=ConvBn(3, 6),
                        m=MAXIMA[maximum], fc=nn.Linear(6, 4))), shape)  # fmt: skip
    assert {mode for mode, *_ in pools(graph)} <= {"max"}


CEILED = {
    "squeezenet": lambda s, x: F.max_pool2d(x, 3, 2, ceil_mode=True),
    "padded": lambda s, x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "cropped": lambda s, x: F.max_pool2d(x[:, :, :15, :15], 2, ceil_mode=True),
    "masked": lambda s, x: F.max_pool2d(torch.cat([x, x.clamp(0, 1)], 1), 3, 2, ceil_mode=True),
    "relu-behind": lambda s, x: F.relu(F.max_pool2d(s.c(x), 3, 2, ceil_mode=True)),
}


@pytest.mark.parametrize("pool", CEILED)
def test_ceil_mode_adds_zeros_where_none_can_win(pool):
    outputs = 12 if pool == "masked" else 6
    module = Body(lambda s, x: s.k(CEILED[pool](s, F.relu(x))), c=ConvBn(6, 6),
                  k=ConvBn(outputs, 6, 1))  # fmt: skip
    compiled(randomized(Net(module)), (3, 16, 16))


def test_ceil_mode_of_an_oblong_map():
    net(lambda s, x: F.max_pool2d(x, 2, ceil_mode=True), (3, 15, 16))


FLATTENED = {
    "more-than-the-map-has": (nn.AdaptiveAvgPool2d((7, 7)), 49),
    "of-different-sizes": (nn.AdaptiveAvgPool2d(3), 9),
    "columns": (nn.AdaptiveAvgPool2d((1, None)), 11),
    "mean-of-rows": (Body(lambda s, x: x.mean(2)), 11),
    "without-padding": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), 30),
    "ceil": (nn.AvgPool2d(3, 2, ceil_mode=True), 25),
    "oblong": (nn.AvgPool2d((5, 2)), 10),
}


@pytest.mark.parametrize("pool", FLATTENED)
def test_averages_before_a_linear_layer_are_part_of_it(pool):
    module, pixels = FLATTENED[pool]
    graph = flat(module, 6 * pixels, (3, 10, 11))
    assert kinds(graph) == "Input Conv Flatten Logits"


def test_a_map_of_one_pixel_is_spread_as_vgg_does():
    forward = nn.Sequential(nn.MaxPool2d(8), nn.AdaptiveAvgPool2d((7, 7)))
    assert kinds(flat(forward, 6 * 49, (3, 8, 8))).endswith("GlobalAvg Logits")


def test_an_average_that_is_not_square_is_a_convolution():
    conv = only(net(lambda s, x: F.avg_pool2d(x, (5, 3), 1, (2, 1))), ir.Conv, "body")
    assert conv.relu, "the average of what is never negative keeps its eighth bit"


STRIDES = {
    "patches": nn.Conv2d(6, 8, 4, 4),
    "stem": nn.Conv2d(6, 8, 7, 4, 3),
    "alexnet": nn.Conv2d(6, 8, 11, 4, 2),
    "groups": nn.Conv2d(6, 12, 5, 4, 1, groups=3),
    "large-patches": nn.Conv2d(6, 8, 8, 8),
    "large-kernel": nn.Conv2d(6, 8, 9, 2, 4),
    "dilated": nn.Conv2d(6, 8, 3, 4, 2, dilation=2),
    "three": nn.Conv2d(6, 8, 3, 3, 1),
    "six": nn.Conv2d(6, 8, 3, 6),
    "oblong": nn.Conv2d(6, 8, (3, 5), 4, (1, 2)),
}


@pytest.mark.parametrize("size", [17, 24])
@pytest.mark.parametrize("conv", STRIDES)
def test_convolutions_of_large_strides(conv, size):
    module = STRIDES[conv]
    outs = module.out_channels
    head = Body(lambda s, x: s.fc(F.relu(s.b(x)).mean((2, 3))), b=nn.BatchNorm2d(outs),
                fc=nn.Linear(outs, 4))  # fmt: skip
    body = Body(lambda s, x: s.h(s.c(F.relu(s.stem(x.float())))), stem=ConvBn(3, 6), c=module,
                h=head)  # fmt: skip
    graph = compiled(randomized(body), (3, size, size))
    assert all(layer.stride <= 2 for layer in graph if isinstance(layer, (ir.Conv, ir.Pool)))


def test_a_large_stride_over_more_channels_than_can_be_dealt():
    net(lambda s, x: s.e(s.c(s.b(x))), (3, 8, 8), b=nn.Conv2d(6, 300, 1),
        c=nn.Conv2d(300, 300, 3, 4, 1, groups=300), e=nn.Conv2d(300, 6, 1))  # fmt: skip


def test_a_kernel_as_large_as_the_map_is_a_linear_layer():
    shape = (3, 9, 12)
    layers = {"c": ConvBn(3, 6), "k": nn.Conv2d(6, 8, (9, 12), groups=2), "fc": nn.Linear(8, 4)}
    body = Body(lambda s, x: s.fc(F.relu(s.k(s.c(x.float()))).flatten(1)), **layers)
    assert kinds(compiled(randomized(body), shape)) == "Input Conv Flatten Linear Logits"


CROPS = {
    "behind": lambda x: x[:, :, :13, :13],
    "around": lambda x: x[:, :, 2:-2, 2:-2],
    "before": lambda x: x[:, :, 3:, 3:],
    "zeros-beside": lambda x: torch.cat([x[:, :2] * 0, x, torch.zeros(1, 1, 16, 16)], 1),
    "zeros-before": lambda x: torch.cat([torch.zeros(1, 3, 16, 16), x], 1),
}  # fmt: skip


@pytest.mark.parametrize("crop", CROPS)
def test_crops_and_channels_of_zeros(crop):
    """What comes is no convolution that would take it in."""
    outputs = 9 if crop.startswith("zeros") else 6
    net(lambda s, x: s.k(F.max_pool2d(CROPS[crop](x), 2)), k=nn.Conv2d(outputs, 6, 1))


ENTRIES = {
    "maxout": lambda s, x: torch.maximum(s.a(x), s.b(x)),
    "smaller": lambda s, x: torch.minimum(s.a(x), x),
    "larger-than": lambda s, x: torch.max(s.a(x), torch.tensor(0.25)),
    "below": lambda s, x: s.a(x).clamp(max=0.5),
    "below-behind-relu": lambda s, x: F.relu(s.a(x)).clamp(max=0.5),
    "from": lambda s, x: s.a(x).clamp(min=-0.5),
    "threshold": lambda s, x: F.threshold(s.a(x), 0.0, 0.0),
    "absolute": lambda s, x: s.a(x).abs(),
    "hard-sigmoid": lambda s, x: F.hardsigmoid(s.a(x)),
    "excited": lambda s, x: x * F.hardsigmoid(s.fc(x.mean((2, 3))))[:, :, None, None],
    "hard-swish": lambda s, x: x * s.g(F.hardswish(s.fc(x.mean((2, 3))))).sigmoid()[
        ..., None, None],
    "swish": lambda s, x: x * s.g(F.silu(s.fc(x.mean((2, 3))))).sigmoid()[..., None, None],
    "vectors": lambda s, x: x * s.g(
        torch.maximum(s.fc(x.mean((2, 3))), s.g(x.mean((2, 3))))).sigmoid()[..., None, None],
}  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES)
def test_maxima_and_cut_activations(entry):
    layers = {"a": ConvBn(6, 6), "b": ConvBn(6, 6)}
    vectors = {"fc": nn.Linear(6, 6), "g": nn.Linear(6, 6)}
    net(ENTRIES[entry], (3, 8, 8), **layers, **vectors)


def test_a_relu_with_an_end_above_costs_no_layer():
    graph = net(lambda s, x: F.relu(s.a(x)).clamp(max=0.5), (3, 8, 8), a=ConvBn(6, 6))
    assert kinds(graph) == "Input Conv Conv GlobalAvg Logits"


REFUSED = {
    "negative-edge": (partial(F.max_pool2d, kernel_size=3, stride=2, ceil_mode=True), "put a ReLU"),
    "windows": (nn.AdaptiveAvgPool2d(3), "flatten it before a linear layer"),
    "one-axis": (Body(lambda s, x: x.amax(2, keepdim=True)), "x.amax((2, 3))"),
    "channels": (Body(lambda s, x: x.amax(1, keepdim=True)), "x.amax((2, 3))"),
    "oblong-crop": (Body(lambda s, x: x[:, :, :7]), "crop rows and columns alike"),
    "odd-windows": (nn.AdaptiveMaxPool2d(3), "pool to 1x1"),
    "other-value": (nn.Threshold(0.1, 20), "use ReLU"),
    "ones-beside": (Body(lambda s, x: torch.cat([x, torch.ones(1, 1, 8, 8)], 1)), "zeros are"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_stays_refused_has_a_remedy(case):
    module, remedy = REFUSED[case]
    body = Body(lambda s, x: s.k(module(s.c(x)))[:, :6], c=ConvBn(6, 6), k=nn.LazyConv2d(6, 1))
    network = Net(body)
    with torch.no_grad():
        network(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    (problem,) = refusals(randomized(network))
    assert remedy in problem.remedy
