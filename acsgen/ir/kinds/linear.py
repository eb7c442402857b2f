"""A linear layer with its activation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from acsgen.ir.grammar import Grammar, a_vector
from acsgen.ir.kinds.base import (
    ActiveOf,
    FloatArray,
    IntArray,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
    never_skipped,
    register,
)
from acsgen.ir.masks import UNMASKED, ChannelMask
from acsgen.ir.ranges import ACCUMULATES, multiplier, shift, sums, weights


@dataclass(frozen=True)
class Linear(Layer):
    """``act(weight @ x + bias)`` on a vector; ``weight`` is ``(O, I)``."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    activation: Literal["none", "relu", "sigmoid"]

    KIND = "linear"
    READS = ("x",)


@dataclass(frozen=True)
class IntLinear(IntLayer):
    """``weight`` ``(O, I)``; the other arrays ``(O,)``.  ``sigmoid``: the result goes through the
    table."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)
    sigmoid: bool

    KIND = "linear"
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
        return never_skipped(self.weight, active)


GRAMMAR = Grammar(
    result=a_vector("O"),
    reads={"x": a_vector("I")},
    constants={
        "weight": weights("O I"),
        "bias": sums("O"),
        "mult": multiplier("O"),
        "shift": shift("O"),
    },
    relations=(ACCUMULATES,),
)

register(Linear, IntLinear, GRAMMAR)
