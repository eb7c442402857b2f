"""The image: always the first layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from acsgen.ir.grammar import Constant, Grammar, a_map
from acsgen.ir.kinds._workless import IntWorkless
from acsgen.ir.kinds.base import (
    FloatArray,
    IntArray,
    Layer,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import UNMASKED, ChannelMask
from acsgen.isa.generated import MAX_PIXEL


@dataclass(frozen=True)
class Input(Layer):
    """The image, raw uint8 pixels ``p``; the network sees ``p * scale[c] + offset[c]``.

    Consumers other than convolutions are not allowed to read it (the raw map is stored
    un-normalized; a convolution folds the normalization and pads with the pixel value that
    normalizes to zero).
    """

    scale: FloatArray = field(repr=False)
    offset: FloatArray = field(repr=False)

    KIND = "input"


@dataclass(frozen=True)
class IntInput(IntWorkless):
    """Raw pixels ``(C, H, W)``, unsigned; ``pad_value`` ``(C,)`` uint8."""

    pad_value: IntArray = field(repr=False)

    KIND = "input"

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return UNMASKED


GRAMMAR = Grammar(
    result=a_map("C H W"),
    constants={
        "scale": Constant("C"),
        "offset": Constant("C"),
        "pad_value": Constant("C", 0, MAX_PIXEL),
    },
)

register(Input, IntInput, GRAMMAR)
