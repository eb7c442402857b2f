"""How far a quantization has come: the integer layers so far, and their results on the images."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.format import Format
from acsgen.ir.integer import IntConv, IntEntropy, IntFullyConnected, IntGate, IntLayer
from acsgen.ir.layers import Entropy, Layer, LayerGraph, Logits
from acsgen.ir.ranges import input_signs
from acsgen.quant.calibrate import Calibration
from acsgen.quant.family import Statistics, is_bound
from acsgen.quant.golden.operators import Values, operator, totals, windows
from acsgen.quant.kinds.base import WeightedT
from acsgen.quant.neighbours import neighbours
from acsgen.quant.rounding import Moments, rounded_together
from acsgen.quant.scales import UNSIGNED_LEVELS, Floats, IntWeights, integer_bias
from acsgen.quant.spread import PLAIN, REFINED, own_units
from acsgen.quant.warning import QuantizationWarning, warn

__all__ = ["Progress", "QuantizationWarning"]

SIGNED_LEVELS = 127

#: Largest integer of a result, by its sign.
LEVELS = {False: UNSIGNED_LEVELS, True: SIGNED_LEVELS}

#: Range of a vector, in units of the largest value seen.  A vector has one value per channel and
#: image: too few to know how far it reaches, so it is never clipped but given room.
VECTOR_HEADROOM = 1.4

#: Range of a map's channel likewise, where many maps have scales by channel and all of their
#: clipped values add up.
CHANNEL_HEADROOM = 1.05

#: Windows of inputs from which covariances are known well enough; more take time.
WINDOWS = 2**15


class Progress:
    """State of one quantization.

    Args:
        graph: the network in floats.
        calibration: its statistics on ``pixels``.
        pixels: uint8 ``[N, C, H, W]``.
        batch: images computed at once.
        weight_max: the largest magnitude of an integer weight.
        refine: whether to round weights together, and to give scales by channel wherever they make
            the error smaller.

    Attributes:
        done: integer layers by name, in execution order.
        weight_max: the same as the argument.
        normalization: scale and offset ``(C,)`` of the image's channels.
    """

    def __init__(
        self,
        graph: LayerGraph,
        calibration: Calibration,
        pixels: Tensor,
        batch: int,
        weight_max: int,
        refine: bool = False,
    ) -> None:
        source = graph.input
        self.weight_max = weight_max
        self.done: dict[str, IntLayer] = {}
        self.normalization: tuple[Floats, Floats] = (
            np.asarray(source.scale, np.float64),
            np.asarray(source.offset, np.float64),
        )
        self._graph = graph
        self._refine = refine
        self._calibration = calibration
        self._reaches = {
            layer.name: calibration.largest[layer.name] * _headroom(layer, refine)
            for layer in graph
            if layer.name in calibration.largest
        }
        # Batches, and only of results that are still to be read; the image begins as its pixels.
        self._values: list[Values] = [{source.name: part} for part in torch.split(pixels, batch)]
        self._last_reader = {name: layer.name for layer in graph for name in layer.inputs}
        for layer in graph:
            if isinstance(layer, Entropy):
                # Its integer layers begin with the classifier's own vector, which is small.
                classifier = graph[layer.x]
                assert isinstance(classifier, Logits)
                self._last_reader.pop(classifier.x, None)

    def add(self, layer: IntLayer) -> None:
        """Take in the next layer: run it, and forget the results that nothing reads any more."""
        self.done[layer.name] = layer
        run = operator(layer, self.done)
        masks: list[Tensor] = []
        for values in self._values:
            result = run(values)
            if isinstance(layer, (IntGate, IntEntropy)):
                result = (result > torch.as_tensor(layer.threshold)).to(torch.uint8)
                masks.append(result)
            values[layer.name] = result
            for name in set(layer.inputs):
                if self._last_reader.get(name) == layer.name and name not in self._graph.outputs:
                    del values[name]
        if isinstance(layer, IntGate):
            self.done[layer.name] = replace(layer, order=neighbours(torch.cat(masks).numpy()))

    def result(self, name: str) -> NDArray[np.integer]:
        """The integers of an output for all images, ``[N, C]``."""
        return np.asarray(torch.cat([values[name] for values in self._values]).numpy())

    def result_scale(
        self, layer: Layer, signed: bool, at_least: float, otherwise: float = 0.0
    ) -> float:
        """The scale of a result: the best for its values, or ``at_least`` if that is coarser; of
        one that is zero for every image ``otherwise``, if it is given."""
        levels = self._levels(signed)
        histogram = self._calibration.histograms.get(layer.name)
        if histogram is None:
            raise ValueError(f"kind '{layer.KIND}' is not measured, and has no best scale")
        if len(layer.shape) == 1:
            best = histogram.largest * VECTOR_HEADROOM / levels
        else:
            best = histogram.best_scale(levels)
        if best == 0.0 and not otherwise:
            warn(f"{layer.where}: zero for every calibration image")
        return max(best or otherwise, at_least)

    def channel_format(self, layer: Layer, signed: bool, at_least: Floats) -> Format:
        """The format of a result of which each channel has a multiplier of its own.

        It is one scale for all channels, or scales by channel where that is needed
        (:mod:`acsgen.quant.spread`); none is finer than ``at_least`` ``(C,)``.
        """
        one = self.result_scale(layer, signed, float(at_least.max()))
        known = Statistics(self._reaches, self._calibration.variances, LEVELS, self.weight_max)
        units = own_units(self._graph, layer, known, REFINED if self._refine else PLAIN)
        if units is None:
            return Format(one, signed)
        reach = self._reaches[layer.name]
        scales = units * float((reach / units).max()) / self._levels(signed)
        if is_bound(self._graph, layer):
            scales = scales * max(1.0, float((at_least / scales).max()))
        return Format.by_channel(np.maximum(scales, at_least), [signed] * len(scales))

    def scale_beside(self, layer: Layer, units: Floats, signed: bool) -> float:
        """The number that scales of ``units`` ``(C,)``, which differ by channel, are multiplied by
        to hold the values of a result."""
        return float((self._reaches[layer.name] / units).max()) / self._levels(signed)

    @staticmethod
    def _levels(signed: bool) -> int:
        return LEVELS[signed]

    def fitted(self, draft: WeightedT, integers: IntWeights) -> WeightedT:
        """The draft of a layer with weights, with the weights and the bias that it gets."""
        if self._refine:
            signed = input_signs(draft, self.done)
            moments = self._moments(draft)
            integers = rounded_together(integers, moments, signed, self.weight_max)
            draft = replace(draft, weight=integers.weight)
        return replace(draft, bias=self._matched_bias(draft, integers.acc_scale))

    def _moments(self, layer: IntConv | IntFullyConnected) -> Moments:
        """Of the inputs of a layer, over so many images as make :data:`WINDOWS`."""
        run = windows(layer, self.done)
        moments = Moments(getattr(layer, "groups", 1), layer.weight[0].size)
        for values in self._values:
            moments.add(run(values).numpy())
            if moments.count >= WINDOWS:
                break
        return moments

    def _matched_bias(
        self, layer: IntConv | IntFullyConnected, acc_scale: Floats
    ) -> NDArray[np.int32]:
        """The bias with which the mean of the integer sums is that of the float network.

        Args:
            layer: a layer with weights; its bias has no say.
            acc_scale: real value of one unit of each output's accumulator, ``(O,)``.
        """
        run = totals(layer, self.done)
        total, images = torch.zeros(layer.shape[0], dtype=torch.int64), 0
        for values in self._values:
            total += run(values)
            images += len(values[layer.x])
        mean = total.numpy() / (images * math.prod(layer.shape[1:]))
        return integer_bias(self._calibration.means[layer.name] - mean * acc_scale, acc_scale)


def _headroom(layer: Layer, refine: bool) -> float:
    if len(layer.shape) == 1:
        return VECTOR_HEADROOM
    return CHANNEL_HEADROOM if refine else 1.0
