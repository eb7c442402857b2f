"""The places of results in an engine's on-chip memory, for people who want to see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BufferPlace:
    """A part of an on-chip memory that holds one result for a while.

    Attributes:
        layer: the layer whose result it holds; of a concatenation, the whole.
        memory: ``feature`` (in blocks), ``vector`` (in words) or ``mask`` (in registers).
        address: its first unit.
        size: units that it takes.
        first: number of the instruction that writes it first.
        last: number of the last instruction that reads it.
    """

    layer: str
    memory: Literal["feature", "vector", "mask"]
    address: int
    size: int
    first: int
    last: int
