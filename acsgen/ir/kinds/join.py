"""Vectors one behind the other: placement, not computation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acsgen.ir.grammar import Constant, Grammar, Sources, a_vector, relation
from acsgen.ir.kinds._workless import IntWorkless
from acsgen.ir.kinds.base import IntLayer, Layer, ZeroMaskOf, register
from acsgen.ir.kinds.concat import joined_format
from acsgen.ir.masks import UNMASKED, ChannelMask


@dataclass(frozen=True)
class Join(Layer):
    """The entries of several vectors one behind the other (``torch.cat`` on dimension 1)."""

    vectors: tuple[str, ...]

    KIND = "join"
    READS = ("vectors",)


@dataclass(frozen=True)
class IntJoin(IntWorkless):
    """The same integers: each entry keeps its format.

    ``sizes`` are those of each vector.
    """

    vectors: tuple[str, ...]
    sizes: tuple[int, ...]

    KIND = "join"
    READS = ("vectors",)

    @property
    def parts(self) -> tuple[str, ...]:
        return self.vectors

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return UNMASKED


@relation("the result has the entries of all vectors")
def _adds_entries(layer: Join | IntJoin, sources: Sources) -> Iterator[str]:
    sizes = tuple(sources[name].shape[0] for name in layer.vectors)
    if sum(sizes) != layer.shape[0]:
        yield f"{layer.shape[0]} entries, the vectors have {sum(sizes)}"
    if isinstance(layer, IntJoin) and layer.sizes != sizes:
        yield f"sizes {list(layer.sizes)}, the vectors have {list(sizes)}"


@relation("each entry keeps its format", of_integers=True)
def _keeps_formats(layer: IntJoin, sources: Sources) -> Iterator[str]:
    found = (sources.get(name) for name in layer.vectors)
    vectors = tuple(source for source in found if isinstance(source, IntLayer))
    if layer.format != joined_format(vectors):
        yield f"joining makes {layer.format} of {joined_format(vectors)}"


GRAMMAR = Grammar(
    result=a_vector("N"),
    reads={"vectors": a_vector("_")},
    constants={"sizes": Constant("K", 1)},
    relations=(_adds_entries, _keeps_formats),
)

register(Join, IntJoin, GRAMMAR)
