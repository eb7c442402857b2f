"""A map times one factor per channel, computed at run time."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.grammar import Grammar, a_map, a_vector
from acsgen.ir.kinds.base import (
    ActiveOf,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import ChannelMask
from acsgen.ir.ranges import multiplier, shift


@dataclass(frozen=True)
class Scale(Layer):
    """``x[c] * vector[c]``: squeeze-and-excitation's last step."""

    x: str
    vector: str

    KIND = "scale"
    READS = ("x", "vector")


@dataclass(frozen=True)
class IntScale(IntLayer):
    """``x[c] * vector[c]``, requantized; the vector is unsigned."""

    x: str
    vector: str
    mult: int
    shift: int

    KIND = "scale"
    READS = ("x", "vector")

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return True

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


GRAMMAR = Grammar(
    result=a_map("C H W"),
    reads={"x": a_map("C H W"), "vector": a_vector("C")},
    constants={"mult": multiplier(""), "shift": shift("")},
)

register(Scale, IntScale, GRAMMAR)
