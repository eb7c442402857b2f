"""DenseNets with gates as ACS and the code that it descends from (DDI) save them."""

from __future__ import annotations

from acsgen.importers.layouts.base import (
    CIFAR,
    LAYOUTS,
    Layout,
    Reading,
    Weights,
    sign_above_zero,
)


def _read(weights: Weights) -> Reading:
    number = weights.count(r"denseblock(\d+)_")
    blocks = [weights.count(rf"denseblock{b}_(\d+)\.") for b in range(number)]
    growth = weights.shape("denseblock0_0.0.dense_module.conv2.weight")[0]
    width = weights.shape("denseblock0_0.0.dense_module.conv1.weight")[0]
    features, channels, kernel = weights.kernel("base_layer.conv0.weight")
    reading = Reading(
        "densenet",
        {
            "growth": growth,
            "bn_size": max(width // growth, 1),
            "blocks": blocks,
            "init_features": features,
            "stem": "7x7" if kernel == 7 else "3x3",
            "final_transition": f"trans{number - 1}.trans_module.conv.weight" in weights,
            "num_classes": weights.shape("classifier.weight")[0],
            "in_channels": channels,
            "gate": _gate_config(weights),
        },
        image_size=32,
        statistics=CIFAR,
        names={
            "conv": "base_layer.conv0",
            "norm": "base_layer.norm0",
            "last_norm": "bn_norm",
            "fc": "classifier",
        },
        remarks=["every gate averages its whole map, whatever window the code's AvgPool2d has"],
    )
    for block, layers in enumerate(blocks):
        reading.names[f"transitions.{block}"] = f"trans{block}.trans_module"
        for index in range(layers):
            ours, theirs = f"{block}.{index}", f"denseblock{block}_{index}"
            reading.names[f"blocks.{ours}"] = f"{theirs}.0.dense_module"
            if block == number - 1 and index == layers - 1:
                reason = "no layer is left for the last gate to decide"
                reading.leave(weights.under(f"{theirs}_gate"), reason)
            else:
                _name_gate(reading, weights, f"gates.{ours}", f"{theirs}_gate")
    return reading


def _gate_config(weights: Weights) -> dict[str, object] | None:
    gate = "denseblock0_0_gate"
    if f"{gate}.conv1.weight" not in weights:
        return None
    bottleneck = weights.shape(f"{gate}.conv1.weight")[0]
    if not weights.under(f"{gate}.conv3"):
        return {"system": "iadi", "bottleneck": bottleneck}
    return {
        "system": "acs",
        "bottleneck": bottleneck,
        "grouping": f"{gate}.conv2.gate" in weights,
        "se": False,
        "last_width": weights.shape(f"{gate}.linear_layer.weight")[1],
        "bottleneck_stride": 2,
        "bottleneck_norm": False,
        "last_norm": False,
    }


def _name_gate(reading: Reading, weights: Weights, ours: str, theirs: str) -> None:
    gate = reading.config["gate"]
    if gate is None:
        return
    reading.names |= {f"{ours}.reduce": f"{theirs}.conv1", f"{ours}.fc": f"{theirs}.linear_layer"}
    if gate["system"] == "iadi":
        reading.names |= {f"{ours}.norm": f"{theirs}.bn1", f"{ours}.conv": f"{theirs}.conv2"}
        return
    reading.names[f"{ours}.norm1"] = f"{theirs}.bn1"
    for mine, other in (("conv1", "conv2"), ("conv2", "conv3")):
        reading.names[f"{ours}.{mine}"] = f"{theirs}.{other}"
        if gate["grouping"]:
            reading.names[f"{ours}.{mine}.weight"] = f"{theirs}.{other}.conv.weight"
            reading.transforms[f"{ours}.{mine}.gate"] = sign_above_zero
            for constant in ("D", "I"):
                reading.leave(weights.under(f"{theirs}.{other}.{constant}"), "a constant of DGConv")
    reading.leave(weights.under(f"{theirs}.se"), "the code builds it but never calls it")


LAYOUTS.add(
    "acs",
    Layout(
        "ACS for CIFAR and SVHN (DenseNet), or the DenseNet of DDI's code",
        ("denseblock0_0.0.dense_module.conv1.weight", "base_layer.conv0.weight"),
        _read,
    ),
)
