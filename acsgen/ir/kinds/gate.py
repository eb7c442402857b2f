"""The decision of a gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from acsgen.ir.grammar import Constant, Grammar, Sources, a_mask, a_vector, relation
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
    into integer thresholds, ``threshold[o] = floor(logit(alpha) / acc_scale[o])``.

    ``order`` has all channels, those beside each other that open for the same images; None where
    that is not known.  No result depends on it: it is the order in which an engine best keeps the
    channels that the gate decides.
    """

    threshold: IntArray = field(repr=False)
    acc_scale: FloatArray = field(repr=False)
    alpha: float
    order: tuple[int, ...] | None = field(default=None, repr=False)

    KIND = "gate"


@relation("order, if there is one, has every channel once", of_integers=True)
def _orders(layer: IntGate, sources: Sources) -> Iterator[str]:
    if layer.order is not None and sorted(layer.order) != list(range(layer.shape[0])):
        yield f"order does not have each of {layer.shape[0]} channels once"


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
    relations=(ACCUMULATES, _orders),
)

register(Gate, IntGate, GRAMMAR)
