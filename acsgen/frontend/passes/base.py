"""The type of a rewrite pass, and what passes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acsgen.frontend.opgraph import OpGraph


@dataclass(frozen=True)
class Pass:
    """A rewrite of the operator graph into one that computes the same.

    Attributes:
        name: of the pass.
        does: what it accepts and what it makes of that, in a phrase.
        run: makes the new graph; it returns an equal graph where there is nothing to do.
    """

    name: str
    does: str
    run: Callable[[OpGraph], OpGraph]


def fresh(graph: OpGraph, name: str) -> str:
    """``name``, lengthened until no operation of the graph has it."""
    taken = {op.name for op in graph.ops}
    while name in taken:
        name += "_"
    return name
