"""Code of DDI's lineage (triple-wins): ResNets for CIFAR with branch classifiers."""

from __future__ import annotations

from acsgen.importers.layouts.base import (
    LAYOUTS,
    UNCHANGED,
    Layout,
    Reading,
    Weights,
    stage_blocks,
)

_GROUPS = (0, 1, 2)
#: Place in the branches' ``nn.Sequential``, by the name that it has here.
_CONV_BRANCH = {"conv1": 1, "bn1": 2, "conv2": 5, "bn2": 6, "fc": 9}
_BLOCK_BRANCH = {"block": 1, "fc": 4}
_POOL_BRANCH = {"fc": 2}


def _read(weights: Weights) -> Reading:
    counts = tuple(weights.count(rf"group{group}_layer(\d+)\.") for group in _GROUPS)
    blocks = stage_blocks(counts, weights.where)
    branches = bool(weights.under("branch_layer1"))
    reading = Reading(
        "radi_resnet" if branches else "resnet",
        {
            "depth": 6 * blocks + 2,
            "widths": [weights.shape(f"group{group}_layer0.conv1.weight")[0] for group in _GROUPS],
            "num_classes": weights.shape("fc.weight")[0],
            "in_channels": weights.shape("conv1.weight")[1],
        },
        image_size=32,
        statistics=UNCHANGED,
        names={name: name for name in ("conv1", "bn1", "fc")},
    )
    for group in _GROUPS:
        for index in range(blocks):
            reading.names[f"layer{group + 1}.{index}"] = f"group{group}_layer{index}"
    kinds = (_CONV_BRANCH, _CONV_BRANCH, _BLOCK_BRANCH, _BLOCK_BRANCH, _POOL_BRANCH, _POOL_BRANCH)
    if branches:
        for number, kind in enumerate(kinds):
            for name, place in kind.items():
                reading.names[f"branches.{number}.{name}"] = f"branch_layer{number + 1}.{place}"
    return reading


LAYOUTS.add(
    "triple_wins",
    Layout(
        "triple-wins (DDI's lineage) for CIFAR, with branch classifiers",
        ("group0_layer0.conv1.weight", "group2_layer0.conv1.weight"),
        _read,
    ),
)
