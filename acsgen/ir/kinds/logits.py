"""The classifier: always the last layer."""

from __future__ import annotations

from dataclasses import dataclass, field

from acsgen.ir.kinds.base import (
    ActiveOf,
    FloatArray,
    IntArray,
    IntLayer,
    Layer,
    LayerWork,
    Stores,
    ZeroMaskOf,
    never_skipped,
    register,
)


@dataclass(frozen=True)
class Logits(Layer):
    """The classifier: a linear layer whose results leave the engine wide.  Last layer of the
    graph."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)

    KIND = "logits"
    READS = ("x",)


@dataclass(frozen=True)
class IntLogits(IntLayer):
    """The classifier; results stay int32, all on one scale."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)

    KIND = "logits"
    READS = ("x",)

    @property
    def stores(self) -> Stores:
        return Stores.WIDE

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return None

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork:
        return never_skipped(self.weight, active)


register(Logits, IntLogits)
