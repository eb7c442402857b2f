"""A linear layer with its activation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from acsgen.ir.grammar import Grammar, a_vector
from acsgen.ir.kinds._vectors import FullyConnected, IntFullyConnected
from acsgen.ir.kinds.base import IntArray, register
from acsgen.ir.ranges import ACCUMULATES, multiplier, shift, sums, weights


@dataclass(frozen=True)
class Linear(FullyConnected):
    """``act(weight @ x + bias)`` on a vector; ``weight`` is ``(O, I)``.

    ``clip`` is the upper end of a ReLU that has one.
    """

    activation: Literal["none", "relu", "sigmoid"]
    clip: float | None = None

    KIND = "linear"


@dataclass(frozen=True)
class IntLinear(IntFullyConnected):
    """``weight`` ``(O, I)``; the other arrays ``(O,)``.  ``sigmoid``: the result goes through the
    table."""

    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)
    sigmoid: bool

    KIND = "linear"


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
