"""Every rewrite pass: networks that equal supported ones compile, to the same function."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.compiler import compile_graph
from acsgen.frontend import layers_of, run_layers
from acsgen.frontend.passes.drop_softmax import RewriteWarning
from acsgen.frontend.passes.rewrites import REWRITES
from acsgen.ir import layers as ir
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.quantize import quantize
from tests.frontend.compiled import compiled, kinds, only, program_of, refusals
from tests.nets.images import noise
from tests.nets.modules import Body, ConvBn, Net, randomized


def net(forward, outputs=None, **layers):
    return randomized(Net(Body(forward, **layers), outputs=outputs))


def head(forward, **layers):
    return randomized(Body(lambda s, x: forward(s, s.c(x.float())), c=ConvBn(3, 6), **layers))


MEANS = {
    "columns-rows": lambda x: x.mean(3).mean(2),
    "rows-columns": lambda x: x.mean(2).mean(-1),
    "kept": lambda x: x.mean(2, keepdim=True).mean(3, keepdim=True).flatten(1),
}


@pytest.mark.parametrize("mean", MEANS)
def test_means_of_one_axis_after_the_other(mean):
    module = head(lambda s, x: s.fc(MEANS[mean](x)), fc=nn.Linear(6, 4))
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


@pytest.mark.parametrize("keepdim", [False, True])
def test_a_sum_over_the_map_is_a_mean_times_its_pixels(keepdim):
    module = head(lambda s, x: s.fc(x.sum((2, 3), keepdim=keepdim).flatten(1)), fc=nn.Linear(6, 4))
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


CONVOLUTIONS = {
    "zero-pad": (nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(6, 6, 3)), 3, 1),
    "pad-and-padding": (nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(6, 6, 3, padding=1)), 3, 2),
    "tensorflow-same": (
        nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(6, 6, 3, stride=2)), 4, 1),
    "one-sided": (nn.Sequential(nn.ZeroPad2d((2, 0, 2, 0)), nn.Conv2d(6, 6, 3)), 5, 2),
    "wide": (nn.Conv2d(6, 6, (1, 7), padding=(0, 3)), 7, 3),
    "high": (nn.Conv2d(6, 6, (7, 1), padding=(3, 0)), 7, 3),
    "oblong": (nn.Conv2d(6, 6, (3, 5), padding=(1, 2), groups=2), 5, 2),
    "dilated": (nn.Conv2d(6, 6, 3, padding=2, dilation=2), 5, 2),
    "dilation-3": (nn.Conv2d(6, 6, 3, stride=2, padding=3, dilation=3), 7, 3),
    "dilated-1x1": (nn.Conv2d(6, 6, 1, dilation=2), 1, 0),
    "even-same": (nn.Conv2d(6, 6, 2, padding="same"), 3, 1),
    "dilated-same": (nn.Conv2d(6, 6, (3, 2), padding="same", dilation=(2, 1)), 5, 2),
}  # fmt: skip


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_convolutions_get_a_square_kernel(convolution):
    module, kernel, pad = CONVOLUTIONS[convolution]
    conv = only(compiled(net(lambda s, x: s.c(x), c=module)), ir.Conv, "body")
    assert (conv.weight.shape[2:], conv.pad) == ((kernel, kernel), pad)


def test_padding_shared_by_two_convolutions_and_alone():
    def forward(s, x):
        padded = F.pad(x, (1, 1, 1, 1))
        return s.a(padded) + s.b(padded)

    compiled(net(forward, a=nn.Conv2d(6, 6, 3), b=nn.Conv2d(6, 6, 3)))
    compiled(net(lambda s, x: F.max_pool2d(F.relu(F.pad(x, (1, 1, 1, 1))), 2)))


def test_a_dilated_convolution_of_a_pooled_map_is_linear():
    convolution = nn.Conv2d(6, 4, 3, padding=2, dilation=2)
    module = head(lambda s, x: s.k(F.adaptive_avg_pool2d(x, 1)).flatten(1), k=convolution)
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


SHORTCUTS = {
    "option-a": lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 3, 3)),
    "behind": lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 6)),
}


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_shortcut_without_weights(shortcut):
    def forward(s, x):
        return F.relu(s.b(F.relu(s.a(x))) + SHORTCUTS[shortcut](x))

    graph = compiled(net(forward, outputs=12, a=ConvBn(6, 12, 3, 2), b=ConvBn(12, 12)))
    first, last = (layer for layer in graph if isinstance(layer, ir.Conv) and layer.residual), None
    assert next(first).relu
    assert last is None
    assert "Eltwise" not in kinds(graph)


SLICES = {
    "channels": lambda s, x: s.e(x[:, 2:5]),
    "halves": lambda s, x: s.e(x[:, :3]) + s.e(x[:, 3:]),
    "strided": lambda s, x: x[:, :, ::2, ::2],
}


@pytest.mark.parametrize("piece", SLICES)
def test_slices(piece):
    compiled(net(SLICES[piece], e=nn.Conv2d(3, 6, 1)))


@pytest.mark.parametrize("groups", [1, 2])
def test_classifier_before_the_average(groups):
    convolution = nn.Conv2d(6, 4, 1, groups=groups)
    module = head(lambda s, x: s.k(x).mean((2, 3)), k=convolution)
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


@pytest.mark.parametrize("softmax", [nn.Softmax(1), nn.LogSoftmax(1), nn.Softmax(-1), nn.Sigmoid()])
def test_softmax_at_the_end_is_left_out_and_said_so(softmax):
    module = head(lambda s, x: s.soft(s.fc(x.mean((2, 3)))), fc=nn.Linear(6, 4), soft=softmax)
    with pytest.warns(RewriteWarning, match=r"soft: the (softmax|sigmoid) at the end is left out"):
        graph, _ = layers_of(program_of(module))
    assert kinds(graph) == "Input Conv GlobalAvg Logits"
    images = torch.from_numpy(noise((3, 8, 8), 3, seed=1))
    logits = run_layers(graph, images)[graph.outputs[-1]].float()
    expected = torch.cat([module(image.unsqueeze(0)) for image in images])
    torch.testing.assert_close(softmax(logits), expected, rtol=1e-4, atol=1e-4)


POOLS = {
    "average-4": nn.AvgPool2d(4),
    "maximum-4": nn.MaxPool2d(4),
    "overlapping": nn.AvgPool2d(5, 4, 2),
    "overlapping-maximum": nn.MaxPool2d(7, 4, 3),
}


@pytest.mark.parametrize("pool", POOLS)
def test_pools_of_stride_4(pool):
    graph = compiled(net(lambda s, x: s.p(x), p=POOLS[pool]), shape=(3, 19, 16))
    assert kinds(graph) == "Input Conv Pool Pool GlobalAvg Logits"


#: Pools by the side of the map that they read.
LONG_STEPS = {
    "average-3": (nn.AvgPool2d(3), 16),
    "average-5": (nn.AvgPool2d(5), 12),
    "average-6": (nn.AvgPool2d(6), 26),
    "average-7": (nn.AvgPool2d(7), 17),
    "maximum-3": (nn.MaxPool2d(3), 23),
    "maximum-5": (nn.MaxPool2d(5), 28),
    "overlapping": (nn.MaxPool2d(5, 3, 2), 17),
    "four-tiles": (nn.MaxPool2d(3), 28),
    "many-pixels": (nn.AvgPool2d(5), 62),
    "one-window": (nn.MaxPool2d(6), 10),
}


@pytest.mark.parametrize("pool", LONG_STEPS)
def test_pools_of_other_strides_pick_pixels(pool):
    """The convolution behind keeps the pool from becoming part of the average."""
    module, side = LONG_STEPS[pool]
    network = net(lambda s, x: s.k(s.p(x)), p=module, k=ConvBn(6, 6))
    graph = compiled(network, shape=(3, side, side))
    assert {layer.stride for layer in graph if isinstance(layer, (ir.Conv, ir.Pool))} <= {1, 2}
    _, found = layers_of(program_of(network, (3, side, side)))
    assert [rewrite.name for rewrite in found.rewrites] == ["pick-pixels"]


def test_a_pool_of_many_channels_picks_pixels_in_parts():
    layers = {"a": ConvBn(6, 140), "p": nn.MaxPool2d(3), "b": ConvBn(140, 6)}
    graph = compiled(net(lambda s, x: s.b(s.p(s.a(x))), **layers), shape=(3, 12, 12))
    assert only(graph, ir.Concat).shape == (140, 4, 4)


@pytest.mark.parametrize("shape", [(3, 9, 12), (3, 27, 21)])
def test_an_average_pool_before_the_average(shape):
    module = head(lambda s, x: s.fc(s.p(x).mean((2, 3))), p=nn.AvgPool2d(3), fc=nn.Linear(6, 4))
    assert kinds(compiled(module, shape=shape)) == "Input Conv GlobalAvg Logits"


@pytest.mark.parametrize("pool", [nn.AvgPool2d(3), nn.AvgPool2d(5, 3, 1), nn.AvgPool2d(8)])
def test_an_average_pool_before_a_linear_layer(pool):
    size = pool(torch.zeros(6, 13, 17)).numel()
    module = head(lambda s, x: s.fc(s.p(x).flatten(1)), p=pool, fc=nn.Linear(size, 4))
    assert kinds(compiled(module, shape=(3, 13, 17))) == "Input Conv Flatten Logits"


def test_a_pool_with_too_many_results_gets_a_remedy():
    problems = refusals(net(lambda s, x: s.p(x), p=nn.MaxPool2d(3)), (3, 48, 48))
    assert [problem.what for problem in problems] == ["stride 3 that leaves 16x16 pixels"]
    assert "square maps with up to 13x13 results" in problems[0].remedy


CLIPS = {
    "relu6": (nn.ReLU6(), 6.0),
    "hardtanh": (nn.Hardtanh(0, 2.5), 2.5),
    "clamp": (Body(lambda s, x: x.clamp(0, 1)), 1.0),
    "twice": (nn.Sequential(nn.ReLU6(), nn.Hardtanh(0, 2)), 2.0),
    "below-zero": (nn.Hardtanh(-1, 1), 2.0),
}


@pytest.mark.parametrize("clip", CLIPS)
def test_clipped_activations_saturate_where_they_clip(clip):
    module, high = CLIPS[clip]
    network = net(lambda s, x: s.k(s.act(s.c(x) * 9)), c=ConvBn(6, 6), act=module, k=ConvBn(6, 6))
    graph = compiled(network)
    conv = only(graph, ir.Conv, "body.c")
    assert (conv.relu, conv.clip) == (True, high)
    integer = quantize(graph, noise((3, 8, 8), 4, seed=2))
    format_ = next(layer for layer in integer if layer.name == conv.name).format
    np.testing.assert_allclose(format_.scales(6) * 255, high, rtol=1e-12)


def test_clips_of_sums_and_vectors():
    module = net(lambda s, x: F.relu6((s.c(x) + x) * 9), c=ConvBn(6, 6))
    assert only(compiled(module), ir.Conv, "body.c").clip is None
    compiled(net(lambda s, x: F.relu6(s.c(x) + x), c=ConvBn(6, 6)))
    vector = head(
        lambda s, x: s.b(F.relu6(s.a(x.mean((2, 3))) * 9)), a=nn.Linear(6, 5), b=nn.Linear(5, 4)
    )
    graph = compiled(vector)
    assert only(graph, ir.Linear).clip == 6.0
    (layer,) = (x for x in quantize(graph, noise((3, 8, 8), 4)) if x.name == "a")
    assert layer.format.scales(5)[0] * 255 == pytest.approx(6.0)


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.Sigmoid()])
def test_tanh_and_sigmoid_of_hidden_vectors(activation):
    module = head(
        lambda s, x: s.b(s.act(s.a(x.mean((2, 3))))),
        a=nn.Linear(6, 9),
        act=activation,
        b=nn.Linear(9, 4),
    )
    assert only(compiled(module), ir.Linear).activation == "sigmoid"


LEAKY = {"leaky": nn.LeakyReLU(0.1), "prelu": nn.PReLU(6), "one-slope": nn.PReLU()}


@pytest.mark.parametrize("leaky", LEAKY)
def test_leaky_relus(leaky):
    compiled(net(lambda s, x: s.act(s.c(x)), c=ConvBn(6, 6), act=LEAKY[leaky]))
    compiled(
        head(lambda s, x: s.b(s.act(s.a(x.mean((2, 3))))), a=nn.Linear(6, 6), act=LEAKY[leaky],
             b=nn.Linear(6, 4))
    )  # fmt: skip


def test_torch_has_nothing_to_warn_of():
    """Slopes of all channels are one number, which numpy keeps once and lends for reading only."""
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            compiled(net(lambda s, x: s.act(s.c(x)), c=ConvBn(6, 6), act=nn.PReLU()))
    finally:
        torch.set_warn_always(False)
    assert not [str(warning.message) for warning in caught if "writ" in str(warning.message)]


REFUSED = {
    "large": (nn.Conv2d(6, 6, (1, 9), padding=(0, 4)), "kernel 1x9 and padding"),
    "dilated": (nn.Conv2d(6, 6, 5, padding=4, dilation=2), "dilation 2"),
    "uneven": (nn.Sequential(nn.ZeroPad2d((2, 0, 1, 0)), nn.Conv2d(6, 6, 3)), "padding 1, 0, 2, 0"),
    "reflect": (nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(6, 6, 3)), "reflect"),
    "steep": (nn.LeakyReLU(1.5), "slope above 1"),
    "pool-8": (nn.AvgPool2d(9, 1, 4), "kernel 9x9 is larger than 7x7"),
    "every-third": (Body(lambda s, x: x[:, :, ::3, ::3]), "every 3-th"),
    "inner-softmax": (Body(lambda s, x: x + x.softmax(1)), "softmax of a map"),
}


@pytest.mark.parametrize("layer", REFUSED)
def test_others_stay_refused(layer):
    module, what = REFUSED[layer]
    problems = refusals(net(lambda s, x: s.odd(x), odd=module))
    assert any(what in problem.what for problem in problems), problems
    assert all(problem.remedy for problem in problems)


def test_the_passes_that_were_applied_are_known_by_name_and_place():
    def forward(s, x):
        x = s.plain(s.odd(F.relu6(s.pad(x))))
        return F.log_softmax(s.fc(x.mean(3).mean(2)), 1)

    layers = {
        "pad": nn.ZeroPad2d((0, 1, 0, 1)), "odd": nn.Conv2d(6, 6, (1, 3), padding=(0, 1)),
        "plain": nn.Conv2d(6, 6, 3, padding=1), "fc": nn.Linear(6, 4),
    }  # fmt: skip
    with pytest.warns(RewriteWarning):
        _, network = layers_of(program_of(head(forward, **layers)))
    places = {rewrite.name: rewrite.places for rewrite in network.rewrites}
    assert list(places) == [
        "drop-softmax", "merge-means", "clips", "merge-padding", "square-windows"
    ]  # fmt: skip
    assert places["square-windows"] == ("pad", "odd")
    assert places["merge-means"][0].startswith("test_rewrites.py:")
    assert "pad" in places["merge-padding"][0]
    _, network = layers_of(program_of(net(lambda s, x: s.c(x), c=ConvBn(6, 6))))
    assert network.rewrites == ()


def test_maps_behind_relu_become_signed_beside_others():
    def forward(s, x):
        y = s.c(x)
        first = torch.cat([F.max_pool2d(x, 3, 1, 1), y], 1)
        return s.d(torch.cat([first, s.e(first), x], 1))

    module = net(forward, c=ConvBn(6, 4), d=ConvBn(20, 6), e=ConvBn(10, 4))
    graph = compiled(module)
    integers = quantize(graph, noise((3, 8, 8), 8))
    concats = [layer for layer in integers if layer.KIND == "concat"]
    assert [layer.format.one_sign for layer in concats] == [True, True]
    # The stem is read by other layers too, which go on reading it as unsigned.
    assert integers["stem.0"].format.one_sign is False
    # Maps that all end in ReLU stay as they are.
    both = net(lambda s, x: s.d(torch.cat([x, F.relu(s.c(x))], 1)), c=ConvBn(6, 4), d=ConvBn(10, 6))
    assert kinds(compiled(both)) == "Input Conv Conv Concat Conv GlobalAvg Logits"


def test_a_flattened_map_of_one_pixel_is_a_vector():
    module = head(
        lambda s, x: s.fc(F.max_pool2d(F.max_pool2d(x, 4), 2).flatten(1)), fc=nn.Linear(6, 4)
    )
    assert "Flatten" not in kinds(compiled(module))
    # A channel takes one byte, not the 64 of a stored row.
    program = compile_graph(
        quantize(compiled(module), noise((3, 8, 8), 4)),
        EngineConfig(4, feature_kib=64, weight_kib=32, vector_bytes=64),
    )
    assert program.memory.vector_words == 1


def test_the_mean_of_one_pixel_is_the_pixel():
    module = head(lambda s, x: s.fc(F.avg_pool2d(x, 8).mean((2, 3))), fc=nn.Linear(6, 4))
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


def test_passes_have_names_and_say_what_they_do():
    assert len({step.name for step in REWRITES}) == len(REWRITES)
    assert all(step.does for step in REWRITES)


ENDS = {
    "average": (lambda s, x: F.relu(s.end(x)).mean((2, 3)), "Input Conv Conv GlobalAvg Logits"),
    "pooled": (
        lambda s, x: F.adaptive_avg_pool2d(F.relu(s.end(x)), 1),
        "Input Conv Conv GlobalAvg Logits"),
    "kernel-as-map": (
        lambda s, x: F.relu(s.whole(x)).flatten(1), "Input Conv Conv GlobalAvg Logits"),
    "relu": (lambda s, x: F.relu(s.fc(x.mean((2, 3)))), "Input Conv GlobalAvg Linear Logits"),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_an_average_or_a_relu_at_the_end_is_returned_as_logits(end):
    forward, wanted = ENDS[end]
    layers = {"end": nn.Conv2d(6, 4, 1), "fc": nn.Linear(6, 4), "whole": nn.Conv2d(6, 4, 7)}
    module = head(forward, **layers)
    shape = (3, 7, 7) if end == "kernel-as-map" else (3, 8, 8)
    assert kinds(compiled(module, shape)) == wanted


SUMS = {
    "sum": lambda a, b, c: a + b,
    "mean": lambda a, b, c: (a + b) / 2,
    "weighted": lambda a, b, c: 0.25 * a - 3 * b,
    "three": lambda a, b, c: (a + b + c) / 3,
}


@pytest.mark.parametrize("total", SUMS)
def test_networks_that_add_their_logits_are_one(total):
    """Each has features and a classifier of its own."""
    layers = {f"c{i}": ConvBn(3, 4 + i) for i in range(3)}
    layers |= {f"fc{i}": nn.Linear(4 + i, 4) for i in range(3)}

    def forward(s, x):
        one = [
            fc(F.relu(c(x.float())).mean((2, 3)))
            for c, fc in ((s.c0, s.fc0), (s.c1, s.fc1), (s.c2, s.fc2))
        ]
        return SUMS[total](*one)

    graph = compiled(randomized(Body(forward, **layers)))
    quantize(graph, noise((3, 8, 8), 8, seed=2))
