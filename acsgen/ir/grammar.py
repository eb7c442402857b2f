"""The grammar of both graphs: what a layer of a kind may read, and what its constants are.

Every kind states its sentence as data (``acsgen/ir/kinds``), and one validator reads them all
(:mod:`acsgen.ir.check`).  Shapes are written in letters, one word for a dimension: ``O I/groups K
K`` is a kernel of as many input channels as ``x`` has, divided by the layer's ``groups``.  A letter
has one value in the whole layer; ``_`` stands for any size, ``*`` for any further dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: The layers that a layer reads, by name: of either graph, with the facts of their kinds.
Sources = Mapping[str, Any]


class Stores(Enum):
    """What a layer's result is stored as."""

    MAP = "map"
    """``(C, H, W)``, 8 bits a pixel."""
    VECTOR = "vector"
    """``(C,)``, 8 bits a value."""
    MASK = "mask"
    """``(C,)``, one bit a channel."""
    WIDE = "wide result"
    """``(C,)``, 32 bits a value; it leaves the engine and no layer reads it."""


@dataclass(frozen=True)
class Operand:
    """A result that a layer reads, or its own.

    Attributes:
        stores: what it may be stored as.
        dims: its shape in letters.
    """

    stores: tuple[Stores, ...]
    dims: str


@dataclass(frozen=True)
class Constant:
    """A field of a layer that is a number or an array.

    Attributes:
        dims: its shape in letters; empty for a number.
        low: the least value that the integer layer may have, None for any.
        high: likewise the greatest.
        of_integers: whether the float layer's field of that name, if there is one, is another
            thing.
    """

    dims: str
    low: int | None = None
    high: int | None = None
    of_integers: bool = False


@dataclass(frozen=True)
class Relation:
    """What else has to be so, beyond shapes and ranges.

    Attributes:
        says: the sentence, for whoever reads the grammar.
        faults: from a layer and the layers that it reads to how it breaks the sentence, in words.
        of_integers: whether only the integer layer has it.
    """

    says: str
    faults: Callable[[Any, Sources], Iterable[str]]
    of_integers: bool = False


@dataclass(frozen=True)
class Grammar:
    """The sentence of one kind of layer.

    Attributes:
        result: what the layer makes.
        reads: what each of the fields that name results may name.
        constants: the other fields with a shape or a range; a dataclass need not have all of them.
        relations: what else has to be so.
    """

    result: Operand
    reads: Mapping[str, Operand] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()


def a_map(dims: str) -> Operand:
    """A map of this shape."""
    return Operand((Stores.MAP,), dims)


def a_vector(dims: str) -> Operand:
    """A vector of this shape."""
    return Operand((Stores.VECTOR,), dims)


def a_mask(dims: str) -> Operand:
    """A mask for so many channels."""
    return Operand((Stores.MASK,), dims)


def a_wide_result(dims: str) -> Operand:
    """A result that leaves the network."""
    return Operand((Stores.WIDE,), dims)


def a_map_or_vector(dims: str) -> Operand:
    """A result whose further dimensions do not matter."""
    return Operand((Stores.MAP, Stores.VECTOR), dims)


def relation(says: str, of_integers: bool = False) -> Callable[[Any], Relation]:
    """Decorate a function that finds faults: its sentence."""
    return lambda faults: Relation(says, faults, of_integers)
