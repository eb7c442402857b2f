"""Networks that can't be compiled are refused with places, reasons and remedies, all at once."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.frontend.compiled import refusals
from tests.nets.modules import Body, ConvBn, Net, PooledGate, randomized


def net(forward, outputs=None, **layers):
    return randomized(Net(Body(forward, **layers), outputs=outputs))


LAYERS = {
    "softmax": (nn.Softmax(1), "softmax of a map", "remove it"),
    "silu": (nn.SiLU(), "SiLU of a map", "use ReLU on maps"),
    "group-norm": (nn.GroupNorm(2, 6), "aten.group_norm", "BatchNorm2d"),
    "oblong": (nn.Conv2d(6, 6, (3, 9), padding=(1, 4)), "kernel 3x9", "smaller kernel"),
    "stride-9": (nn.Conv2d(6, 6, 8, stride=9, padding=5), "kernel 8x8", "at most 7"),
    "stride-21": (nn.Conv2d(6, 6, 3, stride=(2, 1)), "stride 2x1 is not square", "same stride"),
    "kernel-8": (nn.Conv2d(6, 6, 8, padding=4), "kernel 8x8 is larger than 7x7", "at most 7"),
    "transposed": (nn.ConvTranspose2d(6, 6, 2), "aten.conv_transpose2d", "Conv2d"),
    "pool-kernel": (nn.AvgPool2d(9, 1, 4), "kernel 9x9 is larger than 7x7", "at most 7"),
    "pool-dilated": (nn.MaxPool2d(2, 2, dilation=2), "dilation 2", "without dilation"),
    "ceil": (nn.AvgPool2d(3, 2, ceil_mode=True), "ceil_mode", "ceil_mode=False"),
    "no-pad-count": (
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        "leaves out the padding",
        "count_include_pad=True",
    ),
    "divisor": (nn.AvgPool2d(2, divisor_override=3), "divisor_override", "leave it out"),
    "adaptive-3": (nn.AdaptiveAvgPool2d(3), "windows of different sizes", "1x1"),
    "pixel-shuffle": (
        nn.Sequential(nn.Conv2d(6, 24, 1), nn.PixelShuffle(2), nn.Conv2d(6, 6, 1)),
        "pixel_shuffle",
        "",
    ),
    "instance-norm": (nn.InstanceNorm2d(6), "instance_norm", "BatchNorm2d"),
    "no-statistics": (nn.BatchNorm2d(6, track_running_stats=False), "batch norm", ""),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_is_refused_at_its_module(layer):
    module, what, remedy = LAYERS[layer]
    (problem,) = refusals(net(lambda s, x: s.odd(x), odd=module))
    assert problem.where.startswith("body.odd")
    assert what in problem.what
    assert remedy in problem.remedy


EXPRESSIONS = {
    "two-minus-mask": (lambda s, x: s.c(x) * (2 - s.g(x)), "other than 1 - mask"),
    "scaled-mask": (lambda s, x: s.c(x) * (s.g(x) * 0.5), "scales a channel mask"),
    "mask-of-vector": (lambda s, x: x * (s.g(x) * x.mean((2, 3), keepdim=True)), "multiplies"),
    "square": (lambda s, x: x * x, "multiplies a map"),
    "reciprocal": (lambda s, x: 1.0 / (x + 2.0), "aten.reciprocal"),
    "ratio": (lambda s, x: x / (x + 2.0), "division by a value"),
    "broadcast-add": (lambda s, x: x + x.mean((2, 3), keepdim=True), "adds a map"),
    "map-sigmoid": (lambda s, x: torch.sigmoid(x), "sigmoid of a map"),
    "concat": (lambda s, x: s.c(torch.cat([x, x], 2)), "dimension 2"),
    "clamp": (lambda s, x: x.clamp(max=x.mean()), "clamp"),
    "per-pixel": (lambda s, x: x + torch.arange(8.0), "constant for every pixel"),
    "half-mean": (lambda s, x: x - x.mean(3, keepdim=True), "adds a map"),
    "own-gate": (lambda s, x: x * (torch.sigmoid(s.g.fc(x.mean((2, 3)))) > 0.5)[..., None, None],
                 "aten.gt"),
    "transposed": (lambda s, x: s.c(x.transpose(2, 3)), "rearranged map"),
    "rolled": (lambda s, x: s.c(x.roll(1, 2)), "rearranged map"),
    "sliced": (lambda s, x: x[:, :, ::3, ::3], "every 3-th of the columns"),
    "map-gate": (lambda s, x: x * torch.ops.acsgen.channel_gate(s.c(x), 0.5), "decides on a map"),
    "half": (lambda s, x: x.half().float(), "torch.float16"),
    "rounded": (lambda s, x: x.to(torch.int32).float(), "torch.int32"),
    "learned-kernel": (
        lambda s, x: F.conv2d(x, s.g.fc.weight[:, :, None, None] * x.mean()),
        "weight is computed from the image",
    ),
    "random": (lambda s, x: x + torch.rand_like(x), "aten.rand_like"),
    "dropout": (lambda s, x: F.dropout(x, 0.5, True), "training mode"),
}  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_is_refused(expression):
    forward, what = EXPRESSIONS[expression]
    module = net(
        forward,
        c=ConvBn(6, 6),
        g=PooledGate(6, 6),
        d=nn.Conv2d(12, 6, 1),
        e=nn.Conv2d(3, 6, 1),
    )
    problems = refusals(module)
    assert any(what in p.what and p.where.startswith("body") for p in problems), problems
    assert all(problem.remedy for problem in problems)


def heads(forward, **layers):
    return randomized(Body(lambda s, x: forward(s, s.c(x.float())), c=ConvBn(3, 6), **layers))


HEADS = {
    "map": (heads(lambda s, x: x), "does not end in a linear layer"),
    "softmax-and-logits": (
        heads(lambda s, x: (lambda y: (y, y.softmax(1)))(s.fc(x.mean((2, 3)))), fc=nn.Linear(6, 4)),
        "softmax is left out",
    ),
    "sigmoid-and-logits": (
        heads(lambda s, x: (lambda y: (y, y.sigmoid()))(s.fc(x.mean((2, 3)))), fc=nn.Linear(6, 4)),
        "sigmoid is available only",
    ),
    "map-as-output": (
        heads(lambda s, x: (s.fc(x.mean((2, 3))), x), fc=nn.Linear(6, 4)),
        "result 2 of 2 does not end in a linear layer",
    ),
    "output-twice": (
        heads(lambda s, x: (lambda y: (y, y))(s.fc(x.mean((2, 3)))), fc=nn.Linear(6, 4)),
        "result 2 of 2 is one that was returned before",
    ),
    "constant-output": (
        heads(lambda s, x: (torch.ones(1, 4), s.fc(x.mean((2, 3)))), fc=nn.Linear(6, 4)),
        "result 1 of 2 does not depend on the image",
    ),
    "linear-on-map": (
        heads(lambda s, x: s.fc(x).mean((2, 3)), fc=nn.Linear(8, 4)),
        "linear layer directly on a map",
    ),
    "mask": (
        heads(lambda s, x: s.g(x).flatten(1), g=PooledGate(6, 4)),
        "does not end in a linear layer",
    ),
    "constant": (
        Body(lambda s, x: s.fc(torch.ones(1, 3)), fc=nn.Linear(3, 4)).eval(),
        "does not depend on the image",
    ),
}


@pytest.mark.parametrize("head", HEADS)
def test_structure_is_refused(head):
    module, what = HEADS[head]
    problems = refusals(module)
    assert any(what in problem.what for problem in problems), problems
    assert len(problems) == 1, problems


def test_everything_is_reported_at_once():
    def forward(s, x):
        x = s.bad2(s.act(s.bad1(x)))
        return s.late(x.softmax(1))

    problems = refusals(
        net(
            forward,
            bad1=nn.Conv2d(6, 6, 3, padding=1, stride=(2, 1)),
            act=nn.GELU(),
            bad2=nn.Conv2d(6, 6, 3, stride=3),
            late=nn.ConvTranspose2d(6, 6, 2),
        )
    )
    assert [problem.where.split(" (")[0] for problem in problems] == [
        "body.bad1",
        "body.act",
        "body",
        "body.late",
        "body.bad2",
    ]


def test_causes_before_a_refused_node_are_told_with_it():
    def forward(s, x):
        y = s.norm(x.mean((2, 3)))
        return s.act(y * s.at(y).softmax(1))

    layers = {"norm": nn.LayerNorm(6), "at": nn.Linear(6, 6), "act": nn.GELU()}
    module = randomized(Body(lambda s, x: s.fc(forward(s, s.c(x.float()))), c=ConvBn(3, 6),
                             fc=nn.Linear(6, 4), **layers))  # fmt: skip
    told = " ".join(problem.what for problem in refusals(module))
    for cause in ("layer_norm", "softmax is left out at the end", "gelu"):
        assert cause in told, told
    assert len(refusals(module)) == 3


def test_a_refused_node_does_not_drag_its_followers_along():
    def forward(s, x):
        y = x.transpose(2, 3).flatten(2)
        return s.c(y.view(1, 6, 8, 8))

    (problem,) = refusals(net(forward, c=nn.Conv2d(6, 6, 1)))
    assert "rearranged map" in problem.what


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ((3, 8, 80), "map 8x80 is wider than 64 lanes"),
        ((3, 256, 8), "map 256x8 is higher than 255 rows"),
    ],
)
def test_too_large_images_are_reported_once(shape, what):
    (problem,) = refusals(net(lambda s, x: F.relu(s.c(x)), c=ConvBn(6, 6)), shape)
    assert problem.where == "input"
    assert problem.what == what


def test_too_many_channels():
    wide = nn.Sequential(
        nn.Conv2d(6, 4096, 1), nn.BatchNorm2d(4096), nn.ReLU(), nn.Conv2d(4096, 6, 1)
    )
    (problem,) = refusals(net(lambda s, x: s.wide(x), wide=wide))
    assert (problem.where, problem.what) == ("body.wide.0", "output channels 4096 > 2048")


def test_training_mode_is_refused():
    module = net(lambda s, x: s.c(x), c=ConvBn(6, 6)).train()
    problems = refusals(module)
    assert {p.remedy for p in problems} == {"call model.eval() before exporting"}


def test_integer_arithmetic_on_pixels_is_refused():
    module = Body(lambda s, x: s.fc((x - 128).float().mean((2, 3))), fc=nn.Linear(3, 4)).eval()
    (problem,) = refusals(module)
    assert "wraps" in problem.what


def test_misaligned_factor_is_refused():
    def forward(s, x):
        return x * torch.sigmoid(x.mean((2, 3)))  # [1, 8, 8, 8] * [1, 8]: along the width

    module = randomized(Net(Body(forward), width=8))
    problems = refusals(module)
    assert any("[N, C, 1, 1]" in problem.remedy for problem in problems)


def test_functional_operations_are_named_by_their_line():
    def forward(s, x):
        return x.sin()

    (problem,) = refusals(net(forward))
    assert re.fullmatch(r"body \(test_refusals\.py:\d+\)", problem.where)


def test_an_image_that_is_too_large_is_not_to_have_an_earlier_stride():
    found = {p.where: p.remedy for p in refusals(net(lambda s, x: x), (3, 8, 70))}
    assert found["input"] == "use smaller images"


def test_a_classifier_of_no_classes():
    with pytest.warns(UserWarning, match="zero-element"):
        module = Net(Body(lambda s, x: x), classes=0).eval()
    (problem,) = refusals(module)
    assert (problem.where, problem.what) == ("fc", "has no outputs")


@pytest.mark.parametrize("fault", ["negative variance", "overflow"])
def test_numbers_that_become_nan_or_infinite(fault):
    module = net(lambda s, x: s.bn(s.conv(x)), conv=nn.Conv2d(6, 6, 3), bn=nn.BatchNorm2d(6)).eval()
    with torch.no_grad():
        if fault == "overflow":
            module.body.conv.weight.mul_(1e30)
            module.body.bn.weight.fill_(1e30)
        else:
            module.body.bn.running_var[2] = -1.0
    problems = refusals(module)
    assert problems[0].where == "body.conv"
    assert "NaN or infinite" in problems[0].what


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_integers_that_meet_float_weights(dtype):
    """``torch.export`` accepts it, but PyTorch cannot run what it exports."""
    module = randomized(Body(lambda s, x: s.fc(x.flatten(1)), fc=nn.Linear(192, 4)))
    (problem,) = refusals(module, dtype=dtype)
    assert problem.where == "fc"
    assert (
        f"its input is {str(dtype).removeprefix('torch.')}, its weights are floats" in problem.what
    )
    assert "x.float()" in problem.remedy


def head(forward):
    layers = {"c": nn.Conv2d(3, 6, 3, padding=1), "fc": nn.Linear(6, 4)}
    return randomized(Body(lambda s, x: forward(s, x.float()), **layers))


ENDS = {
    "features-too": (
        lambda s, x: (s.c(x), s.fc(s.c(x).mean((2, 3)))),
        "result 1 of 2 does not end in a linear layer",
        "the network's answer last"),
    "argmax": (
        lambda s, x: s.fc(s.c(x).mean((2, 3))).argmax(1), "aten.argmax", "return the logits"),
    "maximum": (
        lambda s, x: s.fc(s.c(x).amax(2).flatten(1)[:, :6]), "maximum over axes", "x.amax((2, 3))"),
    "rows": (lambda s, x: s.c(x).sum(1).flatten(1), "sum of a map", "x.sum((2, 3))"),
    "larger": (
        lambda s, x: s.fc(F.interpolate(s.c(x), scale_factor=2).mean((2, 3))),
        "aten.upsample_nearest2d", "no map larger than its source"),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_one_cause_is_told_once_with_what_to_do(end):
    forward, what, remedy = ENDS[end]
    (problem,) = refusals(head(forward))
    assert what in problem.what
    assert remedy in problem.remedy


def test_an_image_in_another_order_of_axes():
    module = head(lambda s, x: s.fc(s.c(x.permute(0, 3, 1, 2)).mean((2, 3))))
    (problem,) = refusals(module, shape=(8, 8, 3))
    assert "take the image as [N, C, H, W]" in problem.remedy


def test_every_layer_in_training_mode_is_named():
    module = head(lambda s, x: s.fc(F.dropout(s.c(x), training=True).mean((2, 3))))
    assert [problem.remedy for problem in refusals(module)] == [
        "call model.eval() before exporting"
    ]
