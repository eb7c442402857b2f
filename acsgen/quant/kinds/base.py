"""What the quantizer has to know of a kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.format import Format
from acsgen.ir.integer import IntConv, IntFullyConnected, IntLayer
from acsgen.ir.layers import Input, Layer
from acsgen.quant.scales import Floats, IntWeights
from acsgen.support.errors import Problem
from acsgen.support.registry import Registry

#: An integer layer with weights.
WeightedT = TypeVar("WeightedT", bound=IntConv | IntFullyConnected)

#: Results by layer name, ``[N, *shape]``.
Values = dict[str, Tensor]
Operator = Callable[[Values], Tensor]

#: At least the integer layers that a layer reads, by name.
Sources = Mapping[str, IntLayer]


class Quantization(Protocol):
    """What quantizing a layer may ask about the layers before it and the calibration images."""

    @property
    def done(self) -> Mapping[str, IntLayer]:
        """The integer layers before it, by name."""

    @property
    def normalization(self) -> tuple[Floats, Floats]:
        """Scale and offset ``(C,)`` of the image's channels."""

    @property
    def weight_max(self) -> int:
        """The largest magnitude of an integer weight."""

    def result_scale(
        self, layer: Layer, signed: bool, at_least: float, otherwise: float = 0.0
    ) -> float:
        """The scale of a result: the best for its values, or ``at_least`` if that is coarser; of
        one that is zero for every image ``otherwise``, if it is given."""

    def channel_format(self, layer: Layer, signed: bool, at_least: Floats) -> Format:
        """The format of a result of which each channel has a multiplier of its own: one scale, or
        scales by channel where that is needed (:mod:`acsgen.quant.spread`); none is finer than
        ``at_least`` ``(C,)``."""

    def scale_beside(self, layer: Layer, units: Floats, signed: bool) -> float:
        """The number that scales of ``units`` ``(C,)``, which differ by channel, are multiplied by
        to hold the values of a result."""

    def result(self, name: str) -> NDArray[np.integer]:
        """The integers of an output before it for all calibration images, ``[N, C]``."""

    def fitted(self, draft: WeightedT, integers: IntWeights) -> WeightedT:
        """The draft of a layer with weights, with the bias ``(O,)`` with which the mean of its
        integer sums is that of the float network, and with its weights rounded anew where that was
        asked for (:mod:`acsgen.quant.rounding`)."""


@dataclass(frozen=True)
class Sums:
    """What a kind with weights has besides.

    Attributes:
        operator: from an integer layer and its sources to the function from earlier results to
            ``sum w*x``, int64 ``[N, *layer.shape]``, without bias and mask.
        totals: likewise to the function to these sums, added up over images and pixels without
            computing each, int64 ``(O,)``.
        windows: likewise to the function to the inputs of every sum, float64
            ``(groups, inputs of an output, sums of an output)``.
        apart: the layers of a float graph that together compute a layer, so that one of them, of
            the given name, is its ``w*x + bias``.
    """

    operator: Callable[[Any, Sources], Operator]
    totals: Callable[[Any, Sources], Operator]
    windows: Callable[[Any, Sources], Operator]
    apart: Callable[[Any, str], tuple[Layer, ...]]


def _not_the_image(layer: Layer, image: Input) -> Iterable[Problem]:
    """Only convolutions undo that the image is stored un-normalized."""
    if image.name in layer.inputs:
        yield Problem(
            layer.where,
            "reads the image itself, which only convolutions can",
            "put a convolution (1x1 will do) before it",
        )


def _stops(layer: Layer, source: Layer) -> float | None:
    return None


def _nothing(layer: Layer, values: Mapping[str, Tensor], sums: str) -> Tensor | None:
    return None


@dataclass(frozen=True)
class QuantKind:
    """The quantizer's part of a kind of layer.

    Attributes:
        quantize: makes the integer layer of a float one, or several in execution order, of which
            the last has its name. The scale of its result is never finer
            than multiplier and shift can express (:data:`acsgen.quant.scales.MAX_RATIO`).
        operator: from an integer layer and its sources to the function from earlier results to its
            result: maps and vectors int16, logits int32; of a gate, to its accumulators, int64.
            The image finds its pixels under its own name. This is the golden model.
        measured: whether the values of its results decide how it is scaled.
        sums: for kinds with weights.
        skipped: the result that a float layer would have where its mask is 0, and zero elsewhere,
            given all results and the name of its sums; None for layers without mask.
        passes_error: for kinds without weights, whose result keeps the ratios of the scales of
            ``x``: the share of the variance of the error of ``x``, a layer's source, that is in the
            result. None where the scales of ``x`` have to be equal.
        problems: what a float layer, which may read the image, cannot be quantized for.
    """

    quantize: Callable[[Any, Quantization], IntLayer | tuple[IntLayer, ...]]
    operator: Callable[[Any, Sources], Operator]
    measured: bool
    sums: Sums | None = None
    skipped: Callable[[Any, Mapping[str, Tensor], str], Tensor | None] = _nothing
    problems: Callable[[Any, Input], Iterable[Problem]] = _not_the_image
    passes_error: Callable[[Any, Layer], float | None] = _stops


QUANT_KINDS: Registry[QuantKind] = Registry("kind of layer")
