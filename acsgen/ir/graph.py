"""What the layer graph and the integer graph have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from acsgen.ir.kinds.base import LayerBase

LayerT = TypeVar("LayerT", bound=LayerBase)


@dataclass(frozen=True)
class Graph(Generic[LayerT]):
    """Layers in execution order.

    Raises:
        ValueError: a name is defined twice, or read before it is defined.
    """

    name: str
    layers: tuple[LayerT, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for layer in self.layers:
            missing = [n for n in layer.inputs if n not in seen]
            if missing:
                raise ValueError(f"{layer.name} reads {missing} before they are defined")
            if layer.name in seen:
                raise ValueError(f"{layer.name} is defined twice")
            seen.add(layer.name)

    def __iter__(self) -> Iterator[LayerT]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerT:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, LayerT]:
        return {layer.name: layer for layer in self.layers}
