"""A linear layer with its activation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from acsgen.ir.kinds._vectors import FullyConnected, IntFullyConnected
from acsgen.ir.kinds.base import IntArray, Stores, register


@dataclass(frozen=True)
class Linear(FullyConnected):
    """``act(weight @ x + bias)`` on a vector; ``weight`` is ``(O, I)``."""

    activation: Literal["none", "relu", "sigmoid"]

    KIND = "linear"


@dataclass(frozen=True)
class IntLinear(IntFullyConnected):
    """``weight`` ``(O, I)``; the other arrays ``(O,)``.  ``sigmoid``: the result goes through the
    table."""

    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)
    sigmoid: bool

    KIND = "linear"

    @property
    def stores(self) -> Stores:
        return Stores.VECTOR


register(Linear, IntLinear)
