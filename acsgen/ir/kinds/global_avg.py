"""The mean of each channel."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.grammar import Grammar, a_map, a_vector
from acsgen.ir.kinds._vectors import IntMapToVector
from acsgen.ir.kinds.base import Layer, ZeroMaskOf, register
from acsgen.ir.masks import ChannelMask
from acsgen.ir.ranges import multiplier, shift


@dataclass(frozen=True)
class GlobalAvg(Layer):
    """Mean over the map: ``(C, H, W)`` to ``(C,)``."""

    x: str

    KIND = "global_avg"
    READS = ("x",)


@dataclass(frozen=True)
class IntGlobalAvg(IntMapToVector):
    """Mean of each channel; ``mult`` and ``shift`` include the division."""

    mult: int
    shift: int

    KIND = "global_avg"

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return of(self.x)


GRAMMAR = Grammar(
    result=a_vector("C"),
    reads={"x": a_map("C H W")},
    constants={"mult": multiplier(""), "shift": shift("")},
)

register(GlobalAvg, IntGlobalAvg, GRAMMAR)
