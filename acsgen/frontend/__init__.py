"""The front end: an exported program becomes the layer graph of :mod:`acsgen.ir.layers`.

exported program --lower--> operator graph --passes--> layer graph --check-->
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from acsgen.frontend.dump import describe
from acsgen.frontend.execute import (
    gate_logits,
    logit_sizes,
    result_sizes,
    run_layer,
    run_layers,
)
from acsgen.frontend.finite import require_finite
from acsgen.frontend.lower import lower
from acsgen.frontend.passes.dead_layers import decide_late, mask_dead_layers
from acsgen.frontend.passes.fuse import fuse
from acsgen.frontend.passes.normalize import normalize_image
from acsgen.frontend.selfcheck import check_equivalence
from acsgen.importers.load import load_model
from acsgen.importers.network import ImportedNetwork
from acsgen.ir.layers import LayerGraph

__all__ = [
    "describe",
    "front_end",
    "gate_logits",
    "layers_of",
    "logit_sizes",
    "result_sizes",
    "run_layer",
    "run_layers",
]


def front_end(path: str | Path) -> tuple[LayerGraph, ImportedNetwork]:
    """Read a model file and make its layer graph.

    Raises:
        UserError: the file can't be used, or the network can't be compiled; with every reason.
        CheckFailed: the layer graph differs from the network (a bug of acsgen).
    """
    return layers_of(load_model(path))


def layers_of(network: ImportedNetwork) -> tuple[LayerGraph, ImportedNetwork]:
    """Make the layer graph of a network; returns the network too, with its pixel scale and
    the rewrite passes that were applied.

    Raises:
        UserError, CheckFailed: as :func:`front_end`.
    """
    # Overflow and roots of negative numbers are found in the results, and told by their layer.
    with np.errstate(all="ignore"):
        ops, exported, rewrites = lower(network)
        normalized, scale = normalize_image(ops, network.input_dtype.is_floating_point)
        network = replace(network, pixel_scale=scale, rewrites=rewrites)
        fused = fuse(normalized)
    require_finite(fused.graph)
    check_equivalence(fused, network, exported)
    final = decide_late(mask_dead_layers(fused))
    if final is not fused:
        check_equivalence(final, network, exported)
    return final.graph, network
