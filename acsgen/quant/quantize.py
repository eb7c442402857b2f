"""Post-training quantization: a layer graph and example images become an integer graph.

Layers are quantized in execution order. Each is run on the calibration images as soon as it is an
integer layer, so that the next one sees its real inputs, errors included: the bias of every
weighted layer is the one that gives its integer sums the same mean as the float network's (see
:mod:`acsgen.quant.calibrate`). The result keeps the grammar of integer graphs by construction.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.ranges import WEIGHT_BITS, weight_max
from acsgen.quant.calibrate import calibrate
from acsgen.quant.centre import centred
from acsgen.quant.checks import check_quantizable
from acsgen.quant.golden.model import check_images
from acsgen.quant.kinds import kind_of
from acsgen.quant.progress import SIGNED_LEVELS, VECTOR_HEADROOM, Progress, QuantizationWarning

__all__ = ["QuantizationWarning", "quantize"]


@torch.no_grad()
def quantize(
    graph: LayerGraph,
    images: NDArray[np.uint8] | Tensor,
    batch: int = 16,
    weight_bits: int = WEIGHT_BITS,
) -> IntGraph:
    """Quantize a network.

    Args:
        graph: the network in floats.
        images: calibration images, uint8 ``[N, C, H, W]``.
        batch: images computed at once.
        weight_bits: width of the weights, 4 to 8. Fewer than 8 are a smaller range of the same
            bytes: the network needs as much memory and time. Results have 8 bits in any case,
            since the engine saturates them at that width and at no other.

    Raises:
        ValueError: weights of another width.
        UserError: images of another shape or type than the network takes, or none; a network
            without an integer form (:func:`acsgen.quant.checks.check_quantizable`).

    Warns:
        QuantizationWarning: a result that is zero for every image; a border that 8-bit pixels
            cannot express.
    """
    most = weight_max(weight_bits)
    check_quantizable(graph)
    pixels = check_images(images, graph.layers[0].shape)
    calibration = calibrate(graph, pixels, batch)
    changed = centred(graph, calibration, VECTOR_HEADROOM, SIGNED_LEVELS, most)
    if changed is not graph:
        graph, calibration = changed, calibrate(changed, pixels, batch)
    progress = Progress(graph, calibration, pixels, batch, most)
    for layer in graph:
        progress.add(kind_of(layer).quantize(layer, progress))
    return IntGraph(graph.name, tuple(progress.done.values()), graph.outputs)
