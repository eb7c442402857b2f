"""The mean of each channel."""

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
class GlobalAvg(Layer):
    """Mean over the map: ``(C, H, W)`` to ``(C,)``."""

    x: str

    KIND = "global_avg"
    READS = ("x",)


@dataclass(frozen=True)
class IntGlobalAvg(IntLayer):
    """Mean of each channel; ``mult`` and ``shift`` include the division."""

    x: str
    mult: int
    shift: int

    KIND = "global_avg"
    READS = ("x",)

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


GRAMMAR = Grammar(
    result=a_vector("C"),
    reads={"x": a_map("C H W")},
    constants={"mult": multiplier(""), "shift": shift("")},
)

register(GlobalAvg, IntGlobalAvg, GRAMMAR)
