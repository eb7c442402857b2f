"""What every kind of layer has: the common parts of its two dataclasses, and its facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import Field, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.format import Format
from acsgen.ir.grammar import Grammar, Stores
from acsgen.ir.masks import UNMASKED, ChannelMask, MaskSlice, mask_names
from acsgen.support.registry import Registry

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]

LayerT = TypeVar("LayerT", bound="LayerBase")

#: Dimensions of a map.
MAP_RANK = 3

#: Answers for the result of a name which mask makes zeros in it (``IntLayer.zero_mask``).
ZeroMaskOf = Callable[[str], ChannelMask]

#: Answers for the mask of a map and its channels: ``(N, C)``, 1 where image n has channel c.
ActiveOf = Callable[[ChannelMask, int], NDArray[np.int64]]


#: The value of a field that says what a layer reads: one result or none, several, or a mask.
Reads = str | tuple[str, ...] | ChannelMask | None


def result_names(value: Reads) -> tuple[str, ...]:
    """The results that such a field names."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    slices = tuple(part for part in value if isinstance(part, MaskSlice))
    return mask_names(slices) + tuple(part for part in value if isinstance(part, str))


@dataclass(frozen=True)
class LayerWork:
    """Multiply-accumulates of one layer.

    Attributes:
        dense: of an image, with nothing skipped.
        executed: ``(N,)``, of each image.
    """

    dense: int
    executed: NDArray[np.int64]


@dataclass(frozen=True)
class LayerBase(ABC):
    """What layers of both graphs have in common.

    Attributes:
        name: of the layer and of its result, unique in the graph.
        where: the module path in the user's network, for messages.
        shape: of the result, without the batch.
    """

    name: str
    where: str
    shape: tuple[int, ...]

    #: Name of the kind, which is that of its file in every stage.
    KIND: ClassVar[str]

    #: Fields that name the results this layer reads.
    READS: ClassVar[tuple[str, ...]] = ()

    #: Whether a run may end here; then an output is computed before it, and another one behind.
    LEAVES: ClassVar[bool] = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the results this layer reads, masks included."""
        names: list[str] = []
        for field_name in self.READS:
            names += result_names(getattr(self, field_name))
        return tuple(names)

    @property
    def stores(self) -> Stores:
        """What the result is stored as."""
        possible = KINDS[self.KIND].grammar.result.stores
        rank = Stores.MAP if len(self.shape) == MAP_RANK else Stores.VECTOR
        return possible[0] if len(possible) == 1 else rank

    def unmasked(self: LayerT) -> LayerT:
        """The layer without its mask; unchanged if its kind takes none."""
        changes: dict[str, Any] = {"mask": UNMASKED} if "mask" in self.READS else {}
        return replace(self, **changes)


@dataclass(frozen=True)
class Layer(LayerBase):
    """Common part of the layer graph's layers."""


@dataclass(frozen=True)
class IntLayer(LayerBase):
    """Common part of the integer graph's layers, and the facts that each kind has to state.

    Attributes:
        format: of the result; that of a mask says nothing.
    """

    format: Format

    @property
    @abstractmethod
    def window_stride(self) -> int:
        """Step between the windows of ``x`` that it looks at; 1 where it has no windows."""

    @property
    def halves(self) -> bool:
        """Whether its windows start at every second row and column of ``x``, so that the result has
        half as many of each."""
        return self.window_stride == 2

    @property
    @abstractmethod
    def pixelwise(self) -> bool:
        """Whether each result pixel needs only the pixel of ``x`` at the same place, and no
        residual."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The results that its own is made of, one behind the other and unchanged; none for a layer
        that computes.  Such a layer is placement: no instruction belongs to it."""
        return ()

    @abstractmethod
    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        """The mask whose 0 bits make the channels of the result exact zero; empty without one.

        Args:
            of: answers the same question for a result that this layer reads.
        """

    @abstractmethod
    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        """Its multiply-accumulates, padding counted; None if the layer has no weights.

        Args:
            active: answers for the mask of a map and its channels which of them are computed.
            of: answers which mask makes zeros in a result that this layer reads.
        """


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer.

    Attributes:
        name: of the kind and of its file.
        layer: its dataclass in the layer graph.
        integer: its dataclass in the integer graph.
        grammar: what both may look like.

    Raises:
        TypeError: a dataclass lacks a fact, or calls its kind otherwise.
    """

    name: str
    layer: type[Layer]
    integer: type[IntLayer]
    grammar: Grammar

    def __post_init__(self) -> None:
        for dataclass_ in (self.layer, self.integer):
            missing: frozenset[str] = getattr(dataclass_, "__abstractmethods__", frozenset())
            if missing:
                facts = ", ".join(sorted(missing))
                raise TypeError(f"{dataclass_.__name__} of kind '{self.name}' lacks {facts}")
            kind = getattr(dataclass_, "KIND", None)
            if kind != self.name:
                raise TypeError(f"{dataclass_.__name__}.KIND is {kind!r}, not '{self.name}'")
            if set(self.grammar.reads) != set(dataclass_.READS):
                raise TypeError(f"the grammar of kind '{self.name}' does not read what READS says")
        for field in _own_fields(self.integer):
            if field.type in RESULTS and field.name not in self.integer.READS:
                raise TypeError(f"READS of kind '{self.name}' lacks {field.name}")
            if field.type in NUMBERS and field.name not in self.grammar.constants:
                raise TypeError(f"the grammar of kind '{self.name}' lacks {field.name}")


#: Annotations of fields that name results, and of fields that a grammar has to have.
RESULTS = ("str", "str | None", "tuple[str, ...]", "ChannelMask")
NUMBERS = ("int", "float", "tuple[int, ...]", "IntArray", "FloatArray")


def _own_fields(layer: type[IntLayer]) -> list[Field[Any]]:
    """The fields that a kind adds to those of every integer layer."""
    common = {field.name for field in fields(IntLayer)}
    return [field for field in fields(layer) if field.name not in common]


KINDS: Registry[LayerKind] = Registry("kind of layer")


def register(layer: type[Layer], integer: type[IntLayer], grammar: Grammar) -> LayerKind:
    """Add a kind, under the name that its dataclasses give it."""
    name = integer.KIND
    return KINDS.add(name, LayerKind(name, layer, integer, grammar))
