"""MobileNetV2 as torchvision names it."""

from __future__ import annotations

from acsgen.importers.layouts.base import IMAGENET, LAYOUTS, Layout, Reading, Weights
from acsgen.support.errors import Problem, UserError

#: Blocks and stride of the first one of each stage (Sandler et al. 2018, Table 2): no shape tells.
_STAGES = ((1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1))
_STRIDES = [stride if not i else 1 for blocks, stride in _STAGES for i in range(blocks)]


def _read(weights: Weights) -> Reading:
    number = weights.count(r"features\.(\d+)\.") - 2
    if number != len(_STRIDES):
        what = f"{number} inverted residuals, MobileNetV2 has {len(_STRIDES)}"
        raise UserError(Problem(weights.where, what, "strides are not in a state_dict; export it"))
    stem, channels, _ = weights.kernel("features.0.0.weight")
    residuals = []
    names = {"stem": "features.0", "last": f"features.{number + 1}", "fc": "classifier.1"}
    for index, stride in enumerate(_STRIDES):
        ours, theirs = f"residuals.{index}", f"features.{index + 1}.conv"
        expands = f"{theirs}.3.weight" in weights
        places = {"expand": "0", "depthwise": "1"} if expands else {"depthwise": "0"}
        names |= {f"{ours}.{part}": f"{theirs}.{place}" for part, place in places.items()}
        first = 2 if expands else 1
        names |= {f"{ours}.project.{i}": f"{theirs}.{first + i}" for i in (0, 1)}
        inner = weights.shape(f"{theirs}.0.0.weight")[0]
        residuals.append((inner, weights.shape(f"{theirs}.{first}.weight")[0], stride))
    config = {
        "stem_width": stem,
        "stem_stride": 2,
        "residuals": residuals,
        "last_width": weights.shape(f"features.{number + 1}.0.weight")[0],
        "num_classes": weights.shape("classifier.1.weight")[0],
        "in_channels": channels,
    }
    remarks = ["strides are those of the paper: no shape tells them"]
    return Reading("mobilenet_v2", config, 224, IMAGENET, names, remarks=remarks)


LAYOUTS.add(
    "mobilenet_v2",
    Layout(
        "MobileNetV2 with torchvision's names",
        ("features.0.0.weight", "features.1.conv.0.0.weight", "classifier.1.weight"),
        _read,
    ),
)
