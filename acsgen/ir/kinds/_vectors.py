"""Facts that several kinds with vectors have in common; a kind chooses them by its base class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from acsgen.ir.kinds._workless import IntWorkless
from acsgen.ir.kinds.base import (
    ActiveOf,
    FloatArray,
    IntArray,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
)
from acsgen.ir.masks import UNMASKED, ChannelMask


@dataclass(frozen=True)
class FullyConnected(Layer):
    """A layer that begins with ``weight @ x + bias`` on a vector; ``weight`` is ``(O, I)``."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)

    READS = ("x",)


@dataclass(frozen=True)
class IntFullyConnected(IntLayer):
    """A layer of which every weight is multiplied for every image.  ``weight`` ``(O, I)``, ``bias``
    ``(O,)``."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)

    READS = ("x",)

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return UNMASKED

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork:
        images = len(active(UNMASKED, 1))
        return LayerWork(self.weight.size, np.full(images, self.weight.size, np.int64))


@dataclass(frozen=True)
class IntMapToVector(IntWorkless):
    """A layer without weights that makes a vector of a map."""

    x: str

    READS = ("x",)
