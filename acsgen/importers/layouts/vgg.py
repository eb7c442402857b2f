"""VGG as torchvision names it, and its forms for CIFAR with one or three linear layers."""

from __future__ import annotations

import math
import re

from acsgen.importers.layouts.base import CIFAR, IMAGENET, LAYOUTS, Layout, Reading, Weights
from acsgen.support.errors import Problem, UserError


def _read(weights: Weights) -> Reading:
    places = sorted(
        int(match.group(1))
        for key in weights.tensors
        if (match := re.fullmatch(r"features\.(\d+)\.weight", key))
    )
    convs = [place for place in places if len(weights.shape(f"features.{place}.weight")) == 4]
    norm = f"features.{convs[0] + 1}.running_mean" in weights
    stages: list[list[int]] = [[]]
    for number, place in enumerate(convs):
        stages[-1].append(weights.kernel(f"features.{place}.weight")[0])
        if number + 1 < len(convs):
            between = convs[number + 1] - place - 1 - (2 if norm else 1)
            if between not in (0, 1):
                what = f"{between} layers without weights behind features.{place}"
                raise UserError(Problem(weights.where, what, "a VGG has ReLU, and max pools"))
            if between:
                stages.append([])
    linears = sorted(
        (key.removesuffix(".weight") for key in weights.under("classifier") if "weight" in key),
        key=lambda name: int(name.rpartition(".")[2]) if "." in name else 0,
    )
    features = weights.shape(f"{linears[0]}.weight")[1]
    pooled = math.isqrt(max(features // stages[-1][-1], 1))
    large = pooled > 1
    reading = Reading(
        "vgg",
        {
            "stages": stages,
            "norm": norm,
            "pooled": pooled,
            "hidden": [weights.shape(f"{linear}.weight")[0] for linear in linears[:-1]],
            "num_classes": weights.shape(f"{linears[-1]}.weight")[0],
            "in_channels": weights.kernel(f"features.{convs[0]}.weight")[1],
        },
        image_size=224 if large else 32,
        statistics=IMAGENET if large else CIFAR,
        names={f"convs.{i}": f"features.{place}" for i, place in enumerate(convs)},
        remarks=["a max pool ends the last stage too; ReLU between the linear layers"],
    )
    reading.names |= {f"norms.{i}": f"features.{place + 1}" for i, place in enumerate(convs)}
    reading.names |= {f"classifier.{i}": linear for i, linear in enumerate(linears)}
    return reading


LAYOUTS.add(
    "vgg",
    Layout(
        "VGG with torchvision's names, or its form for CIFAR",
        ("features.0.weight", "features.0.bias"),
        _read,
    ),
)
