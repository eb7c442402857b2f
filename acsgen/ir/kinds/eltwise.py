"""A lone add, ReLU or mask."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.grammar import Grammar, a_map_or_vector, a_mask
from acsgen.ir.kinds.base import (
    ActiveOf,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import UNMASKED, ChannelMask
from acsgen.ir.ranges import multiplier, shift


@dataclass(frozen=True)
class Eltwise(Layer):
    """``act(mask * x + residual)``: a lone add, ReLU or mask that no convolution could take in."""

    x: str
    relu: bool
    residual: str | None = None
    mask: ChannelMask = UNMASKED

    KIND = "eltwise"
    READS = ("x", "residual", "mask")


@dataclass(frozen=True)
class IntEltwise(IntLayer):
    """Pixelwise ``x * mult + residual``; one multiplier and shift for all channels."""

    x: str
    mult: int
    shift: int
    residual: str | None = None
    res_mult: int = 0
    mask: ChannelMask = UNMASKED

    KIND = "eltwise"
    READS = ("x", "residual", "mask")

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return self.residual is None

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        """Its own or that of its source, if it adds no residual."""
        if self.residual is not None:
            return UNMASKED
        return self.mask or of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


GRAMMAR = Grammar(
    result=a_map_or_vector("C *"),
    reads={
        "x": a_map_or_vector("C *"),
        "residual": a_map_or_vector("C *"),
        "mask": a_mask("C"),
    },
    constants={"mult": multiplier(""), "shift": shift(""), "res_mult": multiplier("")},
)

register(Eltwise, IntEltwise, GRAMMAR)
