"""The image: raw pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from acsgen.ir.integer import Format, IntInput
from acsgen.ir.layers import Input
from acsgen.quant.kinds._image import pad_pixels, pad_values
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources
from acsgen.quant.warning import warn
from acsgen.support.errors import Problem

#: Of raw pixels, which a convolution reads as they are.
PIXELS = Format(1.0, False)


def _quantize(layer: Input, so_far: Quantization) -> IntInput:
    beyond = [
        f"channel {c}: {p:.1f}" for c, p in enumerate(pad_pixels(layer)) if not -0.5 <= p <= 255.5
    ]
    if beyond:
        warn(
            f"{layer.where}: the pixel that normalizes to zero lies outside 0..255 "
            f"({', '.join(beyond)}); padding uses the nearest"
        )
    return IntInput(layer.name, layer.where, layer.shape, PIXELS, pad_value=pad_values(layer))


def _operator(layer: IntInput, sources: Sources) -> Operator:
    return lambda values: values[layer.name].to(torch.int16)


def _problems(layer: Input, image: Input) -> Iterator[Problem]:
    if np.any(np.asarray(layer.scale) == 0):
        yield Problem(
            layer.where,
            "the normalization multiplies an image channel by zero",
            "leave the channel out of the network's input",
        )


QUANT_KINDS.add(
    "input",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=False,
        problems=_problems,
    ),
)
