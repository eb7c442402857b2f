"""OFAS (``model_Gate.py``, ``model_RLGate.py``): ResNets for CIFAR with one decision vector."""

from __future__ import annotations

from acsgen.importers.layouts.base import CIFAR, LAYOUTS, Layout, Reading, Weights, stage_blocks

_STAGES = (1, 2, 3)


def _read(weights: Weights) -> Reading:
    counts = tuple(weights.count(rf"layer{stage}\.(\d+)\.") for stage in _STAGES)
    blocks = stage_blocks(counts, weights.where)
    linears = ["gate_layer.proj", "gate_layer.proj_1"]
    if "gate_layer.proj_2.weight" in weights:
        linears.append("gate_layer.proj_2")
    reading = Reading(
        "ofas_resnet",
        {
            "depth": 6 * blocks + 2,
            "widths": [weights.shape(f"layer{stage}.0.conv1.weight")[0] for stage in _STAGES],
            "num_classes": weights.shape("fc.weight")[0],
            "in_channels": weights.shape("conv1.weight")[1],
            "form": "I" if len(linears) == 2 else "II",
            "hidden": [weights.shape(f"{linear}.weight")[0] for linear in linears[:-1]],
            "rectify_shortcut": False,
        },
        image_size=32,
        statistics=CIFAR,
        names={name: name for name in ("conv1", "bn1", "fc")},
    )
    for stage in _STAGES:
        reading.names[f"layer{stage}"] = f"layer{stage}"
        reading.copy(weights, f"ds{stage}", f"layer{stage}.0.downsample")
    reading.names |= {f"ofas.layers.{i}": linear for i, linear in enumerate(linears)}
    return reading


LAYOUTS.add(
    "ofas",
    Layout(
        "OFAS-I or OFAS-II for CIFAR", ("gate_layer.proj.weight", "layer3.0.conv1.weight"), _read
    ),
)
