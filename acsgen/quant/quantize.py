"""Post-training quantization: a layer graph and example images become an integer graph.

Layers are quantized in execution order. Each is run on the calibration images as soon as it is an
integer layer, so that the next one sees its real inputs, errors included: the bias of every
weighted layer is the one that gives its integer sums the same mean as the float network's (see
:mod:`acsgen.quant.calibrate`). The result keeps the grammar of integer graphs by construction.

Where the integer network then predicts otherwise than the float network too often, it is made again
with more care: weights are rounded together (:mod:`acsgen.quant.rounding`), and channels have
scales of their own wherever they gain by them.  It replaces the first only if it is better.
Where even that is not enough, the averages before classifiers are stored several times
(:mod:`acsgen.quant.finer_averages`), if that helps.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace

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
from acsgen.quant.finer_averages import repeatable, with_finer_averages
from acsgen.quant.golden.model import check_images
from acsgen.quant.kinds import quantized
from acsgen.quant.progress import SIGNED_LEVELS, VECTOR_HEADROOM, Progress, QuantizationWarning

__all__ = ["REFINE_BELOW", "QuantizationWarning", "quantize", "quantize_and_judge"]

#: Agreement of predictions on the calibration images below which a network is quantized again.
REFINE_BELOW = 0.99

#: Likewise the agreement below which averages are stored several times, which takes cycles.  It is
#: that below which a build warns.
REPEAT_BELOW = 0.95

#: The error of the logits, squared, has to fall below this share of what it was.
REPEAT_NOISE = 0.75


def quantize(
    graph: LayerGraph,
    images: NDArray[np.uint8] | Tensor,
    batch: int = 16,
    weight_bits: int = WEIGHT_BITS,
    finer_averages: bool = True,
) -> IntGraph:
    """Quantize a network; see :func:`quantize_and_judge`."""
    return quantize_and_judge(graph, images, batch, weight_bits, finer_averages)[0]


@torch.no_grad()
def quantize_and_judge(
    graph: LayerGraph,
    images: NDArray[np.uint8] | Tensor,
    batch: int = 16,
    weight_bits: int = WEIGHT_BITS,
    finer_averages: bool = True,
) -> tuple[IntGraph, Refinement]:
    """Quantize a network, and tell how well that went.

    Args:
        graph: the network in floats.
        images: calibration images, uint8 ``[N, C, H, W]``.
        batch: images computed at once.
        weight_bits: width of the weights, 4 to 8. Fewer than 8 are a smaller range of the same
            bytes: the network needs as much memory and time. Results have 8 bits in any case,
            since the engine saturates them at that width and at no other.
        finer_averages: whether averages before classifiers may be stored several times where the
            predictions agree too rarely otherwise (:mod:`acsgen.quant.finer_averages`).

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

    def progress(refine: bool) -> Progress:
        return Progress(graph, calibration, pixels, batch, most, refine)

    plain = _try(graph, calibration, progress(refine=False))
    if plain.agreement >= REFINE_BELOW:
        return plain.integers, Refinement(len(pixels), plain.agreement)
    with warnings.catch_warnings():
        # The first try has issued them.
        warnings.simplefilter("ignore", QuantizationWarning)
        refined = _try(graph, calibration, progress(refine=True))
        # The error of the logits says most: of a few hundred images some agree or not by chance, up
        # to about two standard deviations.
        chance = 2 * math.sqrt(plain.agreement * (1 - plain.agreement) / len(pixels))
        used = refined.noise < plain.noise and refined.agreement >= plain.agreement - chance
        best = refined if used else plain
        told = Refinement(len(pixels), plain.agreement, refined.agreement, used)
        places = repeatable(best.integers) if finer_averages else {}
        if best.agreement >= REPEAT_BELOW or not places:
            return best.integers, told
        repeated = progress(refine=True)
        with_finer_averages(graph, best.integers, places, repeated)
    finer = _judged(graph, calibration, repeated)
    less = finer.noise < REPEAT_NOISE * best.noise
    better = less and finer.agreement > best.agreement
    told = replace(told, repeated=finer.agreement)
    if not better:
        return best.integers, told
    added = tuple(name for place in places.values() for name in place.added)
    return finer.integers, replace(told, averages=tuple(places), added=added)


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
    """Quantize all layers."""
    for layer in graph:
        for made in quantized(layer, progress):
            progress.add(made)
    return _judged(graph, calibration, progress)


def _judged(graph: LayerGraph, calibration: Calibration, progress: Progress) -> _Try:
    """Compare the answers of a quantization that is done."""
    integers = IntGraph(graph.name, tuple(progress.done.values()), graph.outputs)
    agreement, noise = 1.0, 0.0
    for name in graph.outputs:
        exact, found = calibration.answers[name], progress.result(name)
        agreement = min(agreement, float(np.mean(found.argmax(axis=1) == exact.argmax(axis=1))))
        error = found * integers[name].format.scales(exact.shape[1]) - exact
        variance = float(np.var(exact, axis=0).sum())
        noise += float(np.square(error).mean(axis=0).sum()) / variance if variance > 0 else 0.0
    return _Try(integers, agreement, noise)
