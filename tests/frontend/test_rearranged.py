"""Views that put the entries of a map in another order: those that cost little are followed."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acsgen.ir import layers as ir
from tests.frontend.compiled import compiled, kinds, refusals
from tests.nets.modules import Body, ConvBn, Net, randomized


def head(forward, **layers):
    """A network of a convolution to 6 channels of 8x8 pixels, behind ReLU, and ``forward``."""
    return randomized(
        Body(lambda s, x: forward(s, F.relu(s.c(x.float()))), c=ConvBn(3, 6), **layers)
    )


FLATTENED = {
    "channels-last": lambda x: x.permute(0, 2, 3, 1).flatten(1),
    "as-a-view": lambda x: x.permute(0, 2, 3, 1).contiguous().view(1, -1),
    "tokens": lambda x: x.flatten(2).transpose(1, 2).flatten(1),
    "columns-first": lambda x: x.transpose(2, 3).reshape(1, -1),
    "turned": lambda x: x.flip(2).flatten(1),
    "moved": lambda x: x.movedim(1, -1).relu().flatten(1),
}


@pytest.mark.parametrize("flattened", FLATTENED)
def test_a_linear_layer_takes_its_columns_in_the_order_of_the_map(flattened):
    module = head(lambda s, x: s.fc(FLATTENED[flattened](x)), fc=nn.Linear(384, 4))
    assert kinds(compiled(module)) == "Input Conv Flatten Logits"


def test_part_of_a_map_and_repeated_entries_are_taken_too():
    module = head(
        lambda s, x: s.fc(x.repeat(1, 1, 2, 1)[:, :, 3:, 1:].flatten(1)),
        fc=nn.Linear(6 * 13 * 7, 4),
    )
    assert kinds(compiled(module)) == "Input Conv Flatten Logits"


def test_steps_on_rearranged_vectors_keep_to_their_entries():
    def forward(s, x):
        y = s.bn(x.permute(0, 2, 3, 1).flatten(1)) + torch.arange(384.0)
        return s.out(F.relu(s.fc(F.relu(y))))

    layers = {"bn": nn.BatchNorm1d(384), "fc": nn.Linear(384, 5), "out": nn.Linear(5, 4)}
    compiled(head(forward, **layers))


MEANS = {
    "channels-last": lambda x: x.permute(0, 2, 3, 1).mean((1, 2)),
    "tokens": lambda x: x.flatten(2).transpose(1, 2).mean(1),
}


@pytest.mark.parametrize("mean", MEANS)
def test_means_over_the_pixels_wherever_their_axes_are(mean):
    module = head(lambda s, x: s.fc(MEANS[mean](x)), fc=nn.Linear(6, 4))
    assert kinds(compiled(module)) == "Input Conv GlobalAvg Logits"


def test_a_linear_layer_on_every_pixel_is_a_convolution():
    def forward(s, x):
        y = x.permute(0, 2, 3, 1)
        y = y + s.down(F.relu(s.up(y) * torch.arange(1.0, 13.0))) * 0.5
        return s.fc(y.permute(0, 3, 1, 2).mean((2, 3)))

    module = head(forward, up=nn.Linear(6, 12), down=nn.Linear(12, 6), fc=nn.Linear(6, 4))
    assert kinds(compiled(module)) == "Input Conv Conv Conv GlobalAvg Logits"


def shuffled(x):
    return x.view(1, 3, 2, 8, 8).transpose(1, 2).contiguous().view(1, 6, 8, 8)


PICKED = {
    "shuffle": shuffled,
    "shuffle-by-torch": nn.ChannelShuffle(3),
    "turned": lambda x: x.flip(1),
    "chosen": lambda x: x[:, [5, 0, 0, 3, 1, 2]],
    "rolled": lambda x: x.roll(2, 1),
    "halves": lambda x: torch.cat(x.chunk(2, 1)[::-1], 1),
}


@pytest.mark.parametrize("picked", PICKED)
def test_channels_in_another_order_cost_a_dense_convolution_nothing(picked):
    module = randomized(Net(Body(lambda s, x: s.c(PICKED[picked](F.relu(x))), c=ConvBn(6, 6))))
    found = kinds(compiled(module)).split()
    assert found.count("Conv") == (4 if picked == "halves" else 2)


def test_a_pick_that_is_left_stays_unsigned():
    depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
    module = randomized(Net(Body(lambda s, x: s.c(shuffled(F.relu(x))), c=depthwise)))
    graph = compiled(module)
    assert [layer.relu for layer in graph if isinstance(layer, ir.Conv)] == [True, True, False]


BLOCKS = {
    "unshuffle": (lambda x: F.pixel_unshuffle(x, 2), 24),
    "focus": (
        lambda x: torch.cat([x[..., a::2, b::2] for a in (0, 1) for b in (0, 1)], 1), 24),
    "depth": (
        lambda x: x.view(1, 6, 4, 2, 4, 2).permute(0, 3, 5, 1, 2, 4).reshape(1, 24, 4, 4), 24),
    "odd": (lambda x: x[:, :, 1::2, 1::2], 6),
    "crop": (lambda x: x[:, :, 1:-1, 2:], 6),
    "border": (lambda x: x[:, :, 1:-1, 1:-1], 6),
}  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
def test_pixels_in_channels(block):
    forward, channels = BLOCKS[block]
    compiled(randomized(Net(Body(lambda s, x: s.c(forward(x)), c=ConvBn(channels, 6)))))


NORMALIZED = {
    "bgr": (3, lambda x: (x.flip(1) - 0.4) / torch.tensor([0.2, 0.3, 0.25]).view(1, 3, 1, 1)),
    "gray": (1, lambda x: (x.repeat(1, 3, 1, 1) - 0.5) / 0.25),
    "expanded": (1, lambda x: x.expand(-1, 3, -1, -1)),
}


@pytest.mark.parametrize("normalized", NORMALIZED)
def test_channels_of_the_image_go_into_the_first_convolution(normalized):
    channels, forward = NORMALIZED[normalized]
    layers = {"c": nn.Conv2d(3, 6, 3, padding=1), "fc": nn.Linear(6, 4)}
    module = randomized(Body(lambda s, x: s.fc(F.relu(s.c(forward(x))).mean((2, 3))), **layers))
    graph = compiled(module, (channels, 8, 8), torch.float32, scale=1 / 255)
    assert kinds(graph) == "Input Conv GlobalAvg Logits"


def test_the_mean_of_the_channels_is_a_convolution():
    layers = {"c": nn.Conv2d(1, 6, 3, padding=1), "fc": nn.Linear(6, 4)}
    module = randomized(
        Body(lambda s, x: s.fc(s.c(x.mean(1, keepdim=True)).mean((2, 3))), **layers)
    )
    graph = compiled(module, dtype=torch.float32, scale=1 / 255)
    assert kinds(graph) == "Input Conv Conv GlobalAvg Logits"


LEFT = {
    "rolled-rows": lambda s, x: s.c(x.roll(1, 2)),
    "pool": lambda s, x: F.max_pool2d(x.transpose(2, 3), 2),
    "masked": lambda s, x: x.transpose(2, 3) * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "added": lambda s, x: x.transpose(2, 3) + x,
}


@pytest.mark.parametrize("left", LEFT)
def test_other_orders_are_refused_with_what_to_do(left):
    (problem,) = refusals(randomized(Net(Body(LEFT[left], c=ConvBn(6, 6)))))
    assert "rearranged map" in problem.what
    assert "keep maps as [N, C, H, W]" in problem.remedy
