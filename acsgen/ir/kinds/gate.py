"""The decision of a gate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acsgen.ir.grammar import Constant, Grammar, a_mask, a_vector
from acsgen.ir.kinds._vectors import FullyConnected, IntFullyConnected
from acsgen.ir.kinds.base import FloatArray, IntArray, register
from acsgen.ir.ranges import ACCUMULATES, sums, weights


@dataclass(frozen=True)
class Gate(FullyConnected):
    """The decision of a gate: mask bit ``sigmoid(weight @ x + bias) > threshold``, a bit per
    channel."""

    threshold: float

    KIND = "gate"


@dataclass(frozen=True)
class IntGate(IntFullyConnected):
    """``acc_scale`` ``(O,)`` is the real value of one accumulator unit: it turns a run-time alpha
    into integer thresholds, ``threshold[o] = floor(logit(alpha) / acc_scale[o])``."""

    threshold: IntArray = field(repr=False)
    acc_scale: FloatArray = field(repr=False)
    alpha: float

    KIND = "gate"


GRAMMAR = Grammar(
    result=a_mask("O"),
    reads={"x": a_vector("I")},
    constants={
        "weight": weights("O I"),
        "bias": sums("O"),
        "threshold": replace(sums("O"), of_integers=True),
        "acc_scale": Constant("O"),
        "alpha": Constant(""),
    },
    relations=(ACCUMULATES,),
)

register(Gate, IntGate, GRAMMAR)
