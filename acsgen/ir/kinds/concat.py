"""Maps one behind the other: placement, not computation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from acsgen.ir.format import Format
from acsgen.ir.grammar import Constant, Grammar, Sources, a_map, relation
from acsgen.ir.kinds._workless import IntWorkless
from acsgen.ir.kinds.base import (
    IntLayer,
    Layer,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import ChannelMask, joined


@dataclass(frozen=True)
class Concat(Layer):
    """The channels of several maps one behind the other (``torch.cat`` on dimension 1)."""

    maps: tuple[str, ...]

    KIND = "concat"
    READS = ("maps",)


@dataclass(frozen=True)
class IntConcat(IntWorkless):
    """The same integers: each channel keeps its format.

    ``channels`` are those of each map.
    """

    maps: tuple[str, ...]
    channels: tuple[int, ...]

    KIND = "concat"
    READS = ("maps",)

    @property
    def parts(self) -> tuple[str, ...]:
        return self.maps

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        """Those of the maps, one behind the other."""
        masks = (of(name) for name in self.maps)
        return joined(zip(masks, self.channels, strict=True))


def joined_format(layers: tuple[IntLayer, ...]) -> Format:
    """The format of maps one behind the other."""
    scales = chain.from_iterable(map_.format.scales(map_.shape[0]) for map_ in layers)
    signs = chain.from_iterable(map_.format.signs(map_.shape[0]) for map_ in layers)
    return Format.by_channel(scales, signs)


@relation("the result has the channels of all maps")
def _adds_channels(layer: Concat | IntConcat, sources: Sources) -> Iterator[str]:
    channels = tuple(sources[name].shape[0] for name in layer.maps)
    if sum(channels) != layer.shape[0]:
        yield f"{layer.shape[0]} channels, the maps have {sum(channels)}"
    if isinstance(layer, IntConcat) and layer.channels != channels:
        yield f"channels {list(layer.channels)}, the maps have {list(channels)}"


@relation("each channel keeps its format", of_integers=True)
def _keeps_formats(layer: IntConcat, sources: Sources) -> Iterator[str]:
    maps = tuple(source for source in map(sources.get, layer.maps) if isinstance(source, IntLayer))
    if layer.format != joined_format(maps):
        yield f"concatenation makes {layer.format} of {joined_format(maps)}"


GRAMMAR = Grammar(
    result=a_map("C H W"),
    reads={"maps": a_map("_ H W")},
    constants={"channels": Constant("N", 1)},
    relations=(_adds_channels, _keeps_formats),
)

register(Concat, IntConcat, GRAMMAR)
