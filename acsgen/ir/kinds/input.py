"""The image: always the first layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from acsgen.ir.kinds.base import (
    ActiveOf,
    FloatArray,
    IntArray,
    IntLayer,
    Layer,
    LayerWork,
    Stores,
    ZeroMaskOf,
    register,
)


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
class IntInput(IntLayer):
    """Raw pixels ``(C, H, W)``, unsigned; ``pad_value`` ``(C,)`` uint8."""

    pad_value: IntArray = field(repr=False)

    KIND = "input"

    @property
    def stores(self) -> Stores:
        return Stores.MAP

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return None

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(Input, IntInput)
