"""DenseNet-BC as torchvision names it."""

from __future__ import annotations

from acsgen.importers.layouts.base import CIFAR, IMAGENET, LAYOUTS, Layout, Reading, Weights


def _read(weights: Weights) -> Reading:
    number = 0
    while weights.under(f"features.denseblock{number + 1}"):
        number += 1
    first = "features.denseblock1.denselayer1"
    # Files of torchvision's first versions have norm.1 for norm1, and so on.
    dot = "." if f"{first}.conv.1.weight" in weights else ""
    growth = weights.shape(f"{first}.conv{dot}2.weight")[0]
    features, channels, kernel = weights.kernel("features.conv0.weight")
    blocks = []
    for block in range(number):
        layers = 0
        while weights.under(f"features.denseblock{block + 1}.denselayer{layers + 1}"):
            layers += 1
        blocks.append(layers)
    # Torchvision's last norm is number 5, however many blocks there are; others count, or name it.
    numbers = (f"norm{number + 1}", "norm5", "norm_final")
    last = next((n for n in numbers if weights.under(f"features.{n}")), numbers[0])
    large = kernel == 7
    reading = Reading(
        "densenet",
        {
            "growth": growth,
            "bn_size": max(weights.shape(f"{first}.conv{dot}1.weight")[0] // growth, 1),
            "blocks": blocks,
            "init_features": features,
            "stem": "7x7" if large else "3x3",
            "num_classes": weights.shape("classifier.weight")[0],
            "in_channels": channels,
        },
        image_size=224 if large else 32,
        statistics=IMAGENET if large else CIFAR,
        names={
            "conv": "features.conv0",
            "norm": "features.norm0",
            "last_norm": f"features.{last}",
            "fc": "classifier",
        },
    )
    for block, layers in enumerate(blocks):
        reading.names[f"transitions.{block}"] = f"features.transition{block + 1}"
        for index in range(layers):
            theirs = f"features.denseblock{block + 1}.denselayer{index + 1}"
            for kind in ("norm", "conv"):
                for place in (1, 2):
                    ours = f"blocks.{block}.{index}.{kind}{place}"
                    reading.names[ours] = f"{theirs}.{kind}{dot}{place}"
    return reading


LAYOUTS.add(
    "densenet",
    Layout(
        "DenseNet with torchvision's names", ("features.conv0.weight", "classifier.weight"), _read
    ),
)
