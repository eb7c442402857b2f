"""SkipNet (``cifar/models.py``): ResNets for CIFAR with feed-forward or recurrent gates."""

from __future__ import annotations

from acsgen.importers.layouts.base import CIFAR, LAYOUTS, Layout, Reading, Weights, stage_blocks

_GROUPS = (1, 2, 3)


def _read(weights: Weights) -> Reading:
    counts = tuple(weights.count(rf"group{group}_layer(\d+)\.") for group in _GROUPS)
    blocks = stage_blocks(counts, weights.where)
    recurrent = "control.rnn.weight_ih_l0" in weights
    first = "I" if "group1_gate0.conv2.weight" in weights else "II"
    reading = Reading(
        "skipnet_resnet",
        {
            "depth": 6 * blocks + 2,
            "widths": [weights.shape(f"group{group}_layer0.conv1.weight")[0] for group in _GROUPS],
            "num_classes": weights.shape("fc.weight")[0],
            "in_channels": weights.shape("conv1.weight")[1],
            "form": "RNN" if recurrent else first,
            "rectify_shortcut": False,
        },
        image_size=32,
        statistics=CIFAR,
        names={name: name for name in ("conv1", "bn1", "fc")},
    )
    places = [(group, index) for group in _GROUPS for index in range(blocks)]
    for number, (group, index) in enumerate(places):
        reading.names[f"layer{group}.{index}"] = f"group{group}_layer{index}"
        shortcut = f"group{group}_layer{index}.downsample"
        reading.copy(weights, f"group{group}_ds{index}", shortcut)
        gate = f"group{group}_gate{index}"
        if number == len(places) - 1:
            reading.leave(weights.under(gate), "no block is left for the last gate to decide")
        elif recurrent:
            reading.names[f"control.embed.{number}"] = f"{gate}.1"
        else:
            reading.names[f"gates.{number}"] = gate
            reading.names[f"gates.{number}.fc"] = f"{gate}.linear_layer"
    if recurrent:
        for ours, theirs in (("from_input", "ih"), ("from_state", "hh")):
            for kind in ("weight", "bias"):
                reading.names[f"control.{ours}.{kind}"] = f"control.rnn.{kind}_{theirs}_l0"
        reading.names["control.proj"] = "control.proj"
    return reading


LAYOUTS.add(
    "skipnet",
    Layout(
        "SkipNet for CIFAR, with feed-forward or recurrent gates",
        ("group1_layer0.conv1.weight", "group3_layer0.conv1.weight"),
        _read,
        absent=("group0_", "group4_"),
    ),
)
