"""The classifier: always the last layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from acsgen.ir.kinds._vectors import FullyConnected, IntFullyConnected
from acsgen.ir.kinds.base import IntArray, Stores, register


@dataclass(frozen=True)
class Logits(FullyConnected):
    """The classifier: a linear layer whose results leave the engine wide.  Last layer of the
    graph."""

    KIND = "logits"


@dataclass(frozen=True)
class IntLogits(IntFullyConnected):
    """The classifier; results stay int32, all on one scale."""

    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)

    KIND = "logits"

    @property
    def stores(self) -> Stores:
        return Stores.WIDE


register(Logits, IntLogits)
