"""A classifier: its result leaves the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from acsgen.ir.grammar import Grammar, Sources, a_vector, a_wide_result, relation
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
class Logits(Layer):
    """A classifier: a linear layer whose results leave the engine wide."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)

    KIND = "logits"
    READS = ("x",)


@dataclass(frozen=True)
class IntLogits(IntLayer):
    """A classifier; results stay int32, all on one scale."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)

    KIND = "logits"
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
