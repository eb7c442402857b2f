"""Max and average pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from acsgen.ir.grammar import Constant, Grammar, Sources, a_map, relation
from acsgen.ir.kinds._windows import WINDOWS
from acsgen.ir.kinds.base import (
    ActiveOf,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import ChannelMask
from acsgen.ir.ranges import multiplier, shift


@dataclass(frozen=True)
class Pool(Layer):
    """Max pooling (padding never wins) or average pooling (divides by ``kernel**2``, padding
    counted)."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int

    KIND = "pool"
    READS = ("x",)


@dataclass(frozen=True)
class IntPool(IntLayer):
    """Max pooling keeps the format of its source and ignores ``mult``/``shift``."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int
    mult: int
    shift: int

    KIND = "pool"
    READS = ("x",)

    @property
    def window_stride(self) -> int:
        return self.stride

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


@relation("max pooling keeps the format of its source", of_integers=True)
def _keeps_format(layer: IntPool, sources: Sources) -> Iterator[str]:
    source = sources[layer.x]
    assert isinstance(source, IntLayer)
    if layer.mode == "max" and layer.format != source.format:
        yield f"max pooling makes {layer.format} of {source.format}"


GRAMMAR = Grammar(
    result=a_map("C Y X"),
    reads={"x": a_map("C H W")},
    constants={
        "kernel": Constant("", 1),
        "stride": Constant("", 1),
        "pad": Constant("", 0),
        "mult": multiplier(""),
        "shift": shift(""),
    },
    relations=(WINDOWS, _keeps_format),
)

register(Pool, IntPool, GRAMMAR)
