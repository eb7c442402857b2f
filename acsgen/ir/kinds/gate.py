"""The decision of a gate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acsgen.ir.grammar import Constant, Grammar, a_mask, a_vector
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
from acsgen.ir.ranges import ACCUMULATES, sums, weights


@dataclass(frozen=True)
class Gate(Layer):
    """The decision of a gate: mask bit ``sigmoid(weight @ x + bias) > threshold``, a bit per
    channel."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    threshold: float

    KIND = "gate"
    READS = ("x",)


@dataclass(frozen=True)
class IntGate(IntLayer):
    """``acc_scale`` ``(O,)`` is the real value of one accumulator unit: it turns a run-time alpha
    into integer thresholds, ``threshold[o] = floor(logit(alpha) / acc_scale[o])``."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    threshold: IntArray = field(repr=False)
    acc_scale: FloatArray = field(repr=False)
    alpha: float

    KIND = "gate"
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
    result=a_mask("O"),
    reads={"x": a_vector("I")},
    constants={
        "weight": weights("O I"),
        "bias": sums("O"),
        "threshold": replace(sums("O"), of_integers=True),
        "acc_scale": Constant("O"),
    },
    relations=(ACCUMULATES,),
)

register(Gate, IntGate, GRAMMAR)
