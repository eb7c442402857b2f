"""A map read as a vector."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from acsgen.ir.grammar import Grammar, Sources, a_map, a_vector, relation
from acsgen.ir.kinds._vectors import IntMapToVector
from acsgen.ir.kinds.base import IntLayer, Layer, ZeroMaskOf, register
from acsgen.ir.masks import UNMASKED, ChannelMask


@dataclass(frozen=True)
class Flatten(Layer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    KIND = "flatten"
    READS = ("x",)


@dataclass(frozen=True)
class IntFlatten(IntMapToVector):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    KIND = "flatten"

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return UNMASKED


@relation("the vector has as many values as the map")
def _keeps_values(layer: Flatten | IntFlatten, sources: Sources) -> Iterator[str]:
    values = math.prod(sources[layer.x].shape)
    if layer.shape != (values,):
        yield f"{layer.shape[0]} values, the map has {values}"


@relation("the integers keep their format", of_integers=True)
def _keeps_format(layer: IntFlatten, sources: Sources) -> Iterator[str]:
    source = sources[layer.x]
    assert isinstance(source, IntLayer)
    channels, height, width = source.shape
    if layer.format != source.format.repeated(channels, height * width):
        yield f"flattening makes {layer.format} of {source.format}"


GRAMMAR = Grammar(
    result=a_vector("N"),
    reads={"x": a_map("C H W")},
    relations=(_keeps_values, _keeps_format),
)

register(Flatten, IntFlatten, GRAMMAR)
