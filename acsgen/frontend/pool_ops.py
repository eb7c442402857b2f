"""Operations of pools that the engine does not have: passes make others of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from acsgen.frontend.opgraph import Array, Op


@dataclass(frozen=True)
class WindowMeans(Op):
    """Weighted sums over windows of a map, ``rows @ x[c] @ columns.T``.

    ``rows`` is ``(h, H)`` and ``columns`` ``(w, W)``. Where no pass finds another form of it,
    ``what`` says what is not possible, and ``remedy`` what to do.
    """

    rewritten: ClassVar[bool] = True

    x: str
    rows: Array = field(repr=False)
    columns: Array = field(repr=False)
    what: str
    remedy: str


@dataclass(frozen=True)
class GlobalMax(Op):
    """Map to a map of one pixel: the largest of each channel."""

    rewritten: ClassVar[bool] = True

    x: str


@dataclass(frozen=True)
class PartialMax(Op):
    """The largest over the rows (axis 1) or the columns (axis 2) of a map, an axis of size 1."""

    rewritten: ClassVar[bool] = True

    x: str
    axis: int


@dataclass(frozen=True)
class EdgePad(Op):
    """Rows below a map and as many columns beside it, which never win the max pool behind it."""

    rewritten: ClassVar[bool] = True

    x: str
    count: int


@dataclass(frozen=True)
class Extreme(Op):
    """The larger (``largest``), else the smaller, of two maps or two vectors, entry by entry."""

    rewritten: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "y")

    x: str
    y: str
    largest: bool
