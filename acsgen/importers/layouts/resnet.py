"""ResNet and ResNeXt as torchvision names them, their twins for CIFAR, and ACS's g_resnext."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.importers.layouts.base import CIFAR, IMAGENET, LAYOUTS, Layout, Reading, Weights


def _read(weights: Weights) -> Reading:
    stages = 0
    while f"layer{stages + 1}.0.conv1.weight" in weights:
        stages += 1
    blocks = [weights.count(rf"layer{stage + 1}\.(\d+)\.") for stage in range(stages)]
    stem, channels, kernel = weights.kernel("conv1.weight")
    bottleneck = "layer1.0.conv3.weight" in weights
    grouped = "layer1.0.conv2.gate" in weights
    last = "conv3" if bottleneck else "conv2"
    widths = [weights.shape(f"layer{s + 1}.0.{last}.weight")[0] for s in range(stages)]
    images = {"num_classes": weights.shape("fc.weight")[0], "in_channels": channels}
    statistics, size = (IMAGENET, 224) if kernel == 7 else (CIFAR, 32)
    names = {name: name for name in ("conv1", "bn1", "fc")}
    of_cifar = stages == 3 and kernel == 3 and len(set(blocks)) == 1 and stem == widths[0]
    if of_cifar and not bottleneck:
        names |= {f"layer{s}": f"layer{s}" for s in (1, 2, 3)}
        config = {"depth": 6 * blocks[0] + 2, "widths": widths, **images}
        return Reading("resnet", config, size, statistics, names)
    names |= {f"stages.{stage}": f"layer{stage + 1}" for stage in range(stages)}
    inner = [weights.shape(f"layer{s + 1}.0.conv1.weight")[0] for s in range(stages)]
    groups = 1
    if bottleneck and not grouped:
        groups = inner[0] // max(weights.shape("layer1.0.conv2.weight")[1], 1)
    config = {
        "blocks": blocks,
        "widths": widths,
        "inner": inner if bottleneck else None,
        "groups": groups,
        "stem_width": stem,
        "stem": "7x7" if kernel == 7 else "3x3",
        **images,
    }
    reading = Reading("image_resnet", config, size, statistics, names)
    if grouped:
        for stage, count in enumerate(blocks):
            for index in range(count):
                _take_grouping(reading, weights, f"{stage}.{index}", f"layer{stage + 1}.{index}")
    return reading


def _take_grouping(reading: Reading, weights: Weights, ours: str, theirs: str) -> None:
    """A trained DGConv is a convolution whose weights between its groups are zero."""
    key = f"{theirs}.conv2.gate"
    weights.shape(key)
    bits = (weights.tensors[key] > 0).tolist()
    reading.names[f"stages.{ours}.conv2.weight"] = f"{theirs}.conv2.conv.weight"

    def masked(weight: Tensor) -> Tensor:
        channel = torch.arange(weight.shape[0])
        zeros = sum(1 << (len(bits) - 1 - k) for k, bit in enumerate(bits) if not bit)
        connected = ((channel[:, None] ^ channel[None, :]) & zeros) == 0
        return weight * connected[:, :, None, None].to(weight.dtype)

    reading.transforms[f"stages.{ours}.conv2.weight"] = masked
    reading.leave([key], "taken into the weights")
    for constant in ("D", "I"):
        reading.leave(weights.under(f"{theirs}.conv2.{constant}"), "a constant of DGConv")


LAYOUTS.add(
    "resnet",
    Layout(
        "ResNet or ResNeXt with torchvision's names, g_resnext, or a plain ResNet for CIFAR",
        ("conv1.weight", "layer1.0.conv1.weight", "fc.weight"),
        _read,
        absent=("gate_layer.",),
    ),
)
