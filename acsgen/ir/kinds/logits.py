"""A classifier: its result leaves the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from acsgen.ir.grammar import Grammar, Sources, a_vector, a_wide_result, relation
from acsgen.ir.kinds._vectors import FullyConnected, IntFullyConnected
from acsgen.ir.kinds.base import IntArray, register
from acsgen.ir.ranges import ACCUMULATES, multiplier, shift, sums, weights


@dataclass(frozen=True)
class Logits(FullyConnected):
    """A classifier: a linear layer whose results leave the engine wide."""

    KIND = "logits"


@dataclass(frozen=True)
class IntLogits(IntFullyConnected):
    """A classifier; results stay int32, all on one scale."""

    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)

    KIND = "logits"


@relation("all results are on one scale", of_integers=True)
def _one_scale(layer: IntLogits, sources: Sources) -> Iterator[str]:
    if layer.format.one_scale is None:
        yield "its results have different scales"


GRAMMAR = Grammar(
    result=a_wide_result("O"),
    reads={"x": a_vector("I")},
    constants={
        "weight": weights("O I"),
        "bias": sums("O"),
        "mult": multiplier("O"),
        "shift": shift("O"),
    },
    relations=(ACCUMULATES, _one_scale),
)

register(Logits, IntLogits, GRAMMAR)
