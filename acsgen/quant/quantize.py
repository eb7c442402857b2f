"""Post-training quantization: a layer graph and example images become an integer graph.

Layers are quantized in execution order. Each is run on the calibration images as soon as it is an
integer layer, so that the next one sees its real inputs, errors included: the bias of every
weighted layer is the one that gives its integer sums the same mean as the float network's (see
:mod:`acsgen.quant.calibrate`). The result keeps the grammar of integer graphs by construction.

Where the integer network then predicts otherwise than the float network too often, it is made again
with more care: weights are rounded together (:mod:`acsgen.quant.rounding`), and channels have
scales of their own wherever they gain by them.  It replaces the first only if it is better.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.ranges import WEIGHT_BITS, weight_max
from acsgen.ir.refinement import Refinement
from acsgen.quant.calibrate import Calibration, calibrate
from acsgen.quant.centre import centred
from acsgen.quant.checks import check_quantizable
from acsgen.quant.golden.model import check_images
from acsgen.quant.kinds import quantized
from acsgen.quant.progress import SIGNED_LEVELS, VECTOR_HEADROOM, Progress, QuantizationWarning

__all__ = ["REFINE_BELOW", "QuantizationWarning", "quantize", "quantize_and_judge"]

#: Agreement of predictions on the calibration images below which a network is quantized again.
REFINE_BELOW = 0.99


def quantize(
    graph: LayerGraph,
    images: NDArray[np.uint8] | Tensor,
    batch: int = 16,
    weight_bits: int = WEIGHT_BITS,
) -> IntGraph:
    """Quantize a network; see :func:`quantize_and_judge`."""
    return quantize_and_judge(graph, images, batch, weight_bits)[0]


@torch.no_grad()
def quantize_and_judge(
    graph: LayerGraph,
    images: NDArray[np.uint8] | Tensor,
    batch: int = 16,
    weight_bits: int = WEIGHT_BITS,
) -> tuple[IntGraph, Refinement]:
    """Quantize a network, and tell how well that went.

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

    def tried(refine: bool) -> _Try:
        progress = Progress(graph, calibration, pixels, batch, most, refine)
        return _try(graph, calibration, progress)

    plain = tried(refine=False)
    if plain.agreement >= REFINE_BELOW:
        return plain.integers, Refinement(len(pixels), plain.agreement)
    with warnings.catch_warnings():
        # The first try has issued them.
        warnings.simplefilter("ignore", QuantizationWarning)
        refined = tried(refine=True)
    # The error of the logits says most: of a few hundred images some agree or not by chance, up to
    # about two standard deviations.
    chance = 2 * math.sqrt(plain.agreement * (1 - plain.agreement) / len(pixels))
    used = refined.noise < plain.noise and refined.agreement >= plain.agreement - chance
    best = refined if used else plain
    return best.integers, Refinement(len(pixels), plain.agreement, refined.agreement, used)


@dataclass(frozen=True)
class _Try:
    """An integer network, beside the float network on the calibration images.

    Attributes:
        integers: the network.
        agreement: share of images with the same prediction, of the output where that is least.
        noise: mean square of the error of the logits as a share of their variance, added up over
            the outputs.
    """

    integers: IntGraph
    agreement: float
    noise: float


def _try(graph: LayerGraph, calibration: Calibration, progress: Progress) -> _Try:
    """Quantize all layers, and compare the answers."""
    for layer in graph:
        for made in quantized(layer, progress):
            progress.add(made)
    integers = IntGraph(graph.name, tuple(progress.done.values()), graph.outputs)
    agreement, noise = 1.0, 0.0
    for name in graph.outputs:
        exact, found = calibration.answers[name], progress.result(name)
        agreement = min(agreement, float(np.mean(found.argmax(axis=1) == exact.argmax(axis=1))))
        error = found * integers[name].format.scales(exact.shape[1]) - exact
        variance = float(np.var(exact, axis=0).sum())
        noise += float(np.square(error).mean(axis=0).sum()) / variance if variance > 0 else 0.0
    return _Try(integers, agreement, noise)
