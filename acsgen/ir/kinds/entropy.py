"""Whether a classifier is sure: the entropy of its softmax, compared with a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acsgen.ir.grammar import Constant, Grammar, Operand, Stores, a_mask
from acsgen.ir.kinds._vectors import IntFullyConnected
from acsgen.ir.kinds.base import FloatArray, IntArray, Layer, register
from acsgen.ir.ranges import ACCUMULATES, sums, weights
from acsgen.isa.generated import MAX_CHANNELS

#: Lines that the entropy's share of a class is made of (:mod:`acsgen.quant.entropy`).
ENTROPY_LINES = 8

#: Most classes: a vector has an entry for every class and line.
MAX_CLASSES = MAX_CHANNELS // ENTROPY_LINES


@dataclass(frozen=True)
class Entropy(Layer):
    """One bit: ``H(softmax(x)) < threshold``, in nats, of the logits ``x`` of a classifier."""

    x: str
    threshold: float

    KIND = "entropy"
    READS = ("x",)


@dataclass(frozen=True)
class IntEntropy(IntFullyConnected):
    """One bit: ``acc > threshold``, where ``acc`` ``(1,)`` is the negative entropy in units of
    ``acc_scale``.

    ``x`` is the last vector of the small network that computes the entropy of logits
    (:mod:`acsgen.quant.entropy`); ``entropy`` is the threshold in nats.
    """

    threshold: IntArray = field(repr=False)
    acc_scale: FloatArray = field(repr=False)
    entropy: float

    KIND = "entropy"


GRAMMAR = Grammar(
    result=a_mask("O"),
    reads={"x": Operand((Stores.VECTOR, Stores.WIDE), "I")},
    constants={
        "weight": weights("O I"),
        "bias": sums("O"),
        "threshold": replace(sums("O"), of_integers=True),
        "acc_scale": Constant("O"),
        "entropy": Constant(""),
    },
    relations=(ACCUMULATES,),
)

register(Entropy, IntEntropy, GRAMMAR)
